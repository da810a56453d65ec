#!/bin/bash
# Removes old dumps, but never one that newer good ones do not stand in for: retain.sh PLACE DATABASE DAYS [KEEP]
#
# PLACE is a folder, or a URL of s3:// or gs://. The newest KEEP (3) that can be read to their end stay whatever their age;
# if there are fewer, nothing goes. A lifecycle rule of a bucket removes by age alone, also when every newer one is empty.
# Ages come from names, for a copied file looks new.
. "$(dirname "$0")/job.sh"
. "$(dirname "$0")/bucket.sh"

place=${1:-} database=$(plain "${2:-}") days=${3:-} keep=${4:-3}
[[ $days =~ ^[0-9]+$ && $keep =~ ^[1-9][0-9]*$ ]] || refuse "usage: retain.sh PLACE DATABASE DAYS [KEEP]"
work=$(mktemp -d)
unfinished=$work
case $place in
  *://*)
    place=${place%/}/
    kind "$place" >/dev/null
    names() { list "$place"; }
    fetch() {
      file=$work/$1
      get "$place$1" >"$file"
      if grep -qxF -- "$1.sha256" <<<"$all"; then get "$place$1.sha256" >"$file.sha256"; fi
    }
    leave() { rm -f -- "$file" "$file.sha256"; }
    forget() { remove "$place$1"; }
    ;;
  *)
    lock "$place"
    names() { ls -1 "$place"; }
    fetch() { file=$place/$1; }
    leave() { :; }
    forget() { rm -- "$place/$1"; }
    ;;
esac

doing="listing $place"
all=$(names)
dumps=$(grep -xE "${database//./\\.}_[0-9]{8}T[0-9]{6}Z\.dump" <<<"$all" | sort -r || true)
limit=${database}_$(date -u -d "$days days ago" +%Y%m%dT%H%M%SZ).dump
good=0 bad=0 file=""
for name in $dumps; do
  if [ "$good" -lt "$keep" ]; then
    doing="fetching $place $name"
    fetch "$name"
    if "$here/verify.sh" "$file"; then
      good=$((good + 1))
    else
      bad=$((bad + 1))
      say ERROR "$name in $place would not restore; it stays, to be looked at"
    fi
    leave
  elif [[ $name < $limit ]]; then
    doing="removing $name from $place"
    forget "$name"
    if grep -qxF -- "$name.sha256" <<<"$all"; then forget "$name.sha256"; fi
    say INFO "removed $name from $place"
  fi
done
doing="reading the dumps of $database in $place: $bad bad, $good good,"
[ "$bad" = 0 ] && [ "$good" -gt 0 ]
