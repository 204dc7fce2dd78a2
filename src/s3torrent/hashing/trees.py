"""Merkle trees of many pieces at once (BEP 52): one level of all of them is one call of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.hashing.kernel import LEAF, pair_digests
from s3torrent.hashing.merkle import tree_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Tree = tuple[int, bytes]
"""Leaves of a piece's tree (a power of two), and the hashes of those that are there, 32 bytes each."""


def trees_of(leaves: bytes, file_length: int, piece_length: int) -> Iterator[Tree]:
    """The tree of each piece, of consecutive leaf hashes of a file that begin with a piece.

    A file's only piece is as wide as its leaves, any other as a whole piece.
    """
    if file_length <= piece_length:
        yield tree_width(len(leaves) // 32), leaves
        return
    width = piece_length // LEAF
    for at in range(0, len(leaves), width * 32):
        yield width, leaves[at : at + width * 32]


def roots(trees: Sequence[Tree]) -> bytes:
    """The root of each, 32 bytes, in their order."""
    found = [leaves for _, leaves in trees]
    by_width: dict[int, list[int]] = {}
    for index, (width, _) in enumerate(trees):
        if width > 1:
            by_width.setdefault(width, []).append(index)
    for width, indices in by_width.items():
        level = b"".join([found[index].ljust(width * 32, b"\0") for index in indices])
        while len(level) > len(indices) * 32:
            level = pair_digests(level)
        for number, index in enumerate(indices):
            found[index] = level[number * 32 : number * 32 + 32]
    return b"".join(found)
