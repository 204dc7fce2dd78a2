"""What a person names: a path, ``-``, or ``s3://BUCKET/KEY``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from s3torrent.errors import MetainfoError, TooLarge, UsageError
from s3torrent.metainfo.parse import parse
from s3torrent.types import ObjectRef
from s3torrent.wiring import Clients, local_store, s3_store

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.store.base import BucketReader, ObjectReader

MAX_TORRENT_BYTES = 64 << 20
CORES = min(8, max(2, os.cpu_count() or 2))
CONNECTIONS = 8
"""For one object: while one waits for its answer the others bring bytes."""


def locate(text: str, *, folders: bool = False) -> ObjectRef:
    """``s3://BUCKET/KEY`` (the key as it is, nothing decoded) or a path, made absolute.

    ``folders``: also ``s3://BUCKET/``, the whole of it, with the key "".
    """
    if not text:
        raise UsageError("an empty name is no file", hint="expected a path or s3://BUCKET/KEY")
    if not text.startswith("s3://"):
        return ObjectRef("", str(Path(text).absolute()))
    bucket, slash, key = text[len("s3://") :].partition("/")
    if not bucket or not (key or (slash and folders)):
        expected = "expected s3://BUCKET/KEY"
        raise UsageError(
            f"{text!r} names no object",
            hint=f"{expected}, or s3://BUCKET/ for all that lies in it" if folders else expected,
        )
    return ObjectRef(bucket, key)


def threads_for(ref: ObjectRef) -> int:
    return CONNECTIONS if ref.bucket else CORES


def reader_of(ref: ObjectRef) -> ObjectReader:
    """The store behind a location."""
    return bucket_reader() if ref.bucket else local_store()


def bucket_reader() -> BucketReader:
    """S3, as AWS_ENDPOINT_URL says."""
    from s3torrent.config import endpoint_url  # noqa: PLC0415 - what is on this machine needs no settings

    return s3_store(Clients(endpoint_url(os.environ), connections=CONNECTIONS + 2))


def read_torrent(text: str) -> Metainfo:
    """A .torrent from a path, standard input (``-``) or S3. Raises MetainfoError that names it."""
    if text == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed", hint="name a file")
        body = sys.stdin.buffer.read(MAX_TORRENT_BYTES + 1)
    else:
        ref = locate(text)
        try:
            body = reader_of(ref).get(ref, MAX_TORRENT_BYTES)
        except TooLarge as error:
            raise MetainfoError(f"{text} is not a torrent: {error.message}") from None
    try:
        return parse(body)
    except MetainfoError as error:
        error.message = f"{'standard input' if text == '-' else text} is not a valid torrent: {error.message}"
        raise
