"""Pieces without reading: the SHA-1s that S3 keeps of an object's parts are the hashes of its v1 pieces.

They are where each part but the last is one piece long. The list proves itself: the SHA-1 over it is the
composite checksum that S3 made when the upload was completed. The piece length is chosen before, by the one
rule there is, so that no torrent depends on whether its object was read (docs/adr/0015-zero-read.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from itertools import pairwise
from typing import TYPE_CHECKING

from s3torrent.errors import S3TorrentError
from s3torrent.hashing.ranges import PieceRange, RangeHashes
from s3torrent.store.base import PartReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from s3torrent.engine.base import Progress
    from s3torrent.hashing.layout import Layout
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectVersion, PartSha1


@dataclass(frozen=True, slots=True)
class Known:
    """What need not be read: the hashes of the whole layout, or none. ``reason`` says why, in words; it is
    empty where the store told no SHA-1 of the content at all, or none that such a torrent has use for.
    """

    results: tuple[RangeHashes, ...] = ()
    reason: str = ""


class Unproved(Exception):
    """Why the content has to be read."""


def known_hashes(
    layout: Layout, versions: Sequence[ObjectVersion], reader: ObjectReader, progress: Progress
) -> Known:
    """``versions`` are those behind the layout's files. Whatever is odd leads to none: reading is right.

    Requests: none where what HEAD told rules it out or is enough, else one for 1,000 parts. ``progress`` is
    called after each; what it raises is raised. Memory: the parts, 10,000 at most.
    """
    if layout.version != "v1" or len(versions) != 1 or versions[0].sha1 is None:
        return Known()
    try:
        pieces = _pieces(layout, versions[0], reader, progress)
    except Unproved as why:
        return Known(reason=f"read, as {why}")
    results = (RangeHashes(PieceRange(0, layout.size), b"".join(pieces)),)
    return Known(results, "nothing was read: the store knows the SHA-1 of each piece")


def _pieces(layout: Layout, version: ObjectVersion, reader: ObjectReader, progress: Progress) -> list[bytes]:
    known = version.sha1
    assert known
    if known.parts is None:
        if layout.piece_count != 1:
            raise Unproved(
                f"the SHA-1 that is known is of the whole, not of its {layout.piece_count:,} pieces"
            )
        return [known.digest]
    if known.parts != layout.piece_count:
        raise Unproved(f"its {known.parts:,} parts are not its {layout.piece_count:,} pieces")
    parts = _parts(version, reader, progress)
    bounds = [*range(0, layout.size, layout.piece_length), layout.size]
    wanted = [(number, end - start) for number, (start, end) in enumerate(pairwise(bounds), 1)]
    if [(part.number, part.size) for part in parts] != wanted:
        raise Unproved("its parts are not its pieces")
    pieces = [part.sha1 for part in parts]
    if sha1(b"".join(pieces), usedforsecurity=False).digest() != known.digest:
        raise Unproved("the SHA-1s of its parts do not give the composite checksum of the whole")
    return pieces


def _parts(version: ObjectVersion, reader: ObjectReader, progress: Progress) -> list[PartSha1]:
    if not isinstance(reader, PartReader):
        raise Unproved("its store does not tell of parts")
    found: list[PartSha1] = []
    pages: Iterator[Sequence[PartSha1]] | None = None
    while True:
        try:
            pages = pages or reader.part_sha1s(version)
            page = next(pages, None)
        except S3TorrentError as error:
            raise Unproved(
                f"the SHA-1s of its parts could not be had: {error.code}: {error.message}"
            ) from None
        if page is None:
            return found
        found += page
        progress(0)  # not within the try: what it raises is nobody's excuse for reading
