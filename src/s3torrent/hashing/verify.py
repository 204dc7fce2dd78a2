"""Range hashes against those a torrent states."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import RangeHashes


def bad_pieces(layout: Layout, found: RangeHashes, *, v1: bytes, v2: bytes) -> list[int]:
    """Indices of the pieces in the range whose hash differs from the torrent's.

    ``v1`` and ``v2`` are all the torrent's hashes (20 and 32 bytes a piece), empty where it has none.
    """
    first = found.range.start // layout.piece_length
    count = -(-(found.range.end - found.range.start) // layout.piece_length)

    def differs(index: int, expected: bytes, actual: bytes, width: int) -> bool:
        at = (first + index) * width
        return bool(expected) and expected[at : at + width] != actual[index * width : (index + 1) * width]

    return [
        first + index
        for index in range(count)
        if differs(index, v1, found.v1, 20) or differs(index, v2, found.v2, 32)
    ]
