"""Connections that stall under a running command: who interrupts it does not wait for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 1 << 30


class Stalling(Loopback):
    """S3 that sends the first bytes of what it is asked for, and then nothing."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.stalled, self.over = threading.Event(), threading.Event()

    def close(self) -> None:
        self.over.set()
        super().close()


class _Handler(Handler):
    owner: Stalling
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._head(200, SIZE)

    def do_GET(self) -> None:
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        self._head(206, last + 1 - first, f"bytes {first}-{last}/{SIZE}")
        self.wfile.write(bytes(1000))
        self.owner.stalled.set()
        self.owner.over.wait(60)
        self.close_connection = True

    def _head(self, status: int, length: int, content_range: str = "") -> None:
        self.send_response(status)
        told = {
            "ETag": '"abc"',
            "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT",
            "Content-Range": content_range,
        }
        for name, value in {**told, "Content-Length": str(length)}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def stalling() -> Iterator[Stalling]:
    with Stalling() as server:
        yield server


def test_an_interrupted_command_ends(stalling: Stalling, tmp_path: Path) -> None:
    """In far less than the half minute after which its connections would give up."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    process = subprocess.Popen(
        [
            Path(sys.executable).with_name("s3torrent"),
            "create",
            "s3://bucket/key",
            "-o",
            tmp_path / "out.torrent",
        ],
        env={**os.environ, **keys, "AWS_ENDPOINT_URL": stalling.endpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert stalling.stalled.wait(30)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "interrupted"
    assert not (tmp_path / "out.torrent").exists()
