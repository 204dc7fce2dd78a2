"""Bulk hashing of pieces and leaves: by the C kernel (native/) where it is built and this CPU can run it,
else by hashlib, with the same digests.

Both release the GIL, so threads run in parallel. A buffer is contiguous bytes; ValueError where it is not, or
where a length cannot be.
"""

from __future__ import annotations

from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Protocol

from s3torrent.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Pread = Callable[[int, int, int], bytes]
    """``os.pread``: descriptor, length, offset -> bytes. Passed in, as this room touches no system."""

try:
    from s3torrent.hashing import _kernel
except ImportError:  # built without a compiler, or for another machine
    _kernel = None  # type: ignore[assignment]

LEAF = 16 * 1024
"""Bytes of one Merkle leaf (BEP 52)."""

VARIABLE = "S3TORRENT_KERNEL"
"""The environment variable that forces a kernel; the entries hand its value to ``choose``."""

AUTO, HASHLIB = "auto", "hashlib"
FAMILIES = ("sha-ni", "avx2", "avx512", "arm-sha")
NAMES = (AUTO, HASHLIB, *FAMILIES)

READ = 512 * 1024
"""Bytes that hashlib is given at once of a file: whole leaves, and little enough to stay in the cache."""


def usable() -> tuple[str, ...]:
    """The kernels of this build that this CPU can run."""
    built = _kernel.kernels() if _kernel else []
    return tuple(family for family in FAMILIES if family in built)


_native = [bool(usable())]
"""Whether the C kernel hashes; False: hashlib."""


def choose(name: str) -> None:
    """Use one kernel: a name of NAMES; ``auto`` or nothing: the quickest on this CPU, which is the default.

    ConfigError where the name is unknown, or the CPU or this build has no such kernel.
    """
    name = name.strip() or AUTO
    here = usable()
    if name not in (AUTO, HASHLIB, *here):
        why = ""
        if name in NAMES:
            why = ", which this CPU has not" if _kernel else ", and the C kernel is not built here"
        raise ConfigError(
            f"{VARIABLE} is {name[:100]!r}{why}; expected one of {', '.join((AUTO, HASHLIB, *here))}",
            hint=f"unset {VARIABLE}: the quickest is found by itself",
        )
    _native[0] = bool(here) and name != HASHLIB
    if _native[0]:
        _kernel.use(name)


def running() -> str:
    """What hashes here: ``hashlib``, or kernels and messages at once, ``sha1 avx2 x8, sha256 sha-ni x4``."""
    return "sha1 {}, sha256 {}".format(*_kernel.in_use()) if _native[0] else HASHLIB


def piece_digests(data: memoryview | bytes, piece_length: int) -> bytes:
    """SHA-1 of each piece in ``data`` (the last may be short): 20 bytes a piece."""
    if _native[0]:
        return _kernel.pieces(data, piece_length)
    view = _bytes(data)
    return b"".join(
        sha1(view[at : at + piece_length], usedforsecurity=False).digest()
        for at in range(0, len(view), _piece_length(piece_length))
    )


def leaf_digests(data: memoryview | bytes) -> bytes:
    """SHA-256 of each 16 KiB leaf in ``data`` (the last may be short): 32 bytes a leaf."""
    if _native[0]:
        return _kernel.leaves(data)
    view = _bytes(data)
    return b"".join(sha256(view[at : at + LEAF]).digest() for at in range(0, len(view), LEAF))


def leaf_digests_of_files(data: memoryview | bytes, lengths: Sequence[int]) -> bytes:
    """The leaf digests of many files whose bytes lie one after the other in ``data``, in their order.

    Each file begins a leaf of its own. ValueError where the lengths do not add up to the bytes there are.
    """
    if _native[0]:
        return _kernel.leaves_of_files(data, lengths)
    view = _bytes(data)
    if sum(lengths) != len(view) or any(length < 0 for length in lengths):
        raise ValueError(f"{len(view)} bytes of files; expected lengths of 0 and more that add up to that")
    digests, at = [], 0
    for length in lengths:
        digests.append(leaf_digests(view[at : at + length]))
        at += length
    return b"".join(digests)


def hybrid_digests(data: memoryview | bytes, piece_length: int) -> tuple[bytes, bytes]:
    """Both, of the same bytes while they are in the cache. A piece is a power of two, at least a leaf."""
    if _native[0]:
        return _kernel.hybrid(data, piece_length)
    view = _bytes(data)
    return piece_digests(view, _hybrid_piece_length(piece_length)), leaf_digests(view)


