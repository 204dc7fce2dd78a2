"""How the largest objects are spread: each child of the state machine hashes a slice, ranges of ``cut``.

A range is what one GET brings, a slice what one invocation of the function does: seconds to a minute of work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.engine.cut import range_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import PieceRange

MOST_SLICES = 10_000
"""Children of one Distributed Map that run at once at most; a list of their numbers is 59 KB of the 256 KB
that a state may hand on. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
SHARES = 16
LEAST_SLICE, USUAL_SLICE = 128 << 20, 1 << 30


def slice_length(layout: Layout) -> int:
    """Bytes, whole ranges: by the size alone, so that every child cuts alike."""
    step = max(range_length(layout) // layout.piece_length, 1) * layout.piece_length
    usual = min(max(layout.size // SHARES, LEAST_SLICE), USUAL_SLICE)
    return -(-max(usual, -(-layout.size // MOST_SLICES)) // step) * step


def slice_count(layout: Layout) -> int:
    return -(-layout.size // slice_length(layout))


def ranges_of(layout: Layout, number: int) -> Iterator[PieceRange]:
    """Those of the slice, in order. ``number`` counts from 0; IndexError past the last."""
    if not 0 <= number < slice_count(layout):
        raise IndexError(f"slice {number} of {slice_count(layout)}")
    start = number * slice_length(layout)
    end = start + slice_length(layout)
    return layout.split(range_length(layout), start, end)
