#!/bin/bash
# Takes a physical backup of a whole cluster: base-backup.sh FOLDER
#
# With the WAL archived from then on it restores to any moment. Connects as a role with REPLICATION.
. "$(dirname "$0")/job.sh"

folder=${1:-}
[ -n "$folder" ] || refuse "usage: base-backup.sh FOLDER"
lock "$folder"

final=$folder/base_$(stamp)
unfinished=$folder/.${final##*/}.part

doing="copying the cluster"
pg_basebackup --pgdata="$unfinished" --checkpoint=fast --wal-method=stream --no-password
# Every file against the manifest, which is written last and carries a checksum of itself.
doing="comparing the copy with its manifest"
pg_verifybackup --quiet "$unfinished"

# It has modes of its own, whatever the umask; the server accepts a cluster that its group may read.
doing="letting the group read the copy"
case $(umask) in
  *27)
    chgrp -R --reference="$folder" "$unfinished"
    chmod -R g=rX "$unfinished"
    ;;
esac

doing="writing $final"
mv -T "$unfinished" "$final"
sync "$folder"
say INFO "wrote $final"
