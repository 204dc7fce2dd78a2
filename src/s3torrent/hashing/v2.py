"""Merkle subtree root of each piece (BEP 52)."""

from __future__ import annotations

from s3torrent.hashing.kernel import LEAF, leaf_digests
from s3torrent.hashing.merkle import root, tree_width


class SubtreeHasher:
    """Feed the bytes of one file after the other, ``end_piece`` after each file's last piece.

    Holds at most one leaf of data, 32 bytes for each leaf of the open piece, and 32 bytes a piece.
    """

    def __init__(self, piece_length: int) -> None:
        self._piece_length = piece_length
        self._roots = bytearray()
        self._leaves = bytearray()
        self._rest = bytearray()
        self._filled = 0

    def update(self, data: memoryview) -> None:
        while data:
            head = data[: self._piece_length - self._filled]
            self._hash(head)
            self._filled += len(head)
            data = data[len(head) :]
            if self._filled == self._piece_length:
                self.end_piece(self._piece_length // LEAF)

    def _hash(self, data: memoryview) -> None:
        if self._rest:
            missing = LEAF - len(self._rest)
            self._rest += data[:missing]
            data = data[missing:]
            if len(self._rest) < LEAF:
                return
            self._leaves += leaf_digests(memoryview(bytes(self._rest)))
            self._rest.clear()
        whole = len(data) - len(data) % LEAF
        self._leaves += leaf_digests(data[:whole])
        self._rest += data[whole:]

    def end_piece(self, width: int | None) -> None:
        """Close the open piece as a tree ``width`` leaves wide; None: as wide as a file's only piece."""
        if not self._filled:
            return
        if self._rest:
            self._leaves += leaf_digests(memoryview(bytes(self._rest)))
        self._roots += root(bytes(self._leaves), width or tree_width(len(self._leaves) // 32))
        self._leaves.clear()
        self._rest.clear()
        self._filled = 0

    def roots(self) -> bytes:
        return bytes(self._roots)
