#!/usr/bin/env bash
# Set s3torrent up on a local stack, LocalStack or MiniStack. Run again on what exists, it mends what differs and
# leaves the rest, other people's notifications and statements too. AWS itself is set up by Terraform
# (terraform/backend).
set -euo pipefail

here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
readonly here top=${here%/*/*}

# shellcheck source=setup/report.sh
. "$here/setup/report.sh"
# shellcheck source=setup/endpoint.sh
. "$here/setup/endpoint.sh"
# shellcheck source=setup/stores.sh
. "$here/setup/stores.sh"
# shellcheck source=setup/function.sh
. "$here/setup/function.sh"
# shellcheck source=setup/trial.sh
. "$here/setup/trial.sh"

usage() {
  cat <<'END'
usage: docker/localstack/s3-torrent-lambda-setup.sh [--help]

Makes or mends, on a local stack: bucket, queue, dead-letter queue, table, role, layer, function, event source
mapping, notification. Needs the AWS CLI (1 or 2) and python3. Settings are environment variables:

  AWS_ENDPOINT_URL     http://localhost:4566           the stack, as this machine reaches it; also ENDPOINT
  S3_BUCKET            chronicle-recordings-dev
  DDB_TABLE            s3torrent
  QUEUE_NAME           s3torrent                       its dead-letter queue is QUEUE_NAME-dlq
  FUNCTION_NAME        s3torrent                       also the name of its role
  FUNCTION_TIMEOUT     60                              seconds; the queue's visibility timeout is six times that
  FUNCTION_MEMORY      1769                            MB
  FUNCTION_ZIP         dist/s3torrent-lambda.zip       made by `make package` where it is missing
  FUNCTION_ENDPOINT    found by asking Docker          the stack, as the function reaches it
  LAYER_ZIP            terraform/backend/lambda/transmission_tools_layer.zip
  TORRENT_ENGINE       native                          or transmission, which needs the layer
  TORRENT_WEB_SEEDS    AWS_ENDPOINT_URL/{bucket}/{key} empty: none
  TRACKERS, TRANSMISSION_CREATE and every other TORRENT_*: handed to the function as they are
                       (docs/configuration.md)
  AWS_REGION           us-east-1
  AWS_ACCESS_KEY_ID    test                            with AWS_SECRET_ACCESS_KEY, where neither it nor
                                                       AWS_PROFILE is set

Exit code: 0 all is well; 1 it works, but something failed; 2 wrong usage; 4 it does not work.
END
}

misused() {
  printf 's3-torrent-lambda-setup: %s\n' "$*" >&2
  exit 2
}

hint() {
  printf '\n'
  if [ $changes -gt 0 ]; then
    printf 's3torrent is set up at %s: %s made or changed.' "$endpoint" "$changes"
  else
    printf 's3torrent is set up at %s: nothing was changed.' "$endpoint"
  fi
  printf ' Try it:\n\n'
  [ -z "$dummy" ] || printf '  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=%s\n' \
    test test "$region"
  printf '  aws --endpoint-url=%s s3 cp test-file.txt s3://%s/\n' "$endpoint" "$S3_BUCKET"
  printf '  aws --endpoint-url=%s s3 ls s3://%s/\n' "$endpoint" "$S3_BUCKET"
}

case ${1:-} in
  "") ;;
  -h | --help) usage && exit 0 ;;
  *) misused "unknown argument: $1; --help tells the settings" ;;
esac

endpoint=${AWS_ENDPOINT_URL:-${ENDPOINT:-http://localhost:4566}}
endpoint=${endpoint%/}
[[ $endpoint =~ ^(https?)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(:([0-9]+))?$ ]] ||
  misused "AWS_ENDPOINT_URL is '$endpoint'; expected http://HOST:PORT"
scheme=${BASH_REMATCH[1]} host=${BASH_REMATCH[2]} port=${BASH_REMATCH[4]}
if [ -z "$port" ]; then case $scheme in http) port=80 ;; https) port=443 ;; esac; fi
[[ $host != *amazonaws.com ]] || misused "AWS_ENDPOINT_URL is AWS itself; terraform/backend sets that up"
function_endpoint=${FUNCTION_ENDPOINT:-}
export S3_BUCKET=${S3_BUCKET:-chronicle-recordings-dev} DDB_TABLE=${DDB_TABLE:-s3torrent}
QUEUE_NAME=${QUEUE_NAME:-s3torrent} FUNCTION_NAME=${FUNCTION_NAME:-s3torrent}
export FUNCTION_TIMEOUT=${FUNCTION_TIMEOUT:-60} FUNCTION_MEMORY=${FUNCTION_MEMORY:-1769}
FUNCTION_ZIP=${FUNCTION_ZIP:-$top/dist/s3torrent-lambda.zip}
LAYER_ZIP=${LAYER_ZIP:-$top/terraform/backend/lambda/transmission_tools_layer.zip}
export TORRENT_ENGINE=${TORRENT_ENGINE:-native} TORRENT_WEB_SEEDS=${TORRENT_WEB_SEEDS-"$endpoint/{bucket}/{key}"}
[[ $DDB_TABLE =~ ^[A-Za-z0-9_.-]{3,255}$ ]] ||
  misused "DDB_TABLE is '$DDB_TABLE'; expected 3 to 255 of A-Z a-z 0-9 _ - ."
case $TORRENT_ENGINE in
  native | transmission) ;;
  *) misused "TORRENT_ENGINE is '$TORRENT_ENGINE'; expected native or transmission" ;;
esac
[[ $FUNCTION_TIMEOUT =~ ^[1-9][0-9]{0,2}$ && $FUNCTION_TIMEOUT -le 900 ]] ||
  misused "FUNCTION_TIMEOUT is '$FUNCTION_TIMEOUT'; expected 1 to 900 seconds"
[[ $FUNCTION_MEMORY =~ ^[1-9][0-9]{2,4}$ && $FUNCTION_MEMORY -ge 128 && $FUNCTION_MEMORY -le 10240 ]] ||
  misused "FUNCTION_MEMORY is '$FUNCTION_MEMORY'; expected 128 to 10240 MB"

region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}} dummy=
export AWS_REGION=$region AWS_DEFAULT_REGION=$region AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true
if [ -z "${AWS_ACCESS_KEY_ID:-}${AWS_PROFILE:-}" ]; then
  dummy=yes
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
fi
# A proxy cannot reach this machine's own addresses.
export NO_PROXY=$host${NO_PROXY:+,$NO_PROXY} no_proxy=$host${no_proxy:+,$no_proxy}

tmp=$(mktemp -d 2>/dev/null) ||
  critical "temporary folder ${TMPDIR:-/tmp}: it is not there or cannot be written: set TMPDIR to another"
trap 'forget_probe; rm -rf -- "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
stack='' mounts='' layer_digest='' layer_arn='' probe='' probe_item='' queue_url='' dead_letter_url='' dead_letter_arn=''

check_tools
check_endpoint
check_archives
find_function_endpoint
set_bucket
set_table
find_queues
set_dead_letter_queue
set_queue
set_role
set_layer
set_function
set_mapping
set_notification
try_function
try_engine
hint
finish 0
