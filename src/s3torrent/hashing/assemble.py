"""Range hashes, in any order, to what a metainfo needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.hashing.kernel import LEAF
from s3torrent.hashing.merkle import root, tree_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import RangeHashes


@dataclass(frozen=True, slots=True)
class HashResult:
    """``pieces``: 20 bytes a piece (None in v2). ``file_roots``: the pieces root of each file, None for an
    empty one. ``piece_layers``: pieces root -> 32 bytes a piece, for each file larger than a piece.
    Both None in v1.
    """

    pieces: bytes | None
    file_roots: tuple[bytes | None, ...] | None
    piece_layers: Mapping[bytes, bytes] | None


def join(layout: Layout, results: Iterable[RangeHashes]) -> tuple[bytes, bytes]:
    """All v1 and all v2 hashes, in order of pieces. ValueError where ranges miss or overlap."""
    ordered = sorted(results, key=lambda result: result.range)
    at = 0
    for result in ordered:
        if result.range.start != at:
            raise ValueError(f"range hashes leave {at}..{result.range.start} uncovered or covered twice")
        at = result.range.end
    if at != layout.size:
        raise ValueError(f"range hashes end at {at} of {layout.size} bytes")
    return b"".join(result.v1 for result in ordered), b"".join(result.v2 for result in ordered)


def assemble(layout: Layout, results: Iterable[RangeHashes]) -> HashResult:
    v1, v2 = join(layout, results)
    pieces = v1 if layout.version != "v2" else None
    if layout.version == "v1":
        return HashResult(pieces, None, None)
    roots: list[bytes | None] = []
    layers: dict[bytes, bytes] = {}
    for hashes in split_by_file(layout, v2):
        count = len(hashes) // 32
        if count > 1:
            file_root = root(hashes, tree_width(count), layout.piece_length // LEAF)
            layers[file_root] = hashes
            roots.append(file_root)
        else:
            roots.append(hashes or None)
    return HashResult(pieces, tuple(roots), layers)


def split_by_file(layout: Layout, v2: bytes) -> list[bytes]:
    """The v2 hashes of each file, in order of files."""
    at = 0
    parts = []
    for file in range(len(layout.file_lengths)):
        size = -(-layout.file_lengths[file] // layout.piece_length) * 32
        parts.append(v2[at : at + size])
        at += size
    return parts


def piece_roots(
    layout: Layout, file_roots: Sequence[bytes | None], piece_layers: Mapping[bytes, bytes]
) -> bytes:
    """The other way round: the v2 hash each piece must have, 32 bytes a piece."""
    return b"".join(
        piece_layers[file_root] if layout.file_lengths[file] > layout.piece_length else file_root
        for file, file_root in enumerate(file_roots)
        if file_root is not None
    )
