"""The clients as they are built: what every request carries."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef
from s3torrent.wiring import Clients

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = "x-amz-request-payer"


class Recording(HTTPServer):
    seen: list[tuple[str, str | None, str]]


class Answers(BaseHTTPRequestHandler):
    server: Recording

    def do_HEAD(self) -> None:
        signed = self.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
        self.server.seen.append((self.path, self.headers.get(HEADER), signed))
        self.send_response(200)
        for name, value in {
            "ETag": "e",
            "Last-Modified": "Mon, 23 Nov 2026 14:00:00 GMT",
            "Content-Length": "0",
        }.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Recording]:
    with Recording(("127.0.0.1", 0), Answers) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("pays", [False, True])
def test_who_agreed_to_pay_says_so_in_each_request(server: Recording, pays: bool) -> None:
    """As a signed header."""
    endpoint = f"http://127.0.0.1:{server.server_port}"
    clients = Clients(endpoint, "us-east-1", ("key", "secret"), request_payer=pays)
    S3Store(clients.client("s3")).head(ObjectRef("bucket", "a"))
    clients.close()
    [(path, header, signed)] = server.seen
    assert (path, header) == ("/bucket/a", "requester" if pays else None)
    assert (HEADER in signed) is pays
