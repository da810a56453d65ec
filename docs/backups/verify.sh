#!/bin/bash
# Reads dumps to their end: verify.sh FILE...
#
# `pgvigil backup verify` finds most: holes, widths of rows, every ending. Without pgvigil, pg_restore turns the whole dump
# into SQL that nobody keeps; listing a dump, or `gunzip -t`, would miss one that was cut off. Neither needs a server.
set -euo pipefail
limit=${VERIFY_LIMIT:-6h}

# The last lines of pg_dump and pg_dumpall, of which newer ones put `\unrestrict` after that.
ends_properly() { # FILE
  tail -n 8 "$1" | grep -qE '^-- PostgreSQL database (cluster )?dump complete$'
}

read_through() { # FILE
  local said code=0
  if command -v pgvigil >/dev/null; then
    said=$(timeout "$limit" pgvigil backup verify "$1") || code=$?
    [ "$code" != 0 ] || return 0
    printf '%s\n' "$said" >&2
    # It cannot know (2) of what a newer pg_dump has written, and the pg_restore of that can.
    [ "$code" = 2 ] || return 1
  fi
  if [ "$(head -c 5 "$1" | tr -d '\0')" != PGDMP ]; then
    ends_properly "$1" || { echo "$1: does not end as a dump ends" >&2 && return 1; }
  elif [ -n "${SERVICE:-}" ]; then
    timeout "$limit" docker compose exec -T "$SERVICE" pg_restore --file=/dev/null <"$1"
  else
    timeout "$limit" pg_restore --file=/dev/null "$1"
  fi
}

agrees() { # FILE
  [ ! -e "$1.sha256" ] || [ "$(sha256sum <"$1" | cut -c 1-64)" = "$(cut -c 1-64 "$1.sha256")" ]
}

bad=0
for file in "$@"; do
  if ! agrees "$file"; then
    echo "$file: does not agree with $file.sha256" >&2
    bad=1
  elif ! read_through "$file"; then
    echo "$file: would not restore" >&2
    bad=1
  fi
done
exit "$bad"
