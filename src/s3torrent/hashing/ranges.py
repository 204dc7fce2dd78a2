"""The unit of all work: a range of pieces, and its hashes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class PieceRange:
    """Stream bytes [start, end): both on piece boundaries, or ``end`` at the stream's end."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RangeHashes:
    """``v1``: SHA-1, 20 bytes a piece; ``v2``: Merkle subtree root, 32 bytes a piece; else empty."""

    range: PieceRange
    v1: bytes = b""
    v2: bytes = b""
