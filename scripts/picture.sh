#!/bin/bash
# Takes docs/status-page.png anew: the status page of the demo while its alert fires. Wants `make lab` and a built
# pgvigil, whose path may be given.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:-${CARGO_TARGET_DIR:-target}/release/pgvigil}
work=$(mktemp -d)
demo=
tidy() {
  [ -z "$demo" ] || { kill -INT "$demo" 2>/dev/null || true; wait "$demo" || true; }
  rm -rf "$work"
}
trap tidy EXIT

"$binary" demo >"$work/said" 2>&1 &
demo=$!
said() { # TEXT
  for _ in $(seq 600); do
    grep -q "$1" "$work/said" && return
    kill -0 "$demo" 2>/dev/null || break
    sleep 0.5
  done
  cat "$work/said" >&2
  exit 1
}
said 'is firing'
said 'a message for Slack arrives'
page=$(sed -n 's|.*The status page: \(http://[^ /]*\).*|\1|p' "$work/said" | head -1)
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
  --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars \
  --user-data-dir="$work/profile" --window-size=1100,1500 --screenshot="$work/page.png" "$page/" >"$work/chromium" 2>&1 ||
  { cat "$work/chromium" >&2; exit 1; }
mv "$work/page.png" docs/status-page.png
echo "docs/status-page.png is $page/ as it was"
