#!/bin/bash
# Dumps one database: dump.sh DATABASE FOLDER
#
# Connects as libpq does: PGHOST, PGPORT, PGUSER, ~/.pgpass. With SERVICE=db the tools of that service of Docker Compose
# are used, and no client is needed here.
. "$(dirname "$0")/job.sh"

database=${1:-} folder=${2:-}
[ -n "$folder" ] || refuse "usage: dump.sh DATABASE FOLDER"
case $database in *=* | *://*) refuse "DATABASE is a name: ps would show the password of a connection string" ;; esac
lock "$folder"

final=$folder/$(plain "$database")_$(stamp).dump
unfinished=$folder/.${final##*/}.part
dump=(pg_dump --format=custom --no-password --dbname="$database")

doing="dumping $database"
if [ -n "${SERVICE:-}" ]; then
  docker compose exec -T "$SERVICE" "${dump[@]}" >"$unfinished"
else
  "${dump[@]}" --file="$unfinished"
fi

# A dump that cannot be read is found now and not on the day it is needed.
doing="reading the dump of $database again"
"$here/verify.sh" "$unfinished"
publish "$unfinished" "$final"
