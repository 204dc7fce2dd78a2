# shellcheck shell=bash
# Whether what was set up works. Sourced by s3-torrent-lambda-setup.sh.

readonly probe_looks=60 # each takes about a second

# What it cannot run with is told now, and the first upload finds it warm.
try_function() {
  local error
  printf '{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "%s"}' "$S3_BUCKET" >"$tmp/event"
  error=$(call lambda invoke --function-name "$FUNCTION_NAME" --payload "fileb://$tmp/event" "$tmp/answer" \
    --query FunctionError --output text) || {
    critical "function $FUNCTION_NAME: it cannot be called: $(why)"
  }
  case $error in
    None | "") ok "function $FUNCTION_NAME: it answers" ;;
    *) critical "function $FUNCTION_NAME: it does not run: $(document message <"$tmp/answer"): correct the settings" \
      "(docs/configuration.md)" ;;
  esac
}

# Whether its program is there and works only the function knows, and tells of an object that it is given: a probe,
# by the way of every upload, which is removed again. Where that fails its event comes back, and notes that it is gone.
try_engine() {
  local what="function $FUNCTION_NAME" status message hint tries=0
  [ "$TORRENT_ENGINE" = transmission ] || return 0
  if [ -n "${TORRENT_INCLUDE:-}${TORRENT_EXCLUDE:-}" ]; then
    note "$what: not tried on an object, which TORRENT_INCLUDE and TORRENT_EXCLUDE may leave out"
    return
  fi
  probe=s3torrent-setup-probe-$$-$RANDOM
  probe_item="{\"jobId\": {\"S\": \"s3://$S3_BUCKET/$probe\"}}"
  printf 'probe\n' >"$tmp/probe"
  call s3api put-object --bucket "$S3_BUCKET" --key "$probe" --body "$tmp/probe" >/dev/null ||
    critical "$what: no probe could be uploaded: $(why)"
  while [ $((tries += 1)) -le $probe_looks ]; do
    IFS=$'\t' read -r status message hint < <(call dynamodb get-item --table-name "$DDB_TABLE" --key "$probe_item" \
      --consistent-read --query "Item.[status.S, error.M.message.S, error.M.hint.S]" --output text) || true
    case ${status:-} in
      COMPLETED) ok "$what: it made a torrent with transmission-create" && return ;;
      FAILED | SKIPPED) critical "$what: it cannot make a torrent: $message: $hint" ;;
    esac
    sleep 0.5
  done
  critical "$what: it made no torrent of s3://$S3_BUCKET/$probe in time: look at the log of the stack"
}

forget_probe() {
  [ -n "$probe" ] || return 0
  call s3api delete-objects --bucket "$S3_BUCKET" \
    --delete "Objects=[{Key=$probe},{Key=$probe.torrent}]" >/dev/null || true
  call dynamodb delete-item --table-name "$DDB_TABLE" --key "$probe_item" || true
}
