#!/bin/sh
# Archives one file of WAL: archive_command = '/usr/local/lib/pg-backup/archive-wal.sh %p %f /mnt/wal_archive'
#
# It says yes only once the whole file has its name and is on disk, and says so again for the same file; a different
# one of that name is refused. pgBackRest, Barman and WAL-G do the same and compress.
set -eu
umask "${BACKUP_UMASK:-077}"
from=$1 name=$2 folder=$3

if [ -e "$folder/$name" ]; then
  cmp -s "$from" "$folder/$name" || { echo "ERROR $folder/$name is there and differs from $from" >&2 && exit 1; }
else
  # The mode of what the server writes would be copied, too.
  cat "$from" >"$folder/.$name.part"
  sync "$folder/.$name.part"
  mv "$folder/.$name.part" "$folder/$name"
fi
# The server may have gone down between renaming and this.
sync "$folder/$name" "$folder"
