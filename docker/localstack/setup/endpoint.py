#!/usr/bin/env python3
"""Where the stack answers. Called by s3-torrent-lambda-setup.sh; the standard library only.

``endpoint.py health URL`` prints what answers there, such as ``LocalStack 4.14.0 community``.
``endpoint.py inside PORT`` reads what ``docker inspect`` says of the running containers, finds the one that
publishes PORT on this machine, and prints, on a line each: the address by which the containers on its network
reach it, its name, the network's name, and its LAMBDA_DOCKER_FLAGS. Exit 3: none publishes PORT.
``endpoint.py gateway NETWORK`` reads what ``docker network inspect`` says: this machine's address on it.
Exit 1 with one line on standard error: nothing answers, or there is no such address.
"""

from __future__ import annotations

import http.client
import json
import sys
import urllib.error
import urllib.request
from typing import Any

NOT_PUBLISHED = 3
SECONDS = 10


def health(url: str) -> str:
    """MiniStack has LocalStack's page too, so its own is asked for first."""
    for path, name in (("/_ministack/health", "MiniStack"), ("/_localstack/health", "LocalStack")):
        status, body = _get(url.rstrip("/") + path)
        if status == http.HTTPStatus.OK and "services" in body:
            edition = body.get("edition", "?") if name == "LocalStack" else ""
            return f"{name} {body.get('version', '?')} {edition}".rstrip()
    return "a stack without a health page"


def _get(url: str) -> tuple[int, dict[str, Any]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=SECONDS) as answer:
            body = json.load(answer)
            return answer.status, body if isinstance(body, dict) else {}
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, {}
    except ValueError:
        return http.HTTPStatus.OK, {}
    except urllib.error.URLError as error:
        sys.exit(str(error.reason))
    except (OSError, http.client.HTTPException) as error:
        sys.exit(str(error) or type(error).__name__)


def inside(port: str, containers: list[dict[str, Any]]) -> str:
    """On the network that LocalStack chooses: the first of LAMBDA_DOCKER_NETWORK, or else its own first."""
    for container in containers:
        for private, bindings in (container["NetworkSettings"].get("Ports") or {}).items():
            if any(binding["HostPort"] == port for binding in bindings or []):
                return _address(container, private.partition("/")[0])
    sys.exit(NOT_PUBLISHED)


def _address(container: dict[str, Any], port: str) -> str:
    name = container["Name"].lstrip("/")
    environment = dict(one.partition("=")[::2] for one in container["Config"].get("Env") or [])
    networks = {
        network: attached["IPAddress"]
        for network, attached in container["NetworkSettings"]["Networks"].items()
        if attached.get("IPAddress")
    }
    wanted = environment.get("LAMBDA_DOCKER_NETWORK", "").partition(",")[0]
    if wanted and wanted not in networks:
        sys.exit(
            f"container {name} is on the Docker networks {', '.join(networks) or '(none)'}, its functions on"
            f" {wanted} (LAMBDA_DOCKER_NETWORK): docker network connect {wanted} {name}"
        )
    if not networks:
        sys.exit(f"container {name} is on no Docker network: docker network connect bridge {name}")
    network = wanted or next(iter(networks))
    flags = environment.get("LAMBDA_DOCKER_FLAGS", "")
    return "\n".join((f"{networks[network]}:{port}", name, network, flags))


def gateway(name: str, networks: list[dict[str, Any]]) -> str:
    """The first, as LocalStack takes it where it runs on the machine itself."""
    for configured in networks[0]["IPAM"].get("Config") or []:
        if configured.get("Gateway"):
            return str(configured["Gateway"])
    sys.exit(f"Docker network {name} has no gateway")


def main(arguments: list[str]) -> int:
    command, subject = arguments
    if command == "health":
        said = health(subject)
    else:
        said = {"inside": inside, "gateway": gateway}[command](subject, json.load(sys.stdin))
    sys.stdout.write(said + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
