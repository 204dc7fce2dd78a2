# shellcheck shell=bash
# What runs: role, layer, function, event source mapping. Sourced by s3-torrent-lambda-setup.sh.

readonly layer_name=transmission-tools
readonly layer_runtimes="python3.8 python3.9 python3.10 python3.11 python3.12 python3.13"

check_archives() {
  local mend="name another in FUNCTION_ZIP, or leave that unset"
  if [ ! -e "$FUNCTION_ZIP" ]; then
    [ "$FUNCTION_ZIP" = "$top/dist/s3torrent-lambda.zip" ] ||
      critical "$FUNCTION_ZIP: not there: $mend"
    note "$FUNCTION_ZIP is not there: make package"
    command -v make >/dev/null || critical "$FUNCTION_ZIP: not there, and no make on PATH: install make"
    make -C "$top" package >"$tmp/make" 2>&1 ||
      critical "$FUNCTION_ZIP: make package failed: $(why_make): put that right, or run make package by hand"
  elif [ -n "$(find "$top/src/s3torrent" -name '*.py' -newer "$FUNCTION_ZIP" -print -quit 2>/dev/null)" ]; then
    note "$FUNCTION_ZIP is older than the source: run make package to deploy what is there now"
  fi
  [ "$FUNCTION_ZIP" != "$top/dist/s3torrent-lambda.zip" ] || mend="remove it and run make package"
  function_digest=$(helper archive "$FUNCTION_ZIP" s3torrent/lambda_handler.py) ||
    critical "$FUNCTION_ZIP: $(said): $mend"
  if [ ! -e "$LAYER_ZIP" ]; then
    layer_problem "$LAYER_ZIP is not there" "run"
  else
    layer_digest=$(helper archive "$LAYER_ZIP" bin/transmission-create) ||
      layer_problem "$LAYER_ZIP $(said)" "make it again with"
  fi
}

# What the failing command said last; of make's own lines only one that names what it cannot make.
why_make() {
  awk '/^make(\[[0-9]+\])?: / { if (/\*\*\*/) rule = $0; next } NF { last = $0 }
    END { print last ? last : rule ? rule : "it says nothing" }' "$tmp/make"
}

layer_problem() {
  if needs_layer; then
    critical "layer $layer_name: $1, and TORRENT_ENGINE is transmission: $2 util/build-transmission-lambda-layer.sh," \
      "or name the program in TRANSMISSION_CREATE"
  fi
  note "layer $layer_name: $1; TORRENT_ENGINE=$TORRENT_ENGINE does without"
}

needs_layer() { [ "$TORRENT_ENGINE" = transmission ] && [ -z "${TRANSMISSION_CREATE:-}" ]; }

# A stack without IAM takes any role's name.
set_role() {
  local what="role $FUNCTION_NAME" account=${queue_arn%:*} new=''
  role_arn=arn:aws:iam::${account##*:}:role/$FUNCTION_NAME
  if ! call iam get-role-policy --role-name "$FUNCTION_NAME" --policy-name s3torrent --query PolicyDocument \
    --output json >"$tmp/there"; then
    : >"$tmp/there"
    ensure_role || { failed "$what: $(why)" && return; }
  fi
  document rights "$S3_BUCKET" "$DDB_TABLE" "$FUNCTION_NAME" "$queue_arn" <"$tmp/there" >"$tmp/wanted"
  if [ ! -s "$tmp/wanted" ]; then
    ok "$what: there already"
  elif call iam put-role-policy --role-name "$FUNCTION_NAME" --policy-name s3torrent \
    --policy-document "file://$tmp/wanted"; then
    made "$what: ${new:-updated}"
  else
    failed "$what: $(why)"
  fi
}

ensure_role() {
  absent && document trust </dev/null >"$tmp/trust" || return
  if call iam create-role --role-name "$FUNCTION_NAME" --assume-role-policy-document "file://$tmp/trust" >/dev/null; then
    new=created
  else
    grep -qF '(EntityAlreadyExists)' "$tmp/error"
  fi
}

set_layer() {
  local arn version digest
  [ -n "$layer_digest" ] || return 0
  if ! publish_layer; then
    ! needs_layer || critical "layer $layer_name: $(why)"
    failed "layer $layer_name: $(why)"
    return
  fi
  if [ "$TORRENT_ENGINE" = transmission ]; then layer_arn=$arn; fi
  case $stack in
    LocalStack*community*)
      ! needs_layer || [[ $mounts == *:/opt* ]] ||
        failed "layer $layer_name: LocalStack's community edition does not mount layers, so transmission-create will be" \
          "missing: unzip $LAYER_ZIP into a folder, and start LocalStack with LAMBDA_DOCKER_FLAGS='-v FOLDER:/opt'"
      ;;
  esac
}

