"""The page's server says nothing of a browser that goes, and one line of what it did not foresee."""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from s3torrent.live.server import live
from s3torrent.status.memory import MemoryStatus
from s3torrent.wiring import clock
from support.waiting import until

if TYPE_CHECKING:
    import pytest

RESET = struct.pack("ii", 1, 0)


def connected(url: str) -> socket.socket:
    place = urlsplit(url)
    return socket.create_connection((str(place.hostname), int(place.port or 0)), 10)


def test_a_browser_that_resets_its_connection_is_not_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    with live(MemoryStatus(clock)) as url:
        idle = threading.active_count()
        client = connected(url)
        until(lambda: threading.active_count() > idle, "it is served")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        until(lambda: threading.active_count() == idle, "it is left")
    assert capfd.readouterr() == ("", "")


def test_a_defect_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(MemoryStatus):
        def list(self, **_: Any) -> Any:
            raise RuntimeError("of two\nlines")

    with live(Broken(clock)) as url, connected(url) as client:
        client.sendall(b"GET /jobs.json HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")
        assert client.recv(1) == b""
    told = capfd.readouterr().err
    assert told == "error: the page could not be served: RuntimeError: of two lines\n"
