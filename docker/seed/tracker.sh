#!/usr/bin/env bash
# opentracker for the torrents of watch.sh alone: Debian's build serves only the info-hashes of a list, which it reads
# at its start and on SIGHUP. Ends when opentracker ends, or by SIGTERM.
set -euo pipefail

list=${TRACKER_LIST:-/seed/tracker/info-hashes}
address=${TRACKER_ADDRESS:-0.0.0.0}
port=${TRACKER_PORT:-6969}

touch "$list" || {
  printf 'tracker: TRACKER_LIST is %s; expected a file that this user may write\n' "'$list'" >&2
  exit 2
}

read_by_now=$(stat --format='%s %y' "$list")
opentracker -i "$address" -p "$port" -P "$port" -w "$list" -d "$(dirname "$list")" &
tracker=$!
trap 'kill "$tracker" 2>/dev/null || true' EXIT
trap 'exit 0' TERM INT

while kill -0 "$tracker" 2>/dev/null; do
  sleep 0.5 &
  wait $! || true
  now=$(stat --format='%s %y' "$list")
  [ "$now" = "$read_by_now" ] || kill -HUP "$tracker"
  read_by_now=$now
done
wait "$tracker"
