# shellcheck shell=bash
# Where the stack is: for us, and for the function. Sourced by s3-torrent-lambda-setup.sh.

check_endpoint() {
  stack=$(helper endpoint health "$endpoint") ||
    critical "endpoint $endpoint: nothing answers ($(said)): start a stack (docker compose -f" \
      "docker/localstack/docker-compose.yml up -d --wait localstack), or name its address in AWS_ENDPOINT_URL"
  ok "endpoint $endpoint: $stack answers"
}

# LocalStack runs each function in a container, whose localhost is not this machine's.
find_function_endpoint() {
  local containers ids address name network code=0
  [ -z "$function_endpoint" ] || return 0
  function_endpoint=$endpoint
  case $host in
    localhost | localhost.localstack.cloud | 127.* | 0.0.0.0 | "[::1]") ;;
    *) return 0 ;;
  esac
  if ! command -v docker >/dev/null; then
    note "endpoint of the function: no docker on PATH, so the local one"
    return
  fi
  if ! ids=$(docker ps --quiet --no-trunc 2>"$tmp/error"); then
    case $stack in
      LocalStack*) failed "endpoint of the function: docker does not answer ($(said)), so the local one, which a" \
        "container cannot reach: let this user use Docker, or set FUNCTION_ENDPOINT" ;;
      *) note "endpoint of the function: docker does not answer, so the local one" ;;
    esac
    return
  fi
  containers='[]'
  # shellcheck disable=SC2086 # one word per container
  [ -z "$ids" ] || containers=$(docker inspect $ids 2>"$tmp/error") || {
    failed "endpoint of the function: docker inspect: $(said): run this again"
    return
  }
  helper endpoint inside "$port" <<<"$containers" >"$tmp/inside" || code=$?
  case $code in
    0)
      { read -r address && read -r name && read -r network && read -r mounts; } <"$tmp/inside"
      function_endpoint=$scheme://$address
      ok "endpoint of the function: $function_endpoint (container $name, Docker network $network)"
      ;;
    3) on_this_machine ;;
    *) failed "endpoint of the function: $(said)" ;;
  esac
}

# No container publishes the port: MiniStack runs functions beside itself, LocalStack still in containers.
on_this_machine() {
  local network=${LAMBDA_DOCKER_NETWORK:-bridge} gateway
  case $stack in
    LocalStack*) ;;
    *) return 0 ;;
  esac
  network=${network%%,*}
  if docker network inspect "$network" >"$tmp/network" 2>"$tmp/error" &&
    gateway=$(helper endpoint gateway "$network" <"$tmp/network"); then
    function_endpoint=$scheme://$gateway:$port
    ok "endpoint of the function: $function_endpoint (this machine, on the Docker network $network)"
  else
    failed "endpoint of the function: $(said): set FUNCTION_ENDPOINT"
  fi
}
