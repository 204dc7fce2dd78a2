"""Hashes of a file that comes in parts, for every piece length it may be given at its end.

A part is a whole range of pieces held in memory: it starts and, but for the last, ends on a piece boundary
of each candidate. v1 costs one SHA-1 for each candidate; v2 one SHA-256 in all, as larger pieces are built of
smaller ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING

from s3torrent.hashing.assemble import HashResult, assemble
from s3torrent.hashing.kernel import LEAF, leaf_digests, pair_digests, piece_digests
from s3torrent.hashing.layout import Layout
from s3torrent.hashing.merkle import root, tree_width
from s3torrent.hashing.ranges import PieceRange, RangeHashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class PartHashes:
    """Of stream bytes [start, end). ``v1``: piece length -> 20 bytes a piece; ``v2``: 32 bytes for every
    ``level`` bytes, the roots of their subtrees. ``sha1`` is that of the whole part.
    """

    start: int
    end: int
    sha1: bytes
    v1: Mapping[int, bytes]
    level: int
    v2: bytes


def hash_part(
    data: memoryview, start: int, *, version: str, lengths: Sequence[int], last: bool
) -> PartHashes:
    """``data`` is the part, ``start`` its place in the stream, ``lengths`` the candidate piece lengths."""
    v1 = {length: _pieces(data, length) for length in lengths} if version != "v2" else {}
    whole = next((pieces for pieces in v1.values() if len(pieces) == 20), None)
    level, v2 = LEAF, b""
    if version != "v1":
        v2 = leaf_digests(data)
        # The last part keeps its leaves: how its end is padded depends on the piece length.
        while not last and level < min(lengths):
            v2, level = pair_digests(v2), level * 2
    digest = whole or sha1(data, usedforsecurity=False).digest()
    return PartHashes(start, start + len(data), digest, v1, level, v2)


def assemble_parts(parts: Iterable[PartHashes], size: int, piece_length: int, version: str) -> HashResult:
    """The hashes of a single file of ``size`` bytes. KeyError where a part lacks ``piece_length``."""
    layout = Layout.of_files([size], piece_length, version)
    return assemble(layout, [_range_hashes(part, size, piece_length, version) for part in parts])


def _range_hashes(part: PartHashes, size: int, piece_length: int, version: str) -> RangeHashes:
    v1 = part.v1[piece_length] if version != "v2" else b""
    v2 = _roots(part, size, piece_length) if version != "v1" else b""
    return RangeHashes(PieceRange(part.start, part.end), v1, v2)


def _roots(part: PartHashes, size: int, piece_length: int) -> bytes:
    """A root a piece: the last padded to a whole piece, a file's only piece as wide as its leaves."""
    hashes, level = part.v2, part.level
    if size <= piece_length:
        return root(hashes, tree_width(len(hashes) // 32), level // LEAF)
    each = piece_length // level * 32
    whole = len(hashes) - len(hashes) % each
    rest = hashes[whole:]
    folded = hashes[:whole]
    while level < piece_length:
        folded, level = pair_digests(folded), level * 2
    return folded + (root(rest, each // 32, part.level // LEAF) if rest else b"")


def _pieces(data: memoryview, length: int) -> bytes:
    whole = len(data) - len(data) % length
    rest = sha1(data[whole:], usedforsecurity=False).digest() if whole < len(data) else b""
    return piece_digests(data[:whole], length) + rest
