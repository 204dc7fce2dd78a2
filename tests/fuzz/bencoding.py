"""Bytes -> ``metainfo.bencode.decode``: the one value they hold, and what it encodes to is what they were."""

from __future__ import annotations

from fuzz.saying import check_error
from s3torrent.errors import BencodeError
from s3torrent.metainfo import bencode


def target(data: bytes) -> None:
    try:
        value, spans = bencode.decode_spans(data)
    except BencodeError as error:
        check_error(error)
        check_offset(error.offset, data)
        return
    assert bencode.encode(value) == data
    assert bencode.decode(memoryview(data)) == value
    for key, (start, end) in spans.items():
        assert bencode.decode(data[start:end]) == value[key]


def check_offset(offset: int, data: bytes) -> None:
    assert 0 <= offset <= len(data)
