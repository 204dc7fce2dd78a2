"""What any kernel must give, said by hashlib: shared by the tests of the seam and of the extension."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from hashlib import sha1, sha256
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAF = 16384
MOST = 40 * LEAF
RANDOM = os.urandom(MOST + 64)

SIZES = st.one_of(
    st.integers(0, 300),
    st.integers(0, MOST),
    st.builds(lambda leaves, more: max(0, leaves * LEAF + more), st.integers(0, 39), st.integers(-65, 65)),
)
STARTS = st.integers(0, 64)
"""Alignment of the first byte."""
PIECE_LENGTHS = st.one_of(st.integers(0, 6).map(lambda power: LEAF << power), st.integers(1000, 3 * LEAF))
HYBRID_PIECE_LENGTHS = st.integers(0, 6).map(lambda power: LEAF << power)

NIST = {
    "": (
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    "abc": (
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": (
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu": (
        "a49b2446a02c645bf419f995b67091253a04a259",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    ),
}
"""FIPS 180-4's examples: message -> SHA-1, SHA-256."""
MILLION_A = "34aa973cd4c4daa4f61eeb2bdbad27316534016f"
"""SHA-1 of a million times the letter a."""


def pieces_of(data: memoryview | bytes, length: int) -> bytes:
    return b"".join(sha1(data[at : at + length]).digest() for at in range(0, len(data), length))


def leaves_of(data: memoryview | bytes) -> bytes:
    return b"".join(sha256(data[at : at + LEAF]).digest() for at in range(0, len(data), LEAF))


def pairs_of(hashes: bytes) -> bytes:
    return b"".join(sha256(hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64))


@contextmanager
def file_of(content: bytes | memoryview) -> Iterator[int]:
    """The descriptor of a file that holds it."""
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(content)
        yield file.fileno()
