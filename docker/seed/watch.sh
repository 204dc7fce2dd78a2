#!/usr/bin/env bash
# Bring each new .torrent below a prefix of a bucket to transmission-daemon, which then seeds it. Nothing is deleted,
# neither here nor in the bucket; what failed is tried again in the next round.
set -euo pipefail
shopt -s nullglob

readonly LARGEST=10000000 # bytes of a .torrent; more, no client loads by default

usage() {
  cat <<'END'
usage: watch.sh [--once]

Copies every new s3://S3_BUCKET/TORRENT_WATCH_PREFIX*.torrent into WATCH_FOLDER and hands it to transmission-daemon;
again and again, or with --once one time. Needs the AWS CLI (1 or 2), jq and curl. Settings are environment variables:

  S3_BUCKET             required
  TORRENT_WATCH_PREFIX  required             as the function has it
  AWS_ENDPOINT_URL      AWS                  of a local stack, such as http://localstack:4566
  WATCH_SECONDS         30                   between two rounds, 1 to 3600
  WATCH_FOLDER          /seed/watch          copies; .added was taken by the daemon, .refused was not
  CONTENT_FOLDER        /seed/content        of the daemon: where it keeps what the torrents describe
  CONTENT_LAYOUT        own                  a folder for each torrent, since many may have files of one name; or flat:
                                             straight into CONTENT_FOLDER, where the files lie already
  TRANSMISSION_RPC      127.0.0.1:9091       of the daemon
  TRACKER_LIST                               info-hashes the tracker may serve (tracker.sh); empty: no such tracker

Exit code: 0 done, or asked to stop; 1 with --once: something failed; 2 wrong usage; 4 a program is missing.
END
}

tell() { printf 'watch: %s\n' "$*" >&2; }

misused() {
  tell "$*"
  exit 2
}

