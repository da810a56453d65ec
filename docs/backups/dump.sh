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

dump "$folder/$(plain "$database")_$(stamp).dump" "$database" \
  pg_dump --format=custom --no-password --dbname="$database"
