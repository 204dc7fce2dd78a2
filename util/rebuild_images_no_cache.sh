#!/usr/bin/env bash
# Rebuild everything local: the images without cache, the layer, the function's zip, the set-up. A step that fails is
# reported and the next one begins; all of them are named at the end.
set -uo pipefail

here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
readonly here top=${here%/*}
readonly compose_file=$top/docker/localstack/docker-compose.yml
readonly steps=(localstack ministack ecs layer package stack setup)

usage() {
  cat <<'END'
usage: util/rebuild_images_no_cache.sh [STEP...]

Without a STEP all of them, in this order:

  localstack  pull the image of LocalStack
  ministack   build the image of MiniStack, without cache
  ecs         build the image of the recording task (docker/ecs), without cache, where there is one
  layer       util/build-transmission-lambda-layer.sh
  package     make package: dist/s3torrent-lambda.zip
  stack       start LocalStack from its image, or MiniStack where STACK=ministack
  setup       docker/localstack/s3-torrent-lambda-setup.sh

Exit code: 0 all is well; 1 a step failed; 2 wrong usage.
END
}

say() { printf '%s\n' "$*"; }

# Why no image can be had here, as one line; nothing where all is well.
without_docker() {
  local said
  if ! command -v docker >/dev/null; then
    say "docker is not on PATH: install Docker, or use MiniStack without it (s3torrent dev)"
  elif ! said=$(docker info 2>&1 >/dev/null); then
    say "docker does not answer ($(tail -n 1 <<<"$said")): start it, or let this user use it"
  elif ! docker compose version >/dev/null 2>&1; then
    say "docker has no compose: install the plugin (docker-compose-plugin)"
  fi
}

compose() { need_docker && docker compose --file "$compose_file" "$@"; }

need_docker() {
  reason=$(without_docker)
  [ -z "$reason" ]
}

run() {
  case $1 in
    localstack) compose pull localstack ;;
    ministack) compose --profile ministack build --no-cache --pull ministack ;;
    ecs) build_ecs ;;
    layer) "$here/build-transmission-lambda-layer.sh" ;;
    package) make -C "$top" package ;;
    stack) compose up --detach --wait "${STACK:-localstack}" ;;
    setup) "$top/docker/localstack/s3-torrent-lambda-setup.sh" ;;
  esac
}

build_ecs() {
  if [ ! -e "$top/docker/ecs/Dockerfile" ]; then
    skipped="docker/ecs/Dockerfile is not there"
    return
  fi
  need_docker && docker build --no-cache --pull --tag s3torrent-ecs --file "$top/docker/ecs/Dockerfile" "$top"
}

case ${1:-} in
  -h | --help) usage && exit 0 ;;
esac
for step in "$@"; do
  known=''
  for one in "${steps[@]}"; do [ "$step" != "$one" ] || known=yes; done
  [ "$known" ] || { say "rebuild_images_no_cache: unknown step: '$step'; expected: ${steps[*]}" >&2 && exit 2; }
done
case ${STACK:-localstack} in
  localstack | ministack) ;;
  *) say "rebuild_images_no_cache: STACK is '$STACK'; expected localstack or ministack" >&2 && exit 2 ;;
esac

summary='' code=0
[ $# -gt 0 ] || set -- "${steps[@]}"
for step in "$@"; do
  say "== $step"
  reason='' skipped=''
  if run "$step" </dev/null; then
    line="ok      $step${skipped:+: skipped, $skipped}"
  else
    line="FAILED  $step: ${reason:-exit code $?; its own words stand above}"
    code=1
  fi
  [ -z "$reason$skipped" ] || say "${reason:-$skipped}"
  summary+=$line$'\n'
done
printf '\n%s' "$summary"
exit $code
