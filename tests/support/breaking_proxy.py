"""An HTTP proxy on loopback that spoils S3's answers on purpose, between boto3 and MiniStack."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Sequence


class BreakingProxy(Loopback):
    """``with BreakingProxy(stack.endpoint, cuts=[100, 0]) as proxy: proxy.client``.

    Each GET takes the next of ``cuts``: its connection is cut after so many body bytes (``reset`` by RST, else by
    FIN); None, or no more cuts: it passes whole. Each request takes the next of ``statuses`` first and, unless it
    is None, is answered by that error. ``drop`` names request headers that the server is not to see.

    ``ranges`` are the Range headers of the GETs that came, ``connections`` counts those accepted.
    """

    def __init__(
        self,
        upstream: str,
        *,
        cuts: Sequence[int | None] = (),
        reset: bool = False,
        statuses: Sequence[int | None] = (),
        drop: Sequence[str] = (),
    ) -> None:
        super().__init__(_Handler)
        self.upstream = urlsplit(upstream)
        self.cuts = list(cuts)
        self.reset = reset
        self.statuses = list(statuses)
        self.drop = {name.lower() for name in drop}
        self.ranges: list[str | None] = []
        self.connections = 0
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        super().__enter__()
        self.client = s3_client(self.endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        super().__exit__()

    def take(self, queue: list[int | None]) -> int | None:
        with self.lock:
            return queue.pop(0) if queue else None


def s3_client(endpoint: str, **credentials: str) -> Any:
    """An S3 client that tries once and waits shortly, so that what resumes is our own loop."""
    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"total_max_attempts": 1, "mode": "standard"},
        proxies={},
        s3={"addressing_style": "path"},
    )
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", **credentials}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config, **keys)


class _Handler(Handler):
    owner: BreakingProxy
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        with self.owner.lock:
            self.owner.connections += 1

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "GET":
            self.owner.ranges.append(self.headers.get("Range"))
        status = self.owner.take(self.owner.statuses)
        if status is not None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.forward(body)

    do_GET = do_HEAD = do_PUT = handle_any  # noqa: N815 (the names http.server looks for)

    def forward(self, body: bytes) -> None:
        upstream = http.client.HTTPConnection(str(self.owner.upstream.hostname), self.owner.upstream.port)
        try:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in self.owner.drop
            }
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                    self.send_header(name, value)
            length = str(len(content)) if self.command != "HEAD" else answer.getheader("Content-Length", "0")
            self.send_header("Content-Length", length)
            self.end_headers()
            self.send_body(content)
        finally:
            upstream.close()

    def send_body(self, content: bytes) -> None:
        cut = self.owner.take(self.owner.cuts) if self.command == "GET" else None
        if cut is None or cut >= len(content):
            self.wfile.write(content)
            return
        self.wfile.write(content[:cut])
        if self.owner.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
