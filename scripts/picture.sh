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
said 'The status page: http'
page=$(sed -n 's|.*The status page: \(http://[^ /]*\).*|\1|p' "$work/said" | head -1)
# It fires for seconds only, less than a browser takes to start: so the page is kept, and then looked at.
for _ in $(seq 1200); do
  curl -sf -m 5 "$page/" | sed 's/<meta http-equiv="refresh"[^>]*>//' >"$work/page.html" || true
  if grep -q 'alerts\? firing' "$work/page.html" && grep -q 'Told: ' "$work/page.html"; then break; fi
  kill -0 "$demo" 2>/dev/null || { cat "$work/said" >&2; exit 1; }
  sleep 0.2
done
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
  --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars \
  --user-data-dir="$work/profile" --window-size=1100,1420 --screenshot="$work/page.png" "file://$work/page.html" >"$work/chromium" 2>&1 ||
  { cat "$work/chromium" >&2; exit 1; }
mv "$work/page.png" docs/status-page.png
echo "docs/status-page.png is the page of the demo while its alert fired"
