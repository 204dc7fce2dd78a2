"""Trackers asked over HTTP and UDP, on loopback: those that answer, and why the others do not."""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING, ClassVar, Self

import pytest

from s3torrent.doctor.trackers import PROTOCOL, problem, trackers
from support.doctoring import case
from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHORT = 0.3


class UdpTracker:
    """Answers each datagram as ``answer`` says; None: not at all."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer, self._socket = answer, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        return f"udp://127.0.0.1:{self._socket.getsockname()[1]}/announce"

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                asked, peer = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            answer = self._answer(asked)
            if answer is not None:
                self._socket.sendto(answer, peer)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


def connected(asked: bytes) -> bytes:
    """BEP 15: action 0, the transaction id, a connection id."""
    protocol, action, number = struct.unpack(">QII", asked)
    assert (protocol, action) == (PROTOCOL, 0)
    return struct.pack(">IIQ", 0, number, 1)


class Page(Handler):
    owner: Pages

    def do_GET(self) -> None:
        self.owner.asked.append(self.path)
        status, body = self.owner.answers[self.path.partition("?")[0]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Pages(Loopback):
    answers: ClassVar = {
        "/announce": (200, b"d8:intervali1800e5:peers0:e"),
        "/refuses": (400, b"d14:failure reason12:unregisterede"),
        "/web": (200, b"<html>welcome</html>"),
        "/gone": (404, b"no"),
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__(Page)
        self.asked: list[str] = []


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Pages() as server:
        yield server


def test_a_udp_tracker_that_connects_answers() -> None:
    with UdpTracker(connected) as there:
        assert problem(there.url, SHORT) == ""


@pytest.mark.parametrize(
    "answer",
    [lambda asked: b"\0" * 16, lambda asked: b"hello", lambda asked: connected(asked)[:12]],
    ids=["other", "word", "cut"],
)
def test_another_answer_is_none_of_a_tracker(answer: Callable[[bytes], bytes]) -> None:
    with UdpTracker(answer) as there:
        assert problem(there.url, SHORT) == "it answers, but not as a tracker (BEP 15)"


def test_silence_is_told_after_a_while() -> None:
    with UdpTracker(lambda _: None) as there:
        assert problem(there.url, SHORT) == f"no answer within {SHORT:g} s"


def test_http_trackers_answer_in_bencoding_be_it_a_refusal(pages: Pages) -> None:
    assert problem(f"{pages.endpoint}/announce", SHORT) == ""
    assert problem(f"{pages.endpoint}/refuses?key=1", SHORT) == ""
    assert problem(f"{pages.endpoint}/web", SHORT) == "it answers, but not as a tracker"
    assert problem(f"{pages.endpoint}/gone", SHORT) == "HTTP 404"
    assert pages.asked[0].startswith("/announce?info_hash=%00")
    assert pages.asked[1].startswith("/refuses?key=1&info_hash=")
    assert all("event=stopped" in one for one in pages.asked)


def test_of_a_websocket_only_whether_somebody_listens(pages: Pages) -> None:
    assert problem(pages.endpoint.replace("http:", "ws:"), SHORT) == ""


def test_where_nobody_listens_the_reason_is_the_systems() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        for scheme in ("http", "ws"):
            assert "refused" in problem(f"{scheme}://127.0.0.1:{bound.getsockname()[1]}/a", SHORT)


def test_those_that_are_silent_are_taken_out(pages: Pages) -> None:
    good, bad = f"{pages.endpoint}/announce", f"{pages.endpoint}/gone"
    one = trackers(case(variables={"TRACKERS": f"{good},{bad}"}))
    assert (one.level, one.cause) == ("yellow", f"1 of 2 answer; {bad}: HTTP 404")
    assert f'.Variables["TRACKERS"]="{good}"' in one.mend
    none = trackers(case(variables={"TRACKERS": bad}))
    assert (none.level, 'del(.Variables["TRACKERS"])' in none.mend) == ("red", True)
    assert trackers(case(variables={"TRACKERS": good})).level == "green"
    assert trackers(case()).cause == "none are set"
