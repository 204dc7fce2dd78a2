# shellcheck shell=bash
# What objects, events and states lie in: bucket, queues, table. Sourced by s3-torrent-lambda-setup.sh.

# Reads its notifications on the way: a call of the AWS CLI takes half a second.
set_bucket() {
  local what="bucket $S3_BUCKET" where=()
  if call s3api get-bucket-notification-configuration --bucket "$S3_BUCKET" --output json >"$tmp/notification"; then
    ok "$what: there already"
    return
  fi
  absent || critical "$what: $(why "it may be another account's; name another in S3_BUCKET")"
  # us-east-1 is the one region that may not be named.
  [ "$region" = us-east-1 ] || where=(--create-bucket-configuration "LocationConstraint=$region")
  call s3api create-bucket --bucket "$S3_BUCKET" ${where[@]+"${where[@]}"} >/dev/null ||
    critical "$what: $(why "name another in S3_BUCKET")"
  made "$what: created"
}

find_queues() {
  local urls one
  urls=$(call sqs list-queues --queue-name-prefix "$QUEUE_NAME" --query 'QueueUrls' --output text) ||
    critical "queue $QUEUE_NAME: $(why)"
  for one in $urls; do
    case ${one##*/} in
      "$QUEUE_NAME") queue_url=$one ;;
      "$QUEUE_NAME-dlq") dead_letter_url=$one ;;
    esac
  done
}

create_queue() { call sqs create-queue --queue-name "$1" --query QueueUrl --output text; }

arn_of_queue() {
  local account=${1%/*}
  printf 'arn:aws:sqs:%s:%s:%s' "$region" "${account##*/}" "${1##*/}"
}

set_dead_letter_queue() {
  local what="queue $QUEUE_NAME-dlq"
  if [ -n "$dead_letter_url" ]; then
    ok "$what: there already"
  elif dead_letter_url=$(create_queue "$QUEUE_NAME-dlq"); then
    made "$what: created"
  else
    failed "$what: $(why)"
    return
  fi
  dead_letter_arn=$(arn_of_queue "$dead_letter_url")
}

set_queue() {
  local what="queue $QUEUE_NAME" how=updated
  : >"$tmp/there"
  if [ -n "$queue_url" ]; then
    call sqs get-queue-attributes --queue-url "$queue_url" --attribute-names All --output json >"$tmp/there" ||
      critical "$what: $(why)"
  else
    queue_url=$(create_queue "$QUEUE_NAME") || critical "$what: $(why)"
    how=created
  fi
  queue_arn=$(arn_of_queue "$queue_url")
  document queue "$S3_BUCKET" "$queue_arn" "$dead_letter_arn" <"$tmp/there" >"$tmp/wanted" || critical "$what: $(why)"
  if [ ! -s "$tmp/wanted" ]; then
    ok "$what: there already"
    return
  fi
  call sqs set-queue-attributes --queue-url "$queue_url" --attributes "file://$tmp/wanted" || critical "$what: $(why)"
  made "$what: $how"
}

set_table() {
  local what="table $DDB_TABLE" expected="jobId (S, HASH)" key status
  if call dynamodb describe-table --table-name "$DDB_TABLE" --output json >"$tmp/there"; then
    key=$(document key <"$tmp/there")
    [ "$key" = "$expected" ] ||
      critical "$what: it has the key $key, expected $expected: name another in DDB_TABLE, or delete" \
        "this one (aws --endpoint-url=$endpoint dynamodb delete-table --table-name $DDB_TABLE)"
    ok "$what: there already"
    return
  fi
  absent || critical "$what: $(why)"
  # The same as src/s3torrent/status/dynamodb_table.py makes on first use.
  status=$(call dynamodb create-table --table-name "$DDB_TABLE" --billing-mode PAY_PER_REQUEST \
    --key-schema AttributeName=jobId,KeyType=HASH \
    --attribute-definitions AttributeName=jobId,AttributeType=S \
    AttributeName=statusShard,AttributeType=S AttributeName=updatedAt,AttributeType=S \
    --global-secondary-indexes "IndexName=status-updatedAt,Projection={ProjectionType=ALL},KeySchema=[\
{AttributeName=statusShard,KeyType=HASH},{AttributeName=updatedAt,KeyType=RANGE}]" \
    --query TableDescription.TableStatus --output text) || grep -qF '(ResourceInUseException)' "$tmp/error" ||
    critical "$what: $(why)"
  [ "$status" = ACTIVE ] || call dynamodb wait table-exists --table-name "$DDB_TABLE" ||
    critical "$what: $(why)"
  made "$what: created"
  call dynamodb update-time-to-live --table-name "$DDB_TABLE" \
    --time-to-live-specification Enabled=true,AttributeName=expiresAt >/dev/null ||
    failed "$what: items that carry expiresAt will stay: $(why)"
}

# The call replaces the bucket's whole configuration: ours is added to what is there.
set_notification() {
  local what="notification $S3_BUCKET -> $QUEUE_NAME"
  document notification "$queue_arn" <"$tmp/notification" >"$tmp/wanted" || critical "$what: $(why)"
  if [ ! -s "$tmp/wanted" ]; then
    ok "$what: there already"
    return
  fi
  call s3api put-bucket-notification-configuration --bucket "$S3_BUCKET" \
    --notification-configuration "file://$tmp/wanted" ||
    critical "$what: $(why "another notification may overlap it; give that one a prefix or suffix, or remove it")"
  made "$what: configured, others kept"
}
