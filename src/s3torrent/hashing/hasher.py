"""Bytes of a range in, its RangeHashes out; any chunking gives the same digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.hashing.kernel import LEAF
from s3torrent.hashing.lanes import ALONE
from s3torrent.hashing.ranges import RangeHashes
from s3torrent.hashing.v1 import PieceHasher
from s3torrent.hashing.v2 import SubtreeHasher

if TYPE_CHECKING:
    from s3torrent.hashing.lanes import Lanes
    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import PieceRange

ZEROS = memoryview(bytes(1 << 20))


class RangeHasher:
    """Feed the range's extents in order: ``update`` with file bytes, ``end_extent`` after each file extent,
    ``pad`` for padding; then ``result``. The v1 and v2 digests of a hybrid come from the same chunk,
    while it is in the cache.
    """

    def __init__(self, layout: Layout, piece_range: PieceRange, lanes: Lanes = ALONE) -> None:
        self._layout = layout
        self._range = piece_range
        self._at = piece_range.start
        self._v1 = PieceHasher(layout.piece_length, lanes) if layout.version != "v2" else None
        self._v2 = SubtreeHasher(layout.piece_length) if layout.version != "v1" else None

    def update(self, data: memoryview | bytes) -> None:
        view = memoryview(data)
        if self._v1:
            self._v1.update(view)
        if self._v2:
            self._v2.update(view)
        self._at += len(view)

    def end_extent(self) -> None:
        """The file's bytes in this range end here: its last piece, if open, is closed (v2)."""
        if self._v2 and self._at % self._layout.piece_length:
            piece = self._at // self._layout.piece_length
            length = self._layout.file_lengths[self._layout.file_of_piece(piece)]
            one_piece = length <= self._layout.piece_length
            self._v2.end_piece(None if one_piece else self._layout.piece_length // LEAF)

    def pad(self, length: int) -> None:
        self._at += length
        while self._v1 and length:
            zeros = ZEROS[:length]
            self._v1.update(zeros)
            length -= len(zeros)

    def result(self) -> RangeHashes:
        if self._at != self._range.end:
            raise ValueError(f"range ends at {self._range.end}, {self._at} was reached")
        v1 = self._v1.digests() if self._v1 else b""
        v2 = self._v2.roots() if self._v2 else b""
        return RangeHashes(self._range, v1, v2)
