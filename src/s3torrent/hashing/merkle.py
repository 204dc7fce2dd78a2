"""The Merkle tree of BEP 52: SHA-256, 16 KiB leaves, padded to a power of two."""

from __future__ import annotations

from functools import cache

from s3torrent.hashing.kernel import pair_digests


@cache
def zero_root(leaves: int) -> bytes:
    """Root over ``leaves`` (a power of two) leaf hashes of 32 zero bytes: what stands for missing data."""
    return bytes(32) if leaves == 1 else pair_digests(zero_root(leaves // 2) * 2)


def root(hashes: bytes, width: int, leaves_each: int = 1) -> bytes:
    """Root of a tree ``width`` (a power of two) hashes wide.

    ``hashes`` is 32 bytes each, at least one; the missing ones are all-zero subtrees of ``leaves_each``.
    """
    while width > 1:
        if len(hashes) % 64:
            hashes += zero_root(leaves_each)
        hashes = pair_digests(hashes)
        width //= 2
        leaves_each *= 2
    return hashes


def tree_width(count: int) -> int:
    """The power of two that holds ``count`` hashes."""
    return 1 << (count - 1).bit_length()
