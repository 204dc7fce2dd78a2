"""Whatever the server of a web seed answers is told as a problem; nothing of it is raised."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.check_seeds import seed_checks
from s3torrent.pipeline.make import Maker
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, TorrentRequest
from s3torrent.webseeds.base import HINTS, MOST_DETAIL, Problem, SeedFault, WebFile
from s3torrent.webseeds.http import HttpReader
from s3torrent.wiring import clock
from support.raw_seed import RawSeed

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = 100
DIGITS = "0" * 5000


def found(url: str, page: str = "") -> list[Problem]:
    """What ends the reading, and what was noticed."""
    with closing(HttpReader(page, seconds=10)) as reader:
        try:
            list(reader.read(WebFile(url, LENGTH), 0, LENGTH))
        except SeedFault as fault:
            return [fault.problem, *reader.noticed]
        return reader.noticed


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        ("302 F\r\nLocation: http://[", "bad-redirect", "302 to 'http://[', which is no address"),
        ("302 F\r\nLocation: http://h:x/", "bad-redirect", "which is no address"),
        ("302 F\r\nLocation: //[::1/a", "bad-redirect", "which is no address"),
        ("302 F\r\nLocation: ftp://a/", "bad-redirect", "neither http nor https"),
        (f"206 P\r\nContent-Range: bytes {DIGITS}-{DIGITS}/9", "wrong-range", "expected bytes 0-99"),
        (f"206 P\r\nContent-Range: bytes 0-99/1{DIGITS}", "wrong-size", "the torrent's file has 100"),
        (f"403 F\r\nContent-Length: 1{DIGITS}", "forbidden", "403 F"),
        ("200 OK\r\nContent-Length: 1\r\nContent-Length: 2", "unreachable", "127.0.0.1"),
        ("302 F\r\nLocation: gopher:a\r\n  b\r\n  c", "bad-redirect", "gopher:a b c"),
        (f"999 {'x' * 9000}", "server-error", "999 x"),
    ],
)
def test_a_malformed_answer_is_a_problem(answer: str, code: str, told: str) -> None:
    with RawSeed(f"HTTP/1.1 {answer}\r\n\r\n".encode()) as seed:
        problem = found(seed.url)[0]
    assert problem.code == code
    assert told in problem.detail
    assert "\n" not in problem.detail


TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=30)
NUMBER = st.one_of(st.integers(-1, 10**30).map(str), st.just(DIGITS), TEXT)
STATUS = st.one_of(st.sampled_from(["200", "206", "301", "307", "403", "404", "416", "503", "100"]), NUMBER)
RANGE = st.one_of(st.builds("bytes {}-{}/{}".format, NUMBER, NUMBER, NUMBER), st.just("bytes 0-99/100"), TEXT)
LOCATION = st.one_of(st.builds("{}://{}:{}/{}".format, TEXT, TEXT, NUMBER, TEXT), TEXT)
HEADER = st.one_of(
    st.tuples(st.just("Content-Range"), RANGE),
    st.tuples(st.just("Location"), st.one_of(LOCATION, st.sampled_from(["http://[", "//]", "?", "http://%zz/"]))),
    st.tuples(st.sampled_from(["Content-Length", "Transfer-Encoding", "Content-Encoding"]), NUMBER),
    st.tuples(st.just("Access-Control-Allow-Origin"), TEXT),
    st.tuples(TEXT, TEXT),
)  # fmt: skip
ANSWER = st.builds(
    lambda version, status, headers, body: (
        f"{version} {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + f"\r\n{body}"
    ).encode("latin-1"),
    st.one_of(st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/9", "ICY"]), TEXT),
    st.tuples(STATUS, TEXT).map(" ".join),
    st.lists(HEADER, max_size=5),
    TEXT,
)


@pytest.fixture(scope="module")
def raw() -> Iterator[RawSeed]:
    """Nobody else is asked, whatever its redirects say."""
    usual = socket.getaddrinfo

    def only_here(host: Any, *more: Any, **named: Any) -> Any:
        if host != "127.0.0.1":
            raise socket.gaierror(f"{host} is not asked")
        return usual(host, *more, **named)

    with RawSeed(b"") as seed, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", only_here)
        yield seed


@settings(max_examples=150, deadline=None)
@given(answer=ANSWER)
def test_any_answer_is_read_or_told(raw: RawSeed, answer: bytes) -> None:
    raw.head = answer
    for problem in found(raw.url):
        assert problem.code in HINTS
        assert len(problem.detail) <= MOST_DETAIL
        assert len(problem.detail.splitlines()) <= 1


def test_a_page_over_http_takes_a_redirect_to_http() -> None:
    """Only an https page shows nothing that came over http."""
    with RawSeed(b"HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n") as seed:
        codes = [problem.code for problem in found(seed.url, "http://catalogue.example/")]
    assert codes == ["bad-redirect", "redirect"]


class Broken:
    """A reader with a defect."""

    def __init__(self) -> None:
        self.noticed: list[Problem] = []
        self.closed = False

    def read(self, *_: Any) -> Iterator[bytes]:
        raise RuntimeError("a defect")

    def close(self) -> None:
        self.closed = True


def test_whatever_the_check_raises_the_torrent_is_published() -> None:
    store, reader, ref = MemoryStore(), Broken(), ObjectRef("bucket", "a")
    store.create_bucket("bucket")
    store.upload(ref, b"content")
    policy = TorrentPolicy(web_seeds=("https://cdn.example.org/{key}",))
    maker = Maker(
        store, MemoryStatus(clock), NativeEngine(threads=1), policy, "worker", 60.0, lambda: 0.0,
        check_seeds=lambda metainfo: seed_checks(metainfo, lambda _share: reader),
    )  # fmt: skip
    assert maker.make(TorrentRequest(ref)).made
    assert store.head(ref.torrent)
    item = maker.status.get(str(ref))
    assert item
    (told,) = item.get("webSeedChecks").values()
    assert told == {"good": False, "problems": "unreachable: could not be tried: RuntimeError: a defect"}
    assert reader.closed
