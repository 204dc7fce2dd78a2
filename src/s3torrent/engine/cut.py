"""How a layout is cut into the ranges that are read and hashed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import PieceRange

LEAST_RANGE, MOST_RANGE = 8 << 20, 64 << 20
"""Bytes of one range, a GET each. AWS advises 8 to 16 MB for byte-range fetches; where an object is large
enough to keep every connection busy, fewer and longer ones save requests, their latency and their CPU time.
https://docs.aws.amazon.com/whitepapers/latest/s3-optimizing-performance-best-practices/use-byte-range-fetches.html
"""
RANGES = 32
"""An object up to MOST_RANGE x this is cut into about as many."""


def range_length(layout: Layout) -> int:
    """Bytes of a range (a piece at least): by the size alone, so that another machine cuts alike."""
    return min(max(LEAST_RANGE, layout.size // RANGES), MOST_RANGE)


def cut(layout: Layout) -> Iterator[PieceRange]:
    """The ranges, in order."""
    return layout.split(range_length(layout))


def range_at(layout: Layout, start: int) -> PieceRange | None:
    """The one of ``cut`` that begins there; None where none does. There may be 800,000 others."""
    step = max(range_length(layout) // layout.piece_length, 1) * layout.piece_length
    return next(layout.split(step, start, start + 1), None) if start >= 0 and not start % step else None


def ranges_in(size: int) -> int:
    """About how many GETs an object of so many bytes takes, whatever its piece length."""
    return -(-size // min(max(LEAST_RANGE, size // RANGES), MOST_RANGE))
