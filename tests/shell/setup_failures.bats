# What fails is told with its cause and its mend, and goes on where it can: with a stand-in for the AWS CLI.

load helpers

setup_file() { start_health_page; }
teardown_file() { stop_health_page; }

setup() {
  stand_in aws
  answers_of_a_stack
  export AWS_ENDPOINT_URL=http://localhost:$PORT FUNCTION_ENDPOINT=http://172.20.0.2:4566
  export LAYER_ZIP=$BATS_TEST_TMPDIR/layer.zip
}

fails() { echo "An error occurred ($2) when calling the $3 operation: $4" >"$ANSWERS/$1.error"; }

@test "--help tells every setting that is read" {
  run "$SETUP" --help
  ends_with 0
  for name in AWS_ENDPOINT_URL ENDPOINT S3_BUCKET DDB_TABLE QUEUE_NAME FUNCTION_NAME FUNCTION_TIMEOUT FUNCTION_MEMORY \
    FUNCTION_ZIP FUNCTION_ENDPOINT LAYER_ZIP TORRENT_ENGINE TORRENT_WEB_SEEDS TRACKERS TRANSMISSION_CREATE AWS_REGION; do
    has_line "$name"
  done
}

@test "wrong usage ends with 2 before anything is called" {
  run "$SETUP" --wrong
  ends_with 2
  for setting in TORRENT_ENGINE=rtorrent FUNCTION_TIMEOUT=901 FUNCTION_MEMORY=much FUNCTION_MEMORY=99999 FUNCTION_MEMORY=100 \
    DDB_TABLE=ab DDB_TABLE=a/table AWS_ENDPOINT_URL=localhost \
    AWS_ENDPOINT_URL=https://s3.amazonaws.com; do
    run env "$setting" "$SETUP"
    ends_with 2
    has_line "s3-torrent-lambda-setup: ${setting%%=*} is"
  done
  was_not_asked aws
}

@test "dummy credentials are used where there are none, and the two commands to try stand at the end" {
  S3_BUCKET=other run "$SETUP"
  ends_with 0
  [ "$(cat "$CALLS.key")" = test ]
  has_line "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1"
  has_line "aws --endpoint-url=$AWS_ENDPOINT_URL s3 cp test-file.txt s3://other/"
  [ "${lines[-1]}" = "  aws --endpoint-url=$AWS_ENDPOINT_URL s3 ls s3://other/" ]
}

@test "credentials that are there are used, and the function's settings handed over" {
  export TRACKERS=udp://tracker.example:80 TORRENT_COMMENT='é "1"' TORRENT_SOURCE=
  AWS_ACCESS_KEY_ID=mine AWS_SECRET_ACCESS_KEY=secret run "$SETUP"
  ends_with 0
  [ "$(cat "$CALLS.key")" = mine ]
  lacks "export AWS_ACCESS_KEY_ID"
  was_handed '"TRACKERS": "udp://tracker.example:80"'
  was_handed '"TORRENT_COMMENT": "\u00e9 \"1\""'
  was_handed '"DDB_TABLE": "s3torrent"'
  [ "$(grep -cE 'TORRENT_SOURCE|AWS_ACCESS_KEY_ID' "$CALLS.documents")" -eq 0 ]
}

@test "without the AWS CLI or awk one line says what to install" {
  mkdir "$BATS_TEST_TMPDIR/few"
  for program in bash env dirname readlink mktemp rm; do ln -s "$(command -v $program)" "$BATS_TEST_TMPDIR/few/"; done
  mkdir -p "$BATS_TEST_TMPDIR/top/docker"
  cp -r "$ROOT/docker/localstack" "$BATS_TEST_TMPDIR/top/docker/"
  PATH=$BATS_TEST_TMPDIR/few run "$BATS_TEST_TMPDIR/top/docker/localstack/s3-torrent-lambda-setup.sh"
  ends_with 4
  has_line "[FAILED] aws: not on PATH: install the AWS CLI"
  ln -s "$STAND_INS/aws" "$BATS_TEST_TMPDIR/few/"
  PATH=$BATS_TEST_TMPDIR/few run "$BATS_TEST_TMPDIR/top/docker/localstack/s3-torrent-lambda-setup.sh"
  ends_with 4
  [ "${lines[0]}" = "[FAILED] awk: not on PATH: install it (mawk or gawk)" ]
}

