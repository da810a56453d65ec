#!/bin/bash
# Writes down what no dump of a database holds: roles, their memberships and settings, tablespaces. globals.sh FOLDER
#
# The file holds the hashes of passwords. Who may not read them, as on managed services, sets GLOBALS=--no-role-passwords.
. "$(dirname "$0")/job.sh"

folder=${1:-}
[ -n "$folder" ] || refuse "usage: globals.sh FOLDER"
lock "$folder"

final=$folder/globals_$(stamp).sql
unfinished=$folder/.${final##*/}.part
dump=(pg_dumpall --globals-only --no-password ${GLOBALS:+"$GLOBALS"})

doing="dumping roles and tablespaces"
if [ -n "${SERVICE:-}" ]; then
  docker compose exec -T "$SERVICE" "${dump[@]}" >"$unfinished"
else
  "${dump[@]}" --file="$unfinished"
fi

doing="reading roles and tablespaces again"
"$here/verify.sh" "$unfinished"
publish "$unfinished" "$final"
