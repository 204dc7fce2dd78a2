# Where the stack is, for us and for the function: with a stand-in for docker, and for LocalStack's health page.

load helpers

setup_file() { start_health_page; }
teardown_file() { stop_health_page; }

setup() {
  stand_in aws docker
  answers_of_a_stack
  export AWS_ENDPOINT_URL=http://localhost:$PORT DOCKER_PORT=$PORT LAYER_ZIP=$BATS_TEST_TMPDIR/layer.zip
}

@test "the address of LocalStack on the network of its functions is found, not that on another network" {
  DOCKER_RECORD=$RECORDED/compose run "$SETUP"
  ends_with 0
  has_line "[ok]     endpoint http://localhost:$PORT: LocalStack 4.14.0 community answers"
  has_line "[ok]     endpoint of the function: http://172.20.0.2:4566 (container s3torrent-localstack-1, Docker network s3torrent)"
  was_handed '"AWS_ENDPOINT_URL": "http://172.20.0.2:4566"'
}

@test "without LAMBDA_DOCKER_NETWORK it is the address on LocalStack's own network" {
  DOCKER_RECORD=$RECORDED/bridge run "$SETUP"
  ends_with 0
  has_line "endpoint of the function: http://172.17.0.3:4566 (container localstack-main, Docker network bridge)"
}

@test "where LocalStack runs on the machine itself it is the machine's address on the bridge" {
  DOCKER_RECORD=$RECORDED/host run "$SETUP"
  ends_with 0
  has_line "endpoint of the function: http://172.17.0.1:$PORT (this machine, on the Docker network bridge)"
}

@test "a container that is not on the network of its functions is told, with the command that mends it" {
  cp -r "$RECORDED/compose" "$BATS_TEST_TMPDIR/record"
  sed -i s/LAMBDA_DOCKER_NETWORK=s3torrent/LAMBDA_DOCKER_NETWORK=elsewhere/ "$BATS_TEST_TMPDIR/record/inspect.json"
  DOCKER_RECORD=$BATS_TEST_TMPDIR/record run "$SETUP"
  ends_with 1
  has_line "[FAILED] endpoint of the function: container s3torrent-localstack-1 is on the Docker networks monitoring, s3torrent, its functions on elsewhere (LAMBDA_DOCKER_NETWORK): docker network connect elsewhere s3torrent-localstack-1"
}

@test "a user who may not use Docker is told so, and the rest is set up" {
  DOCKER_RECORD=$RECORDED/denied run "$SETUP"
  ends_with 1
  has_line "[FAILED] endpoint of the function: docker does not answer (permission denied while trying to connect"
  has_line "let this user use Docker, or set FUNCTION_ENDPOINT"
  was_asked "s3api put-bucket-notification-configuration"
}

@test "FUNCTION_ENDPOINT is taken as it is, and Docker is not asked" {
  FUNCTION_ENDPOINT=http://stack:4566 run "$SETUP"
  ends_with 0
  was_handed '"AWS_ENDPOINT_URL": "http://stack:4566"'
  was_not_asked docker
}

@test "a stack on another machine is the same for the function, and Docker is not asked" {
  AWS_ENDPOINT_URL=http://$(hostname):1 run "$SETUP"
  ends_with 4
  was_not_asked docker
}

@test "LocalStack's community edition, which mounts no layer, is told of with what to do instead" {
  make_layer "$LAYER_ZIP"
  TORRENT_ENGINE=transmission DOCKER_RECORD=$RECORDED/compose run "$SETUP"
  ends_with 1
  has_line "LocalStack's community edition does not mount layers"
  has_line "LAMBDA_DOCKER_FLAGS='-v FOLDER:/opt'"
}

@test "a folder mounted as /opt is as good as a layer" {
  make_layer "$LAYER_ZIP"
  cp -r "$RECORDED/compose" "$BATS_TEST_TMPDIR/record"
  sed -i 's|LAMBDA_DOCKER_FLAGS=|&-v /srv/layer:/opt|' "$BATS_TEST_TMPDIR/record/inspect.json"
  TORRENT_ENGINE=transmission DOCKER_RECORD=$BATS_TEST_TMPDIR/record run "$SETUP"
  ends_with 0
  lacks "community edition"
}

@test "a dead port is told in a line that says what to start, and nothing is called" {
  AWS_ENDPOINT_URL=http://127.0.0.1:1 run "$SETUP"
  ends_with 4
  has_line "[FAILED] endpoint http://127.0.0.1:1: nothing answers ([Errno 111] Connection refused): start a stack (docker compose -f docker/localstack/docker-compose.yml up -d --wait localstack), or name its address in AWS_ENDPOINT_URL"
  was_not_asked aws
}

@test "ENDPOINT names the stack, too, and AWS_ENDPOINT_URL wins over it" {
  ENDPOINT=http://127.0.0.1:1 DOCKER_RECORD=$RECORDED/compose run "$SETUP"
  ends_with 0
  unset AWS_ENDPOINT_URL
  ENDPOINT=http://127.0.0.1:1 run "$SETUP"
  ends_with 4
  has_line "endpoint http://127.0.0.1:1"
}
