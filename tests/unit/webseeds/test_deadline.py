"""A web seed has the seconds it is given, and no more, whatever its server does."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.webseeds import timed
from s3torrent.webseeds.base import SeedFault, WebFile
from s3torrent.webseeds.http import HttpReader
from support.raw_seed import MOST_DRIPS, RawSeed
from support.seeds import certificate
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = 16384
SECONDS = 1.0
BODY = f"HTTP/1.1 206 Partial\r\nContent-Length: {LENGTH}\r\nContent-Range: bytes 0-{LENGTH - 1}/{LENGTH}\r\n\r\n"
CHUNKED = (
    f"HTTP/1.1 206 P\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-{LENGTH - 1}/{LENGTH}\r\n\r\n"
)


def fault_of(url: str) -> str:
    with closing(HttpReader(seconds=SECONDS)) as reader, pytest.raises(SeedFault) as caught:
        list(reader.read(WebFile(url, LENGTH), 0, LENGTH))
    assert caught.value.problem.code == "unreachable"
    return caught.value.problem.detail


@pytest.mark.parametrize(
    ("head", "drips"),
    [
        (BODY, "x"),
        (CHUNKED, "1\r\nx\r\n"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 4096\r\n\r\n", "x"),
        ("HTTP/1.1 206 Partial\r\n", "X: y\r\n"),
        ("HTTP/1.1 206 Partial\r\nX: ", "y"),
        ("", "HTTP/1.1 "),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "error's body", "header lines", "header", "status line", "100 after 100"],
)
def test_a_server_that_sends_a_byte_now_and_then_is_left(head: str, drips: str) -> None:
    threads = set(threading.enumerate())
    with RawSeed(head.encode(), drips.encode()) as seed:
        assert fault_of(seed.url) == f"not read in {SECONDS:.0f} s"
        assert seed.dripped < MOST_DRIPS / 2
    assert set(threading.enumerate()) <= threads


def test_one_that_does_so_over_https_is_left_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certificate(tmp_path)
    usual = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda: usual(cafile=tmp_path / "crt.pem"))
    with RawSeed(BODY.encode(), b"x", made) as seed:
        assert fault_of(seed.url) == f"not read in {SECONDS:.0f} s"
        assert 0 < seed.dripped < MOST_DRIPS / 2


def test_a_name_that_is_not_resolved_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, released = set(threading.enumerate()), threading.Event()

    def hanging(*_: Any, **__: Any) -> Any:
        released.wait(60)
        raise socket.gaierror("released")

    monkeypatch.setattr(timed.socket, "getaddrinfo", hanging)
    try:
        assert fault_of("http://slow.example/a") == f"not read in {SECONDS:.0f} s"
        assert not released.is_set()
    finally:
        released.set()
    until(lambda: set(threading.enumerate()) <= threads, "the resolver's thread has ended")


def test_a_name_that_there_is_not_is_told() -> None:
    told = fault_of("http://no.such.name.invalid/a")
    assert told.startswith("no.such.name.invalid: Failed to establish a new connection: ")
