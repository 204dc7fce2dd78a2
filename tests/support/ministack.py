"""The product's own launcher of MiniStack, on a free port, with boto3 clients for the tests."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from s3torrent.devstack import ministack
from s3torrent.devstack.ministack import CREDENTIALS, REGION

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
    "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
    "AWS_DEFAULT_REGION": REGION,
}
"""What a process needs besides ``AWS_ENDPOINT_URL`` to talk to MiniStack; also the keys that ``client`` uses."""

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"total_max_attempts": 2, "mode": "standard"},
    max_pool_connections=64,
    proxies={},  # loopback must never go through this machine's proxy
    s3={"addressing_style": "path"},
)


class MiniStack(ministack.MiniStack):
    """``with MiniStack() as stack: stack.client("s3")``; ``extra`` as ``{"AUTH": "true"}``."""

    def __init__(self, extra: dict[str, str] | None = None) -> None:
        super().__init__(0, extra)
        self._clients: dict[str, Any] = {}
        self._session = boto3.session.Session(*CREDENTIALS, region_name=REGION)

    def client(self, service: str) -> Any:
        """A boto3 client, made once a service, closed with the stack."""
        if service not in self._clients:
            self._clients[service] = self.new_client(service)
        return self._clients[service]

    def new_client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of the caller's own, who closes it; ``config`` is merged over the test defaults."""
        merged = _CONFIG.merge(config) if config else _CONFIG
        return self._session.client(service, endpoint_url=self.endpoint, config=merged)

    def stop(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        super().stop()
