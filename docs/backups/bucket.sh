# shellcheck shell=bash
# Sourced by the jobs that use object storage: the same five verbs for s3:// and gs://.
#
# Credentials come from where `aws` and `gcloud` look for them: a role, or a profile; never from an argument.

kind() { # URL
  case $1 in
    s3://?*) echo s3 ;;
    gs://?*) echo gs ;;
    *) refuse "$1 is neither s3:// nor gs://" ;;
  esac
}

s3_put() { aws s3 cp --only-show-errors --sse "${SSE:-AES256}" "$1" "$2"; }
s3_get() { aws s3 cp --only-show-errors "$1" -; }
s3_remove() { aws s3 rm --only-show-errors "$1"; }

# `aws s3 ls` mixes folders in (PRE lines) and pads with spaces; this gives keys alone, all pages of them.
s3_list() {
  local bucket=${1#s3://} prefix
  prefix=${bucket#*/} bucket=${bucket%%/*}
  aws s3api list-objects-v2 --bucket "$bucket" --prefix "$prefix" --delimiter / --query 'Contents[].[Key]' --output text
}

# What lies in Google's buckets is always encrypted.
gs_put() { gcloud storage cp --quiet --no-user-output-enabled "$1" "$2"; }
gs_get() { gcloud storage cat "$1"; }
gs_remove() { gcloud storage rm --quiet --no-user-output-enabled "$1"; }
# An empty place is an error to `ls`, which then names no other reason.
gs_list() {
  local said
  said=$(gcloud storage ls "$1" 2>&1) || [[ $said == *"matched no objects"* ]] || { printf '%s\n' "$said" >&2 && return 1; }
  grep '^gs://' <<<"$said" || true
}

put() { "$(kind "$2")_put" "$1" "$2"; }
get() { "$(kind "$1")_get" "$1"; }
remove() { "$(kind "$1")_remove" "$1"; }

# Names below a URL that ends in a slash.
list() { # URL/
  "$(kind "$1")_list" "$1" | sed 's|.*/||'
}
