"""One body, read into one buffer, also where it is not an http.client response that lies below."""

from __future__ import annotations

import io

import pytest
from botocore.response import StreamingBody

from s3torrent.errors import ReadInterrupted
from s3torrent.store.s3_body import body_chunks

CONTENT = bytes(range(100))


def chunks_of(length: int, skip: int, count: int, declared: int = 100) -> list[bytes]:
    stream = io.BytesIO(CONTENT)
    body = StreamingBody(stream, declared)
    got = [bytes(chunk) for chunk in body_chunks(body, skip, count, memoryview(bytearray(length)))]
    assert stream.closed
    return got


@pytest.mark.parametrize("length", [1, 7, 50, 100, 200])
@pytest.mark.parametrize("skip", [0, 1, 49, 99, 100])
def test_what_is_skipped_is_never_seen(length: int, skip: int):
    """The chunks are the bytes after it, none longer than the buffer and none empty."""
    got = chunks_of(length, skip, 100 - skip)
    assert b"".join(got) == CONTENT[skip:]
    assert all(1 <= len(chunk) <= length for chunk in got)


def test_no_more_is_read_than_asked_for():
    """The rest of the body is left, and the body closed."""
    assert chunks_of(8, 10, 20) == [CONTENT[10:18], CONTENT[18:26], CONTENT[26:30]]


@pytest.mark.parametrize("declared", [100, 150], ids=["as declared", "shorter than declared"])
def test_a_short_body_is_a_break(declared: int):
    """ReadInterrupted, after what there was; the body is closed."""
    stream = io.BytesIO(CONTENT)
    chunks = body_chunks(StreamingBody(stream, declared), 0, 150, memoryview(bytearray(64)))
    assert bytes(next(chunks)) + bytes(next(chunks)) == CONTENT
    with pytest.raises(ReadInterrupted):
        next(chunks)
    assert stream.closed


def test_an_abandoned_body_is_closed():
    """As soon as the reader is given up."""
    stream = io.BytesIO(CONTENT)
    chunks = body_chunks(StreamingBody(stream, 100), 0, 100, memoryview(bytearray(8)))
    next(chunks)
    chunks.close()
    assert stream.closed
