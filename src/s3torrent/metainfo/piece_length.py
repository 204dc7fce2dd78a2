"""How long a piece is: the by-size rule with its reason in words, and what a person may ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.errors import PieceLengthError, TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

AUTO = "auto"
"""That of its parts where the object or S3 says so (as ``put`` has it do), else by size."""
BY_SIZE = "by-size"

KIB = 1 << 10
MIB = 1 << 20
MIN = 16 * KIB
MAX = 128 * MIB
USUAL_MAX = 16 * MIB
"""Exceeded only where the .torrent would not load: a bad piece is fetched again whole."""
MOST_PIECES = 2000
MAX_TORRENT = 10_000_000
"""Bytes of .torrent that libtorrent loads by default."""
RESERVE = 10_000
"""Bytes kept free in the .torrent for name, trackers, web seeds and comment."""

BYTES_PER_PIECE = {"v1": 20, "v2": 32, "hybrid": 52}

_ASKED = re.compile(r"\s*(\d{1,18})\s*(kib|mib)?\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PieceLengthChoice:
    """A piece length in bytes, and why it is that, for people."""

    piece_length: int
    reason: str


def choose(
    size: int, *, version: str, file_overhead: int = 0, lengths: Sequence[int] = ()
) -> PieceLengthChoice:
    """The piece length for ``size`` bytes of content in a ``version`` torrent ("v1", "v2", "hybrid").

    The power of two from 16 KiB to 16 MiB that gives 1,000 to 2,000 pieces; above that, up to 128 MiB, the
    first with which the .torrent stays under 10,000,000 bytes. ``lengths`` are those of the files, where
    each has pieces of its own, as in v2 and hybrid. ``file_overhead``: bytes that the file list or tree
    takes in it. Raises TooLarge where no piece length is enough.
    """
    files = lengths or (size,)
    length = MIN
    while length < USUAL_MAX and _pieces((size,), length) > MOST_PIECES:
        length *= 2
    by_count = length
    while length < MAX and _torrent_bytes(files, length, version, file_overhead) > MAX_TORRENT:
        length *= 2
    check_fits(length, files, version=version, file_overhead=file_overhead)
    pieces = _pieces(files, length)
    counted = f"{pieces:,} piece{'' if pieces == 1 else 's'} of {describe(length)}"
    return PieceLengthChoice(length, f"{counted}: {_why(length, by_count, _pieces((size,), length))}")


def candidates(at_least: int) -> tuple[int, ...]:
    """Every piece length to 16 MiB that ``choose`` may give to a single file of ``at_least`` bytes or more.

    Few die as content grows, so whoever does not know its length keeps the hashes of these. A single file is
    given more than 16 MiB only past 3 TB (hybrid; v2 5 TB, v1 8 TB), which no recording reaches.
    """
    lengths = [MIN << step for step in range((USUAL_MAX // MIN).bit_length())]
    return tuple(
        length for length in lengths if _pieces((at_least,), length) <= MOST_PIECES or length == USUAL_MAX
    )


def check_fits(length: int, files: Sequence[int], *, version: str, file_overhead: int = 0) -> None:
    """Raises TooLarge where pieces of ``length`` make a .torrent that clients do not load."""
    told = _torrent_bytes(files, length, version, file_overhead)
    if told > MAX_TORRENT:
        raise TooLarge(
            f"{sum(files):,} bytes in pieces of {describe(length)} make a .torrent of about {told:,} bytes; "
            f"expected at most {MAX_TORRENT:,}, which is what clients load"
        )


def _torrent_bytes(files: Sequence[int], length: int, version: str, file_overhead: int) -> int:
    return _pieces(files, length) * BYTES_PER_PIECE[version] + file_overhead + RESERVE


def _pieces(files: Sequence[int], length: int) -> int:
    return sum(-(-size // length) for size in files)


def _why(length: int, by_count: int, pieces: int) -> str:
    if length > by_count:
        return f"the first power of two that keeps the .torrent under {MAX_TORRENT:,} bytes"
    if pieces > MOST_PIECES:
        return "the longest piece length in common use"
    if length == MIN and pieces <= MOST_PIECES // 2:
        return "the shortest piece length there is"
    return "the power of two that gives 1,000 to 2,000 pieces"


def parse_piece_length(text: str) -> int:
    """Bytes asked for as "16KiB" to "128MiB" or as a plain number; case and spaces do not matter.

    Raises PieceLengthError, with what was found and the nearest valid values.
    """
    asked = _ASKED.fullmatch(text)
    if asked is None:
        raise PieceLengthError(f"piece length {text[:40]!r}; expected a number of bytes, KiB or MiB")
    unit = {"": 1, "kib": KIB, "mib": MIB}[(asked[2] or "").lower()]
    length = int(asked[1]) * unit
    if MIN <= length <= MAX and length & (length - 1) == 0:
        return length
    below = 1 << max(length.bit_length() - 1, 0)
    nearest = dict.fromkeys(min(max(near, MIN), MAX) for near in (below, below * 2))
    raise PieceLengthError(
        f"piece length {text.strip()!r} is not a power of two from 16 KiB to 128 MiB; "
        f"nearest: {' and '.join(map(describe, nearest))}"
    )


def describe(length: int) -> str:
    """``length`` for people: "64 KiB", "5 MiB", "1,000 bytes"."""
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if length and length % unit == 0:
            return f"{length // unit:,} {name}"
    return f"{length:,} bytes"
