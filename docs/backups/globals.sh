#!/bin/bash
# Writes down what no dump of a database holds: roles, their memberships and settings, tablespaces. globals.sh FOLDER
#
# The file holds the hashes of passwords. Who may not read them, as on managed services, sets GLOBALS=--no-role-passwords.
. "$(dirname "$0")/job.sh"

folder=${1:-}
[ -n "$folder" ] || refuse "usage: globals.sh FOLDER"
lock "$folder"

dump "$folder/globals_$(stamp).sql" "roles and tablespaces" \
  pg_dumpall --globals-only --no-password ${GLOBALS:+"$GLOBALS"}
