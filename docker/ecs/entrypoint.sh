#!/usr/bin/env bash
# Record URL into the bucket, with its torrent: the entry of the recording container.
#
# The recorder is a child in a session of its own. SIGTERM and SIGINT are passed on to it, and it is waited for.
# Where it is killed (SIGKILL, out of memory), what it started is killed, too, and a second one takes up what
# it has left. The exit code is that of the first.
set -euo pipefail

usage() {
  cat <<'END'
usage: entrypoint.sh URL OUTFILE

Records URL (http or https: a page yt-dlp knows, or a stream) as Matroska, uploads it as S3_KEY/ and OUTFILE's
last segment, and makes its torrent. SIGTERM ends the recording; what was recorded is uploaded.
Settings are environment variables:

  S3_BUCKET             where recordings go; required
  S3_KEY                prefix of the key
  RECORD_MODE           file (default): yt-dlp into OUTFILE, then up; pipe: ffmpeg straight to S3, no disk
  DDB_TABLE, JOB_ID     status table, and this recording's item in it
  TTL_DAYS              days until that item expires
  TRACKERS, AWS_ENDPOINT_URL, TORRENT_*: docs/configuration.md

Exit code: 0 recorded; 2 wrong usage; 4 source, S3 or status table not reachable; 128 and more: killed.
END
}

case ${1:-} in -h | --help) usage && exit 0 ;; esac

python=${S3TORRENT_PYTHON:-python3}
# By this folder the second recorder knows what is the first one's. Without a disk there is none to be had.
S3TORRENT_RUN=$(mktemp -d 2>/dev/null) || S3TORRENT_RUN=
export S3TORRENT_RUN
trap '[ -z "$S3TORRENT_RUN" ] || rm -rf -- "$S3TORRENT_RUN"' EXIT

child='' asked=''
pass_on() {
  asked=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true
}
trap pass_on TERM INT

# Start "$@" and wait until it has ended; its exit code is left in $code. A signal ends `wait` too soon.
run() {
  setsid "$@" &
  child=$!
  [ -z "$asked" ] || pass_on
  # Bash's own word on a child that was killed is no line of the log.
  while kill -0 "$child" 2>/dev/null; do wait "$child" 2>/dev/null || true; done
  code=0
  wait "$child" 2>/dev/null || code=$?
}

# Kill what the session of the dead $child still runs: yt-dlp and ffmpeg have groups of their own.
end_session() {
  local stat line fields
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue # it has ended meanwhile
    read -r -a fields <<<"${line##*) }"                # after the name, which may hold blanks: state ppid group session
    [ "${fields[3]-}" != "$child" ] || kill -KILL "${stat//[!0-9]/}" 2>/dev/null || true
  done
}

run "$python" -m s3torrent.recorder "$@"
first=$code
if [ "$first" -gt 128 ]; then
  end_session
  end_session # and what the first time was just being started
  run "$python" -m s3torrent.recorder --after-kill $((first - 128)) "$@"
fi
exit "$first"
