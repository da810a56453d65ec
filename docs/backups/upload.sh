#!/bin/bash
# Brings what is not there yet into object storage: upload.sh FOLDER URL
#
# Such as upload.sh /backups s3://rachel-backups/daily, or gs://. A night that failed is made up for by the next one. It
# removes nothing here: retain.sh does, and only what newer good ones stand in for.
. "$(dirname "$0")/job.sh"
. "$(dirname "$0")/bucket.sh"

folder=${1:-} url=${2:-}
[ -n "$url" ] || refuse "usage: upload.sh FOLDER URL"
url=${url%/}/
kind "$url" >/dev/null
lock "$folder"

doing="listing $url"
there=$(list "$url")

shopt -s nullglob
for file in "$folder"/*_????????T??????Z.{dump,sql}; do
  name=${file##*/}
  # The checksum goes last: where it is, the dump has arrived.
  if ! grep -qxF -- "$name.sha256" <<<"$there"; then
    doing="reading $file"
    "$here/verify.sh" "$file"
    doing="uploading $file"
    put "$file" "$url$name"
    doing="comparing $url$name with its original"
    [ "$(get "$url$name" | sha256sum | cut -c 1-64)" = "$(cut -c 1-64 "$file.sha256")" ]
    put "$file.sha256" "$url$name.sha256"
    say INFO "uploaded $url$name"
  fi
done
