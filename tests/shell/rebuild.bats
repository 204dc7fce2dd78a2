# Every step of the rebuilding is tried, whatever became of the ones before: with stand-ins for all it calls.

load helpers

setup() {
  stand_in docker
  export DOCKER_RECORD=$BATS_TEST_TMPDIR/record
  TOP=$BATS_TEST_TMPDIR/top
  mkdir -p "$DOCKER_RECORD" "$TOP/util" "$TOP/docker/localstack"
  cp "$ROOT/util/rebuild_images_no_cache.sh" "$TOP/util/"
  program "$TOP/util/build-transmission-lambda-layer.sh"
  program "$TOP/docker/localstack/s3-torrent-lambda-setup.sh"
  program "$BATS_TEST_TMPDIR/bin/make"
}

# program FILE [EXIT-CODE]
program() {
  printf '#!/bin/sh\necho "%s $*" >>"$CALLS"\nexit %s\n' "${1##*/}" "${2:-0}" >"$1"
  chmod +x "$1"
}

rebuild() { run "$TOP/util/rebuild_images_no_cache.sh" "$@"; }

@test "all is rebuilt in order, and the images without cache" {
  mkdir -p "$TOP/docker/ecs"
  touch "$TOP/docker/ecs/Dockerfile"
  rebuild
  ends_with 0
  local compose="docker compose --file $TOP/docker/localstack/docker-compose.yml"
  run grep -vE '^docker (info|compose version)' "$CALLS"
  [ "$output" = "$compose pull localstack
$compose --profile ministack build --no-cache --pull ministack
docker build --no-cache --pull --tag s3torrent-ecs --file $TOP/docker/ecs/Dockerfile $TOP
build-transmission-lambda-layer.sh 
make -C $TOP package
$compose up --detach --wait localstack
s3-torrent-lambda-setup.sh " ]
}

@test "an image of the recording task is left out where there is no Dockerfile, and that is said" {
  rebuild
  ends_with 0
  has_line "ok      ecs: skipped, docker/ecs/Dockerfile is not there"
  was_not_asked "docker build"
}

@test "steps that fail are told at the end, and the others are done" {
  program "$TOP/util/build-transmission-lambda-layer.sh" 7
  program "$BATS_TEST_TMPDIR/bin/make" 2
  rebuild
  ends_with 1
  was_asked s3-torrent-lambda-setup.sh
  [ "$(grep -E '^(ok|FAILED) ' <<<"$output")" = "ok      localstack
ok      ministack
ok      ecs: skipped, docker/ecs/Dockerfile is not there
FAILED  layer: exit code 7; its own words stand above
FAILED  package: exit code 2; its own words stand above
ok      stack
ok      setup" ]
}

@test "without a Docker engine the images fail with the reason, and the rest is done" {
  DOCKER_RECORD=$RECORDED/denied rebuild
  ends_with 1
  has_line "FAILED  localstack: docker does not answer (permission denied while trying to connect"
  has_line "FAILED  stack: docker does not answer"
  has_line "ok      layer"
  has_line "ok      setup"
}

@test "without the compose plugin the reason names it" {
  echo "docker: unknown command: docker compose" >"$DOCKER_RECORD/compose-version.error"
  rebuild localstack
  ends_with 1
  has_line "FAILED  localstack: docker has no compose: install the plugin (docker-compose-plugin)"
}

@test "only the steps named are done" {
  rebuild package setup
  ends_with 0
  [ "$(cat "$CALLS")" = "make -C $TOP package
s3-torrent-lambda-setup.sh " ]
}

@test "an unknown step or stack ends with 2 and nothing is done" {
  rebuild package nothing
  ends_with 2
  has_line "unknown step: 'nothing'; expected: localstack ministack ecs layer package stack setup"
  for step in "layer package" "" "lay*" "ecs "; do
    rebuild package "$step"
    ends_with 2
    has_line "unknown step: '$step'"
  done
  STACK=moto rebuild
  ends_with 2
  [ ! -s "$CALLS" ]
}

@test "it works through a link from another folder" {
  mkdir "$BATS_TEST_TMPDIR/links"
  ln -s "$TOP/util/rebuild_images_no_cache.sh" "$BATS_TEST_TMPDIR/links/rebuild"
  run "$BATS_TEST_TMPDIR/links/rebuild" package setup
  ends_with 0
  was_asked "make -C $TOP package"
  was_asked s3-torrent-lambda-setup.sh
}