@test "a bucket whose name is taken or that may not be read ends it at once" {
  fails s3api.get-bucket-notification-configuration NoSuchBucket GetBucketNotificationConfiguration "The specified bucket does not exist"
  fails s3api.create-bucket BucketAlreadyExists CreateBucket "The requested bucket name is not available."
  run "$SETUP"
  ends_with 4
  has_line "[FAILED] bucket chronicle-recordings-dev: An error occurred (BucketAlreadyExists) when calling the CreateBucket operation: The requested bucket name is not available.: name another in S3_BUCKET"

  fails s3api.get-bucket-notification-configuration AccessDenied GetBucketNotificationConfiguration "Access Denied"
  run "$SETUP"
  ends_with 4
  has_line "[FAILED] bucket chronicle-recordings-dev: An error occurred (AccessDenied) when calling the GetBucketNotificationConfiguration operation: Access Denied: allow this for the credentials in use"
  was_not_asked sqs
}

@test "a table of another schema ends it, with what was found and expected" {
  cat >"$ANSWERS/dynamodb.describe-table" <<'END'
{"Table": {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}, {"AttributeName": "at", "AttributeType": "S"}],
  "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]}}
END
  DDB_TABLE=jobs run "$SETUP"
  ends_with 4
  has_line "[FAILED] table jobs: it has the key id (N, HASH), at (S, RANGE), expected jobId (S, HASH): name another in DDB_TABLE, or delete this one (aws --endpoint-url=$AWS_ENDPOINT_URL dynamodb delete-table --table-name jobs)"
}

@test "a stack without IAM is set up all the same, and the end tells what failed" {
  fails iam.get-role-policy InternalFailure GetRolePolicy "Service 'iam' is not enabled. Please check your 'SERVICES' configuration variable."
  run "$SETUP"
  ends_with 1
  has_line "[FAILED] role s3torrent: An error occurred (InternalFailure)"
  has_line "add the service to SERVICES of the stack, and start it again"
  has_line "[ok]     notification"
  has_line "1 failed:"
}

@test "a dead-letter queue that cannot be had stops nothing" {
  printf 'http://localhost:4566/000000000000/s3torrent\thttp://localhost:4566/000000000000/s3torrent-other\n' >"$ANSWERS/sqs.list-queues"
  fails sqs.create-queue AccessDenied CreateQueue "User is not authorized to perform: sqs:CreateQueue on resource: s3torrent-dlq"
  run "$SETUP"
  ends_with 1
  has_line "[FAILED] queue s3torrent-dlq: An error occurred (AccessDenied) when calling the CreateQueue operation: User is not authorized to perform: sqs:CreateQueue on resource: s3torrent-dlq: allow this for the credentials in use"
  has_line "[ok]     queue s3torrent: updated"
  has_line "[ok]     notification"
  has_line "1 failed:"
}

@test "a function whose update fails ends it with the cause and the mend" {
  fails lambda.update-function-code ResourceConflictException UpdateFunctionCode "An update is in progress for resource: s3torrent"
  echo '{"Handler": "s3torrent.lambda_handler.handler", "CodeSha256": "other"}' >"$ANSWERS/lambda.get-function-configuration"
  run "$SETUP"
  ends_with 4
  has_line "[FAILED] function s3torrent: its code was not updated: An error occurred (ResourceConflictException)"
  has_line "another change is under way; run this again in a moment"
  was_not_asked update-function-configuration
}

@test "another's function under our name is left alone" {
  echo '{"Handler": "index.handler", "CodeSha256": "other"}' >"$ANSWERS/lambda.get-function-configuration"
  run "$SETUP"
  ends_with 4
  has_line "[FAILED] function s3torrent: is not ours: its handler is index.handler, expected s3torrent.lambda_handler.handler: name another in FUNCTION_NAME"
  was_not_asked update-function
}

