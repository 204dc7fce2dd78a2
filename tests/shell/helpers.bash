# What the bats files share. test_shell.py runs them and gives: FUNCTION_ZIP, MINISTACK (an endpoint), and on PATH a
# python3 with boto3 and the AWS CLI.

ROOT=$(cd -- "$BATS_TEST_DIRNAME/../.." && pwd)
SETUP=$ROOT/docker/localstack/s3-torrent-lambda-setup.sh
STAND_INS=$BATS_TEST_DIRNAME/stand-ins
RECORDED=$BATS_TEST_DIRNAME/recorded

# The programs that these stand in for come first on PATH; $CALLS holds what they were asked.
stand_in() {
  local program
  export CALLS=$BATS_TEST_TMPDIR/calls ANSWERS=$BATS_TEST_TMPDIR/answers
  mkdir -p "$BATS_TEST_TMPDIR/bin" "$ANSWERS"
  : >"$CALLS"
  for program in "$@"; do ln -sf "$STAND_INS/$program" "$BATS_TEST_TMPDIR/bin/$program"; done
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# LocalStack's, for the whole of a file; its port is $PORT.
start_health_page() {
  python3 "$STAND_INS/health.py" >"$BATS_FILE_TMPDIR/port" 3>&- &
  echo $! >"$BATS_FILE_TMPDIR/pid"
  until [ -s "$BATS_FILE_TMPDIR/port" ]; do sleep 0.05; done
  PORT=$(cat "$BATS_FILE_TMPDIR/port")
  export PORT
}

stop_health_page() { kill "$(cat "$BATS_FILE_TMPDIR/pid")"; }

# A stack on which everything is to be made or mended, by the stand-in for the AWS CLI.
answers_of_a_stack() {
  cat >"$ANSWERS/dynamodb.describe-table" <<'END'
{"Table": {"AttributeDefinitions": [{"AttributeName": "jobId", "AttributeType": "S"}],
  "KeySchema": [{"AttributeName": "jobId", "KeyType": "HASH"}]}}
END
  printf 'http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/%s\t' s3torrent s3torrent-dlq \
    >"$ANSWERS/sqs.list-queues"
  echo None >"$ANSWERS/lambda.invoke"
  printf 'COMPLETED\tNone\tNone\n' >"$ANSWERS/dynamodb.get-item"
}

# A layer of few bytes: its program is the one of this machine.
make_layer() {
  python3 - "$1" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as layer:
    program = zipfile.ZipInfo("bin/transmission-create")
    program.external_attr = 0o755 << 16
    layer.writestr(program, '#!/bin/sh\nexec /usr/bin/transmission-create "$@"\n')
END
}

has_line() {
  grep -qF -- "$1" <<<"$output" || { printf 'missing: %s\nin:\n%s\n' "$1" "$output" && return 1; }
}

lacks() {
  ! grep -qF -- "$1" <<<"$output" || { printf 'not expected: %s\nin:\n%s\n' "$1" "$output" && return 1; }
}

was_asked() {
  grep -qF -- "$1" "$CALLS" || { printf 'not asked: %s\nbut:\n%s\n' "$1" "$(cat "$CALLS")" && return 1; }
}

# In a document that a file:// of the command line named.
was_handed() {
  grep -qF -- "$1" "$CALLS.documents" || { printf 'not handed over: %s\nbut:\n%s\n' "$1" "$(cat "$CALLS.documents")" && return 1; }
}

was_not_asked() {
  ! grep -qF -- "$1" "$CALLS" || { printf 'asked: %s\n' "$(grep -F -- "$1" "$CALLS")" && return 1; }
}

ends_with() {
  [ "$status" -eq "$1" ] || { printf 'exit code %s, expected %s:\n%s\n' "$status" "$1" "$output" && return 1; }
}
