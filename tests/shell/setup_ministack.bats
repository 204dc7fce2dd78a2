# The set-up for real, on MiniStack and with the AWS CLI. Each test goes on where the one before has ended.

load helpers

setup() {
  export AWS_ENDPOINT_URL=$MINISTACK
  export LAYER_ZIP=$BATS_FILE_TMPDIR/layer.zip
  cd "$BATS_TEST_TMPDIR" || return
}

state() { AWS_ENDPOINT_URL=$MINISTACK python3 "$BATS_TEST_DIRNAME/state.py" "$@"; }

@test "the set-up makes everything" {
  run "$SETUP"
  ends_with 0
  lacks FAILED
  for thing in "bucket chronicle-recordings-dev" "table s3torrent" "queue s3torrent-dlq" "queue s3torrent" \
    "role s3torrent" "function s3torrent" "event source mapping s3torrent -> s3torrent"; do
    has_line "[ok]     $thing: created"
  done
  has_line "[ok]     notification chronicle-recordings-dev -> s3torrent: configured"
  has_line "[ok]     function s3torrent: it answers"
}

@test "the table is the one that the function would have made" {
  run state same-table s3torrent
  ends_with 0
}

@test "run again it reports that nothing was changed, and nothing was" {
  state all >before
  run "$SETUP"
  ends_with 0
  has_line "s3torrent is set up at $MINISTACK: nothing was changed."
  state all >after
  diff before after
}

@test "an upload is followed by its torrent, by the commands of the specification" {
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
  echo hello >test-file.txt
  aws --endpoint-url="$MINISTACK" s3 cp test-file.txt s3://chronicle-recordings-dev/
  for tries in $(seq 20); do
    run aws --endpoint-url="$MINISTACK" s3 ls s3://chronicle-recordings-dev/
    [[ $output != *" test-file.txt.torrent"* ]] || return 0
    sleep 0.5
  done
  echo "no torrent after $tries looks: $output" && return 1
}

@test "the transmission engine gets its layer, and another's notification on the bucket stays" {
  command -v transmission-create || skip "needs transmission-create"
  make_layer "$LAYER_ZIP"
  state foreign other >before
  TORRENT_ENGINE=transmission S3_BUCKET=other run "$SETUP"
  ends_with 0
  has_line "[ok]     layer transmission-tools: published"
  has_line "[ok]     function s3torrent: updated (configuration)"
  has_line "[ok]     notification other -> s3torrent: configured, others kept"
  has_line "[ok]     function s3torrent: it made a torrent with transmission-create"
  run state with-probe s3torrent other
  [ "$output" = "[]" ]
  run state notifications other
  has_line "$(cat before)"
  has_line '"Id": "s3torrent"'
  [ "$(state engine-of-upload s3torrent other)" = transmission ]
}

@test "a table of another schema is told, and left as it is" {
  state foreign-table jobs
  DDB_TABLE=jobs run "$SETUP"
  ends_with 4
  has_line "[FAILED] table jobs: it has the key id (N, HASH), expected jobId (S, HASH): name another in DDB_TABLE"
}

@test "a function whose transmission-create is not there does not count as set up" {
  TORRENT_ENGINE=transmission TRANSMISSION_CREATE=/no/such/program S3_BUCKET=other run "$SETUP"
  ends_with 4
  has_line "[FAILED] function s3torrent: it cannot make a torrent: TRANSMISSION_CREATE is '/no/such/program'; no program that can be run is there: attach the transmission-tools layer"
  lacks "Try it"
}

@test "a tracker that is no URL does not count as set up" {
  TRACKERS=notaurl run "$SETUP"
  ends_with 4
  has_line "[FAILED] function s3torrent: it does not run: "
  has_line notaurl
  lacks "Try it"
}