@test "a function that does not run is told with its own words" {
  echo Unhandled >"$ANSWERS/lambda.invoke"
  echo '{"errorMessage": "TRACKERS: x is no URL", "errorType": "ConfigError"}' >"$ANSWERS/lambda.invoke.payload"
  run "$SETUP"
  ends_with 4
  has_line "[FAILED] function s3torrent: it does not run: TRACKERS: x is no URL: correct the settings (docs/configuration.md)"
  has_line "s3torrent is not set up at"
  lacks "Try it"
}

@test "a function that cannot be called does not count as set up" {
  fails lambda.invoke ServiceException Invoke "Internal error while executing lambda"
  run "$SETUP"
  ends_with 4
  has_line "[FAILED] function s3torrent: it cannot be called: An error occurred (ServiceException)"
  lacks "Try it"
}

@test "a function that cannot make a torrent with transmission-create is told with its own words, and the probe removed" {
  make_layer "$LAYER_ZIP"
  printf 'FAILED\ttransmission-create is neither on PATH nor at /opt/bin\tattach the layer\n' >"$ANSWERS/dynamodb.get-item"
  TORRENT_ENGINE=transmission run "$SETUP"
  ends_with 4
  has_line "[FAILED] function s3torrent: it cannot make a torrent: transmission-create is neither on PATH nor at /opt/bin: attach the layer"
  has_line "s3torrent is not set up at"
  lacks "Try it"
  probe=$(grep -oE 's3torrent-setup-probe-[0-9-]+' "$CALLS" | sort -u)
  was_asked "put-object --bucket chronicle-recordings-dev --key $probe --body"
  was_asked "--delete Objects=[{Key=$probe},{Key=$probe.torrent}]"
  was_asked "delete-item --table-name s3torrent --key {\"jobId\": {\"S\": \"s3://chronicle-recordings-dev/$probe\"}}"
}

@test "no probe is uploaded for the native engine, nor where a pattern may leave it out" {
  run "$SETUP"
  ends_with 0
  TORRENT_ENGINE=transmission TRANSMISSION_CREATE=/usr/bin/transmission-create TORRENT_INCLUDE='shows/*' run "$SETUP"
  ends_with 0
  has_line "[note]   function s3torrent: not tried on an object, which TORRENT_INCLUDE and TORRENT_EXCLUDE may leave out"
  was_not_asked put-object
}

@test "an unknown AWS_PROFILE is told as such" {
  echo "The config profile (nobody) could not be found" >"$ANSWERS/s3api.get-bucket-notification-configuration.error"
  AWS_PROFILE=nobody run "$SETUP"
  ends_with 4
  has_line "The config profile (nobody) could not be found: name another in AWS_PROFILE, or unset it"
}

@test "a name that the AWS CLI refuses is a setting to correct" {
  printf 'Parameter validation failed:\nInvalid bucket name "A B": Bucket name must match the regex\n' >"$ANSWERS/s3api.get-bucket-notification-configuration.error"
  S3_BUCKET='A B' run "$SETUP"
  ends_with 4
  has_line "correct that setting; --help lists them"
}

@test "a file that is no zip and not ours to remove is not to be removed" {
  FUNCTION_ZIP=/etc/passwd run "$SETUP"
  ends_with 4
  has_line "[FAILED] /etc/passwd: cannot be read: File is not a zip file: name another in FUNCTION_ZIP, or leave that unset"
  was_not_asked aws
}

@test "a temporary folder that is not there is told with the mend, and nothing else" {
  TMPDIR=$BATS_TEST_TMPDIR/none run "$SETUP"
  ends_with 4
  [ "${lines[0]}" = "[FAILED] temporary folder $BATS_TEST_TMPDIR/none: it is not there or cannot be written: set TMPDIR to another" ]
  lacks mktemp
  was_not_asked aws
}

@test "it works through a link from another folder" {
  ln -s "$SETUP" "$BATS_TEST_TMPDIR/link"
  cd "$BATS_TEST_TMPDIR"
  run ./link
  ends_with 0
  has_line "[ok]     function s3torrent"
}

