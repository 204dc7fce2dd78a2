"""A stream that breaks is read on at its byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.errors import (
    AccessDenied,
    EndpointUnreachable,
    ObjectChanged,
    ReadInterrupted,
    S3TorrentError,
    Throttled,
)
from s3torrent.store.resume import Patience, resuming

if TYPE_CHECKING:
    from collections.abc import Generator

CONTENT = bytes(range(256)) * 2
BREAKS = [ReadInterrupted("cut"), Throttled("503"), EndpointUnreachable("refused"), None]


class Breaking:
    """The n-th stream opened yields ``lengths[n]`` bytes, then breaks by ``errors[n]`` (None: just ends)."""

    def __init__(
        self, lengths: list[int], errors: list[S3TorrentError | None], end: int, chunk: int = 7
    ) -> None:
        self.lengths, self.errors, self.end, self.chunk = lengths, errors, end, chunk
        self.opened: list[int] = []
        self.closed = 0

    def __call__(self, position: int) -> Generator[memoryview | bytes]:
        turn = len(self.opened)
        self.opened.append(position)
        stop = min(self.end, position + self.lengths[turn]) if turn < len(self.lengths) else self.end
        try:
            for at in range(position, stop, self.chunk):
                yield CONTENT[at : min(stop, at + self.chunk)]
            error = self.errors[turn] if turn < len(self.errors) else None
            if stop < self.end and error is not None:
                raise error
        finally:
            self.closed += 1


def patient(attempts: int = 5, waits: list[float] | None = None, jitter: float = 0.0) -> Patience:
    def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    return Patience(attempts=attempts, first_wait=1.0, longest_wait=5.0, sleep=sleep, jitter=lambda: jitter)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from(BREAKS)), max_size=40),
    st.integers(0, len(CONTENT)),
    st.integers(0, len(CONTENT)),
    st.integers(1, 64),
)
def test_any_pattern_of_breaks_gives_the_same_bytes(pattern, a: int, b: int, chunk: int):
    """However often and wherever the stream breaks, if each brings a byte, the bytes are those of one stream."""
    start, end = min(a, b), max(a, b)
    source = Breaking([length for length, _ in pattern], [error for _, error in pattern], end, chunk)
    got = b"".join(resuming(source, start, end, name="x", patience=patient(attempts=1)))
    assert got == CONTENT[start:end]
    assert source.closed == len(source.opened)


def test_each_break_point_resumes_at_its_byte():
    """Broken after n bytes, the second stream begins at byte start + n, for every n."""
    for cut in range(101):
        source = Breaking([cut], [ReadInterrupted("cut")], 200)
        assert b"".join(resuming(source, 100, 200, name="x", patience=patient())) == CONTENT[100:200]
        assert source.opened == ([100] if cut == 100 else [100, 100 + cut])


@pytest.mark.parametrize("error", BREAKS, ids=lambda error: type(error).__name__)
def test_gives_up_after_attempts_without_progress(error: S3TorrentError | None):
    """The last break is raised as its own type, and names the object and the byte; a byte in between starts anew."""
    source = Breaking([0, 0, 50, 0, 0, 0, 0, 0], [error] * 8, 200)
    with pytest.raises(
        type(error) if error else ReadInterrupted, match=r"^x: 3 tries got no byte after 50 of \[0, 200\)"
    ):
        b"".join(resuming(source, 0, 200, name="x", patience=patient(attempts=3)))
    assert source.opened == [0, 0, 0, 50, 50, 50]


def test_waits_double_up_to_the_longest_and_start_anew_after_progress():
    """1, 2, 4, 5 seconds; after a byte, 1 again."""
    waits: list[float] = []
    source = Breaking([0, 0, 0, 0, 1, 0, 0], [ReadInterrupted("cut")] * 7, 100)
    b"".join(resuming(source, 0, 100, name="x", patience=patient(waits=waits)))
    assert waits == [1.0, 2.0, 4.0, 5.0, 1.0, 1.0, 2.0]


def test_jitter_cuts_a_wait_by_up_to_half():
    """At the extreme of the random number the wait is half of the full one."""
    waits: list[float] = []
    source = Breaking([0], [ReadInterrupted("cut")], 100)
    b"".join(resuming(source, 0, 100, name="x", patience=patient(waits=waits, jitter=1.0)))
    assert waits == [0.5]


@pytest.mark.parametrize("error", [ObjectChanged("changed"), AccessDenied("denied")], ids=lambda e: e.code)
def test_what_is_no_break_is_raised_at_once(error: S3TorrentError):
    """A changed object or a refusal does not get better by asking again."""
    source = Breaking([10], [error], 100)
    with pytest.raises(type(error)):
        b"".join(resuming(source, 0, 100, name="x", patience=patient()))
    assert source.opened == [0]


def test_nothing_is_opened_for_an_empty_range():
    """[5, 5) asks for nothing, so nothing is asked."""
    source = Breaking([], [], 5)
    assert list(resuming(source, 5, 5, name="x", patience=patient())) == []
    assert source.opened == []


def test_an_abandoned_read_closes_its_stream():
    """The consumer that stops in the middle leaves nothing open."""
    source = Breaking([], [], 100)
    chunks = resuming(source, 0, 100, name="x", patience=patient())
    assert next(chunks) == CONTENT[:7]
    chunks.close()
    assert source.closed == 1
