"""Bulk hashing of whole pieces and whole leaves: the seam where a faster kernel goes. Now: hashlib.

hashlib releases the GIL for more than 2,047 bytes, so threads run in parallel.
"""

from __future__ import annotations

from hashlib import sha1, sha256

LEAF = 16 * 1024
"""Bytes of one Merkle leaf (BEP 52)."""

NAME = "hashlib"


def piece_digests(data: memoryview, piece_length: int) -> bytes:
    """SHA-1 of each whole piece in ``data`` (a multiple of the piece length): 20 bytes a piece."""
    return b"".join(
        sha1(data[at : at + piece_length], usedforsecurity=False).digest()
        for at in range(0, len(data), piece_length)
    )


def leaf_digests(data: memoryview) -> bytes:
    """SHA-256 of each 16 KiB leaf in ``data`` (the last may be short): 32 bytes a leaf."""
    return b"".join(sha256(data[at : at + LEAF]).digest() for at in range(0, len(data), LEAF))


def pair_digests(hashes: bytes) -> bytes:
    """One Merkle level up: SHA-256 of each pair of 32-byte hashes."""
    view = memoryview(hashes)
    return b"".join(sha256(view[at : at + 64]).digest() for at in range(0, len(view), 64))