@test "a queue that also feeds another function is told, with the command that mends it" {
  printf '%s\t%s\t10\tNone\tNone\tEnabled\n' 11-22 arn:aws:lambda:us-east-1:000000000000:function:thief >"$ANSWERS/lambda.list-event-source-mappings"
  run "$SETUP"
  ends_with 1
  has_line "the queue also feeds arn:aws:lambda:us-east-1:000000000000:function:thief"
  has_line "delete-event-source-mapping --uuid 11-22"
  was_asked create-event-source-mapping
}

our_mapping() {
  printf '11-22\tarn:aws:lambda:us-east-1:000000000000:function:s3torrent\t%s\n' "$1" >"$ANSWERS/lambda.list-event-source-mappings"
}

@test "a mapping of ours without partial failures is mended" {
  our_mapping $'1\tNone\t2\tEnabled'
  run "$SETUP"
  was_asked "update-event-source-mapping --uuid 11-22 --batch-size 1 --function-response-types ReportBatchItemFailures"
}

@test "a mapping of ours that is disabled is enabled" {
  our_mapping $'1\tReportBatchItemFailures\t2\tDisabled'
  run "$SETUP"
  was_asked "update-event-source-mapping --uuid 11-22"
}

@test "a notification that overlaps another's is told with what to do" {
  fails s3api.put-bucket-notification-configuration InvalidArgument PutBucketNotificationConfiguration "Configurations overlap. Configurations on the same bucket cannot share a common event type."
  run "$SETUP"
  ends_with 4
  has_line "another notification may overlap it; give that one a prefix or suffix, or remove it"
}

@test "the transmission engine without its layer is refused before anything is touched" {
  TORRENT_ENGINE=transmission run "$SETUP"
  ends_with 4
  has_line "[FAILED] layer transmission-tools: $LAYER_ZIP is not there, and TORRENT_ENGINE is transmission: run util/build-transmission-lambda-layer.sh, or name the program in TRANSMISSION_CREATE"
  was_not_asked aws
}

@test "a layer without the program is refused with the transmission engine, and told of without" {
  (cd "$BATS_TEST_TMPDIR" && echo x >other && zip -q layer.zip other)
  TORRENT_ENGINE=transmission run "$SETUP"
  ends_with 4
  has_line "[FAILED] layer transmission-tools: $LAYER_ZIP holds no bin/transmission-create, and TORRENT_ENGINE is transmission: make it again with util/build-transmission-lambda-layer.sh"
  run "$SETUP"
  ends_with 0
  has_line "[note]   layer transmission-tools: $LAYER_ZIP holds no bin/transmission-create"
  was_not_asked publish-layer-version
}

@test "a program named in TRANSMISSION_CREATE needs no layer" {
  TORRENT_ENGINE=transmission TRANSMISSION_CREATE=/usr/bin/transmission-create run "$SETUP"
  ends_with 0
}

@test "the function's zip is made where it is missing; a failing make is told" {
  local top=$BATS_TEST_TMPDIR/top
  mkdir -p "$top/docker"
  cp -r "$ROOT/docker/localstack" "$top/docker/"
  cat >"$BATS_TEST_TMPDIR/bin/make" <<'END'
#!/bin/sh
echo "make $*" >>"$CALLS"
mkdir -p "$2/dist" && cp "$ZIP" "$2/dist/s3torrent-lambda.zip"
END
  chmod +x "$BATS_TEST_TMPDIR/bin/make"
  ZIP=$FUNCTION_ZIP run env -u FUNCTION_ZIP "$top/docker/localstack/s3-torrent-lambda-setup.sh"
  ends_with 0
  was_asked "make -C $top package"
  rm -r "$top/dist"
  rm "$BATS_TEST_TMPDIR/bin/make"
  run env -u FUNCTION_ZIP "$top/docker/localstack/s3-torrent-lambda-setup.sh"
  ends_with 4
  has_line "make package failed: make: *** No rule to make target 'package'.  Stop.: put that right"
  printf 'package:\n\t@echo fetching\n\t@echo "ERROR: no matching wheel" >&2; false\n' >"$top/Makefile"
  run env -u FUNCTION_ZIP "$top/docker/localstack/s3-torrent-lambda-setup.sh"
  ends_with 4
  has_line "make package failed: ERROR: no matching wheel: put that right, or run make package by hand"
}
