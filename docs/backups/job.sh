# shellcheck shell=bash
# Sourced by the jobs beside it: how they report, that one runs at a time, and that nothing half done stays behind.
#
# A job that went well prints nothing; one that failed prints an ERROR line and ends with a code, so that cron mails it.
# Both leave lines in BACKUP_LOG. Passwords belong into ~/.pgpass: what stands in an argument is seen by `ps`.
set -euo pipefail
umask "${BACKUP_UMASK:-077}"

# shellcheck disable=SC2034  # for those that source it
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
job=${0##*/}
log=${BACKUP_LOG:-/var/log/pg-backup.log}
# What is being done, for the line that says that it failed, and what is removed then.
doing="starting" unfinished=""

# What the tools complain of goes into the log as well, and to whoever looks.
exec 2> >(tee -a "$log" >&2)

say() { # LEVEL WORDS
  local line
  line="$(date -u +%Y-%m-%dT%H:%M:%SZ) $1 $job: $2"
  if [ "$1" = INFO ]; then printf '%s\n' "$line" >>"$log"; else printf '%s\n' "$line" >&2; fi
}

end() {
  local code=$?
  [ -z "$unfinished" ] || rm -rf -- "$unfinished" "$unfinished.sha256"
  [ "$code" = 0 ] || say ERROR "$doing failed (exit code $code)"
}
trap end EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

refuse() { # WORDS
  trap - EXIT
  say ERROR "$1"
  exit 2
}

# A folder is its own lock, which the kernel gives back whatever happens to us.
lock() { # FOLDER
  doing="taking turns in $1 (does it exist, does another job run there?)"
  exec 9<"$1"
  flock -n 9
  rm -rf -- "$1"/.*.part "$1"/.*.part.sha256
}

# Where a name goes into a path or a pattern, only what is harmless there stays of it.
plain() { # NAME
  printf '%s' "${1//[^A-Za-z0-9_.-]/_}"
}

stamp() {
  date -u +%Y%m%dT%H%M%SZ
}

# Gives what was written aside its name, once it is on disk, with its checksum beside it.
publish() { # PART FINAL
  local sum
  doing="writing $2"
  sum=$(sha256sum <"$1")
  printf '%s  %s\n' "${sum%% *}" "${2##*/}" >"$1.sha256"
  sync "$1" "$1.sha256"
  mv -T "$1.sha256" "$2.sha256"
  mv -T "$1" "$2"
  sync "${2%/*}"
  say INFO "wrote $2, $(stat -c %s "$2") bytes"
}

# Has a program of PostgreSQL write a file, here or in the service of Docker Compose. What cannot be read is found now and
# not on the day it is needed.
dump() { # FINAL WHAT PROGRAM ARGUMENTS...
  local final=$1 what=$2
  shift 2
  unfinished=${final%/*}/.${final##*/}.part
  doing="dumping $what"
  if [ -n "${SERVICE:-}" ]; then
    docker compose exec -T "$SERVICE" "$@" >"$unfinished"
  else
    "$@" --file="$unfinished"
  fi
  doing="reading the dump of $what again"
  "$here/verify.sh" "$unfinished"
  publish "$unfinished" "$final"
}