check_settings() {
  S3_BUCKET=${S3_BUCKET:-} TORRENT_WATCH_PREFIX=${TORRENT_WATCH_PREFIX:-} AWS_ENDPOINT_URL=${AWS_ENDPOINT_URL:-}
  WATCH_SECONDS=${WATCH_SECONDS:-30} WATCH_FOLDER=${WATCH_FOLDER:-/seed/watch}
  CONTENT_FOLDER=${CONTENT_FOLDER:-/seed/content} CONTENT_LAYOUT=${CONTENT_LAYOUT:-own}
  TRANSMISSION_RPC=${TRANSMISSION_RPC:-127.0.0.1:9091} TRACKER_LIST=${TRACKER_LIST:-}
  local name
  [[ $S3_BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] ||
    misused "S3_BUCKET is '$S3_BUCKET'; expected the name of the bucket"
  # So no key can begin like file://, which the AWS CLI would open.
  [[ $TORRENT_WATCH_PREFIX =~ ^[^:]*/[^:]*$ ]] ||
    misused "TORRENT_WATCH_PREFIX is '$TORRENT_WATCH_PREFIX'; expected the function's, with a / and without :, such as watch/"
  [[ -z $AWS_ENDPOINT_URL || $AWS_ENDPOINT_URL =~ ^https?://[A-Za-z0-9._:-]+/?$ ]] ||
    misused "AWS_ENDPOINT_URL is '$AWS_ENDPOINT_URL'; expected http://HOST:PORT, or nothing for AWS"
  [[ $WATCH_SECONDS =~ ^[1-9][0-9]{0,3}$ && $WATCH_SECONDS -le 3600 ]] ||
    misused "WATCH_SECONDS is '$WATCH_SECONDS'; expected 1 to 3600"
  for name in WATCH_FOLDER CONTENT_FOLDER; do
    [[ ${!name} == /* ]] || misused "$name is '${!name}'; expected an absolute path"
  done
  [[ -d $WATCH_FOLDER && -w $WATCH_FOLDER ]] ||
    misused "WATCH_FOLDER is '$WATCH_FOLDER'; expected a folder that this user may write to"
  [[ $CONTENT_LAYOUT =~ ^(own|flat)$ ]] || misused "CONTENT_LAYOUT is '$CONTENT_LAYOUT'; expected own or flat"
  [[ $TRANSMISSION_RPC =~ ^[A-Za-z0-9._-]+:[0-9]+$ ]] ||
    misused "TRANSMISSION_RPC is '$TRANSMISSION_RPC'; expected HOST:PORT"
}

check_programs() {
  local program
  for program in aws jq curl flock sha256sum base64 comm; do
    command -v "$program" >/dev/null && continue
    tell "$program is not on PATH; install it, or use the image of docker/seed/Dockerfile"
    exit 4
  done
}

# Debian's AWS CLI is older than AWS_ENDPOINT_URL, so it is told.
s3api() {
  aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} --cli-connect-timeout 10 --cli-read-timeout 60 \
    --output json s3api "$@"
}

# A line of JSON for each, whatever is in its key.
list() {
  local asked
  asked=$(jq -cn --arg bucket "$S3_BUCKET" --arg prefix "$TORRENT_WATCH_PREFIX" '{Bucket: $bucket, Prefix: $prefix}')
  s3api list-objects-v2 --cli-input-json "$asked" >"$work/answer" 2>"$work/said" &&
    jq -c '.Contents[]? | select(.Key | endswith(".torrent")) | {Key, IfMatch: .ETag, Size}' "$work/answer" |
    LC_ALL=C sort -u >"$work/listed"
}

# What was copied before, in the same notation: another version of an object is another line.
fetch_new() {
  local one
  LC_ALL=C sort -u "$seen" | LC_ALL=C comm -13 - "$work/listed" >"$work/new"
  while IFS= read -r one; do
    fetch "$one" || failed=yes
  done <"$work/new"
}

fetch() { # is asked whether it succeeds, so -e does not hold in it: each step says what follows its failure
  local one=$1 id size key # as JSON, for messages
  key=$(jq .Key <<<"$one") && size=$(jq .Size <<<"$one") || return
  if [ "$size" -gt "$LARGEST" ] || [ "$size" -eq 0 ]; then
    tell "$key has $size bytes; a .torrent has 1 to $LARGEST. It is left out"
  else
    id=$(sha256sum <<<"$one") && id=${id:0:32} || return
    s3api get-object --bucket="$S3_BUCKET" --key="$(jq -r .Key <<<"$one")" --if-match="$(jq -r .IfMatch <<<"$one")" \
      "$work/body" >/dev/null 2>"$work/said" || {
      tell "$key was not fetched: $(what_was_said)"
      return 1
    }
    mv -- "$work/body" "$WATCH_FOLDER/$id.torrent" || return
    tell "$key is $id.torrent"
  fi
  printf '%s\n' "$one" >>"$seen"
}

what_was_said() { tr -s '\n ' ' ' <"$work/said" | head -c 500; }

# One request ($work/request) to the daemon; its answer is $work/answer. The daemon hands out a token first.
# https://github.com/transmission/transmission/blob/3.00/extras/rpc-spec.txt
rpc() {
  local code
  for _ in 1 2; do
    code=$(curl --silent --show-error --noproxy '*' --max-time 60 --output "$work/answer" --dump-header "$work/headers" \
      --write-out '%{http_code}' --header "X-Transmission-Session-Id: $token" --data-binary "@$work/request" \
      "http://$TRANSMISSION_RPC/transmission/rpc" 2>"$work/said") || return
    [ "$code" = 409 ] || break
    token=$(sed -n 's/^X-Transmission-Session-Id: *\([A-Za-z0-9]*\).*/\1/Ip' "$work/headers")
  done
  [ "$code" = 200 ] || {
    printf 'HTTP %s' "$code" >"$work/said"
    return 1
  }
}

hand_over() {
  local file
  for file in "$WATCH_FOLDER"/*.torrent; do
    add "$file" && continue
    tell "$(basename "$file") was not handed to transmission-daemon at $TRANSMISSION_RPC: $(what_was_said)"
    failed=yes
    return
  done
}

# It is added paused and, where the tracker knows only what it is told, started in a later round: until then the
# tracker has read its list. So an interruption at any point is made good by doing the same again. Like fetch, it is
# asked whether it succeeds.
add() {
  local file=$1 folder=$CONTENT_FOLDER result hash
  [ "$CONTENT_LAYOUT" = flat ] || folder+=/$(basename "$file" .torrent)
  base64 --wrap=0 "$file" 2>"$work/said" | jq --raw-input --arg folder "$folder" 2>"$work/said" >"$work/request" \
    '{method: "torrent-add", arguments: {metainfo: ., "download-dir": $folder, paused: true}}' || return
  rpc || return
  result=$(jq -r .result "$work/answer")
  hash=$(jq -r '.arguments | (.["torrent-added"] // .["torrent-duplicate"]).hashString // empty' "$work/answer")
  if [[ ! $hash =~ ^[0-9a-f]{40}$ ]]; then
    tell "transmission-daemon refuses $(basename "$file"): $result"
    failed=yes
    mv -- "$file" "$file.refused" 2>"$work/said" || return
  elif [ -n "$TRACKER_LIST" ] && ! grep -qsxF "$hash" "$TRACKER_LIST"; then
    waits=yes
    printf '%s\n' "$hash" >>"$TRACKER_LIST" || return
  else
    jq -n --arg hash "$hash" '{method: "torrent-start", arguments: {ids: [$hash]}}' >"$work/request" || return
    rpc || return
    mv -- "$file" "$file.added" 2>"$work/said" || return
    tell "$hash is with transmission-daemon"
  fi
}

round() {
  failed='' waits=''
  if list; then
    fetch_new
  else
    tell "s3://$S3_BUCKET/$TORRENT_WATCH_PREFIX was not listed: $(what_was_said)"
    failed=yes
  fi
  hand_over
}

case ${1:-} in
  "" | --once) ;;
  -h | --help) usage && exit 0 ;;
  *) misused "unknown argument: $1; --help tells the settings" ;;
esac
check_settings
check_programs
export AWS_PAGER=''
seen=$WATCH_FOLDER/.seen token='' failed='' waits=''
exec 9>>"$WATCH_FOLDER/.lock"
flock --nonblock 9 || misused "another watch.sh is at work on $WATCH_FOLDER; expected one"
touch "$seen"
work=$(mktemp -d "$WATCH_FOLDER/.work.XXXXXXXX") # beside its end, so that a move is all or nothing
trap 'kill "${pause:-}" 2>/dev/null || true; rm -rf -- "$work"' EXIT
trap 'exit 0' TERM INT

if [ "${1:-}" = --once ]; then
  round
  [ -z "$waits" ] || tell "what is new is started by the next run, when the tracker knows it"
  [ -z "$failed" ]
  exit
fi
while true; do
  round
  sleep "$WATCH_SECONDS" 9>&- &
  pause=$!
  wait "$pause" || true
done