# Only where the content is new; its ARN in $arn.
publish_layer() {
  read -r arn version < <(call lambda list-layer-versions --layer-name "$layer_name" \
    --query 'LayerVersions[0].[LayerVersionArn, Version]' --output text || printf 'None\n') || true
  if [[ ${version:-None} != None ]]; then
    digest=$(call lambda get-layer-version --layer-name "$layer_name" --version-number "$version" \
      --query Content.CodeSha256 --output text) || return
    if [ "$digest" = "$layer_digest" ]; then
      ok "layer $layer_name: there already"
      return
    fi
  fi
  # shellcheck disable=SC2086 # one word per runtime
  arn=$(call lambda publish-layer-version --layer-name "$layer_name" \
    --description "Lambda layer with transmission-cli tools" --compatible-runtimes $layer_runtimes \
    --zip-file "fileb://$LAYER_ZIP" --query LayerVersionArn --output text) || return
  made "layer $layer_name: published"
}

set_function() {
  local what="function $FUNCTION_NAME" mend="put that right, then run this again" there=yes updated=()
  call lambda get-function-configuration --function-name "$FUNCTION_NAME" --output json >"$tmp/there" || {
    absent || critical "$what: $(why)"
    there=''
    : >"$tmp/there"
  }
  document function "$FUNCTION_NAME" "$role_arn" "$function_endpoint" "$layer_arn" <"$tmp/there" >"$tmp/wanted" ||
    critical "$what: $(said)"
  if [ -z "$there" ]; then
    change State function-active-v2 create-function \
      --cli-input-json "file://$tmp/wanted" --zip-file "fileb://$FUNCTION_ZIP" ||
      critical "$what: not created: $(why "$mend")"
    made "$what: created"
    return
  fi
  if ! grep -qF "\"$function_digest\"" "$tmp/there"; then
    change LastUpdateStatus function-updated-v2 update-function-code \
      --function-name "$FUNCTION_NAME" --zip-file "fileb://$FUNCTION_ZIP" ||
      critical "$what: its code was not updated: $(why "$mend")"
    updated+=(code)
  fi
  if [ -s "$tmp/wanted" ]; then
    change LastUpdateStatus function-updated-v2 update-function-configuration \
      --cli-input-json "file://$tmp/wanted" ||
      critical "$what: its configuration was not updated: $(why "$mend")"
    updated+=(configuration)
  fi
  if [ ${#updated[@]} -gt 0 ]; then made "$what: updated (${updated[*]})"; else ok "$what: there already"; fi
}

# change FIELD WAITER CALL...: do it, and wait until it holds, which FIELD of the answer tells.
change() {
  local field=$1 waiter=$2 state
  shift 2
  state=$(call lambda "$@" --query "$field" --output text) || return
  case $state in
    Active | Successful) ;;
    *) call lambda wait "$waiter" --function-name "$FUNCTION_NAME" ;;
  esac
}

# One object an invocation, so that none eats the time of another; two at once, the fewest AWS allows.
set_mapping() {
  local what="event source mapping $QUEUE_NAME -> $FUNCTION_NAME" ours='' differs=''
  local uuid arn batch response concurrency state
  local settings=(--batch-size 1 --function-response-types ReportBatchItemFailures
    --scaling-config MaximumConcurrency=2 --enabled)
  call lambda list-event-source-mappings --event-source-arn "$queue_arn" --query "EventSourceMappings[].[
    UUID, FunctionArn, BatchSize, FunctionResponseTypes[0], ScalingConfig.MaximumConcurrency, State]" \
    --output text >"$tmp/there" || critical "$what: $(why)"
  while read -r uuid arn batch response concurrency state; do
    if [[ $arn != *":function:$FUNCTION_NAME" ]]; then
      failed "$what: the queue also feeds $arn, which takes events from us: name another in QUEUE_NAME, or delete" \
        "that (aws --endpoint-url=$endpoint lambda delete-event-source-mapping --uuid $uuid)"
      continue
    fi
    ours=$uuid
    [[ $batch,$response,$concurrency == 1,ReportBatchItemFailures,2 && $state != Disabl* ]] || differs=yes
  done <"$tmp/there"
  if [ -z "$ours" ]; then
    call lambda create-event-source-mapping --function-name "$FUNCTION_NAME" --event-source-arn "$queue_arn" \
      "${settings[@]}" >/dev/null || critical "$what: $(why)"
    made "$what: created"
  elif [ -n "$differs" ]; then
    call lambda update-event-source-mapping --uuid "$ours" "${settings[@]}" >/dev/null || critical "$what: $(why)"
    made "$what: updated"
  else
    ok "$what: there already"
  fi
}
