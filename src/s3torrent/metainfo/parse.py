"""Bytes -> Metainfo."""

from __future__ import annotations

from s3torrent.errors import InvalidMetainfo
from s3torrent.metainfo.bencode import decode_spans
from s3torrent.metainfo.model import Metainfo
from s3torrent.metainfo.validate import validate

MAX_BYTES = 64 << 20
"""The largest .torrent we read: six times what libtorrent loads by default."""


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Metainfo:
    """The torrent in ``data``, with every rule of validate.py kept; ``parse(data).encode() == data``.

    Memory: some 100 bytes for each bencoded value, at most 3,000,000 of them. Raises BencodeError where
    the bytes are malformed, InvalidMetainfo where they break a named rule; nothing else.
    """
    metainfo = read(data, max_bytes=max_bytes)
    validate(metainfo)
    return metainfo


def read(data: bytes, *, max_bytes: int = MAX_BYTES) -> Metainfo:
    """As ``parse``, but with no rule checked beyond there being an info dict: what ``problems`` wants."""
    if len(data) > max_bytes:
        raise InvalidMetainfo("metainfo", f"{len(data):,} bytes; expected at most {max_bytes:,}")
    top, spans = decode_spans(data)
    if not isinstance(top, dict):
        raise InvalidMetainfo("metainfo", f"the file holds a bencoded {type(top).__name__}; expected a dict")
    info = top.pop(b"info", None)
    if not isinstance(info, dict):
        what = "no info key" if info is None else f"info that is a {type(info).__name__}"
        raise InvalidMetainfo("info", f"found {what}; expected the info dict")
    start, end = spans[b"info"]
    return Metainfo(info_raw=bytes(data[start:end]), info=info, top=top)