def pair_digests(hashes: memoryview | bytes) -> bytes:
    """One Merkle level up: SHA-256 of each pair of 32-byte hashes."""
    if _native[0]:
        return _kernel.pairs(hashes)
    view = _bytes(hashes)
    if len(view) % 64:
        raise ValueError(f"{len(view)} bytes of hashes; expected pairs of 32 bytes each")
    return b"".join(sha256(view[at : at + 64]).digest() for at in range(0, len(view), 64))


def file_piece_digests(fd: int, start: int, end: int, piece_length: int, pread: Pread) -> bytes:
    """``piece_digests`` of the regular file's bytes [start, end), read into a few hundred KiB.

    EOFError where the file ends before, OSError as reading raises it. Signals wait for the end of the call:
    keep a call to 128 MiB or so.
    """
    if _native[0]:
        return _kernel.file_pieces(fd, start, end, piece_length)
    pieces = []
    for at in range(start, _end(start, end), _piece_length(piece_length)):
        piece = sha1(usedforsecurity=False)
        for part in _parts(fd, at, min(at + piece_length, end), pread):
            piece.update(part)
        pieces.append(piece.digest())
    return b"".join(pieces)


def file_leaf_digests(fd: int, start: int, end: int, pread: Pread) -> bytes:
    """``leaf_digests`` of the regular file's bytes [start, end), otherwise as ``file_piece_digests``."""
    if _native[0]:
        return _kernel.file_leaves(fd, start, end)
    return b"".join(leaf_digests(part) for part in _parts(fd, start, _end(start, end), pread))


def file_hybrid_digests(
    fd: int, start: int, end: int, piece_length: int, pread: Pread
) -> tuple[bytes, bytes]:
    """``hybrid_digests`` of the regular file's bytes [start, end), otherwise as ``file_piece_digests``."""
    if _native[0]:
        return _kernel.file_hybrid(fd, start, end, piece_length)
    pieces, leaves = [], []
    for at in range(start, _end(start, end), _hybrid_piece_length(piece_length)):
        piece = sha1(usedforsecurity=False)
        for part in _parts(fd, at, min(at + piece_length, end), pread):
            piece.update(part)
            leaves.append(leaf_digests(part))
        pieces.append(piece.digest())
    return b"".join(pieces), b"".join(leaves)


class Sha1(Protocol):
    """The SHA-1 of a stream so far."""

    def update(self, data: memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


def sha1_stream() -> Sha1:
    return _kernel.Sha1() if _native[0] else sha1(usedforsecurity=False)


def streams_at_once() -> int:
    """How many streams one core carries on at once at its best."""
    return _kernel.width() if _native[0] else 1


def update_streams(streams: Sequence[Sha1], data: Sequence[memoryview]) -> None:
    """``streams[i].update(data[i])`` for all; of any lengths. The streams must be different ones."""
    if _native[0] and all(isinstance(stream, _kernel.Sha1) for stream in streams):
        _kernel.update_many(streams, data)
        return
    for stream, view in zip(streams, data, strict=True):
        stream.update(view)


def _bytes(data: memoryview | bytes) -> memoryview:
    view = memoryview(data)
    if not view.c_contiguous:
        raise ValueError("the bytes do not lie in a row; expected a contiguous buffer")
    return view.cast("B") if view.nbytes else memoryview(b"")


def _piece_length(length: int) -> int:
    if length <= 0:
        raise ValueError(f"piece length is {length}; expected at least 1")
    return length


def _hybrid_piece_length(length: int) -> int:
    if length < LEAF or length & (length - 1):
        raise ValueError(f"piece length is {length}; expected a power of two from {LEAF} (BEP 52)")
    return length


def _end(start: int, end: int) -> int:
    if not 0 <= start <= end:
        raise ValueError(f"range is {start}..{end}; expected 0 <= start <= end")
    return end


def _parts(fd: int, start: int, end: int, pread: Pread) -> Iterator[bytes]:
    """The file's bytes, READ at a time but for the last."""
    for at in range(start, end, READ):
        wanted = min(READ, end - at)
        part = pread(fd, wanted, at)
        while len(part) < wanted:
            more = pread(fd, wanted - len(part), at + len(part))
            if not more:
                raise EOFError(f"the file ends at {at + len(part)}; expected at least {end} bytes")
            part += more
        yield part
