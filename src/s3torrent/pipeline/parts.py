"""How an object is cut into parts, so that wherever the policy allows its parts are its pieces.

S3 keeps the SHA-1 of each part: where all parts are one piece long, these are the hashes of a v1 torrent, and
it can be made again without reading the object.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.errors import TooLarge
from s3torrent.metainfo.piece_length import (
    AUTO,
    MAX,
    MIB,
    MIN,
    USUAL_MAX,
    candidates,
    check_fits,
    choose,
    describe,
)
from s3torrent.pipeline.content import PIECE_LENGTH_METADATA

if TYPE_CHECKING:
    from s3torrent.metainfo.policy import TorrentPolicy

SMALLEST_PART = 8 * MIB
"""The least power of two above S3's 5 MiB; SDKs start with it, too."""
LARGEST_PART = 512 * MIB
"""A part is held in memory; 10,000 of these are 4.9 TiB."""
MOST_PARTS = 10_000
GROWS_AFTER = 8_000
GROWTH = 8
"""The last 2,000 parts of a stream are this much larger, up to 128 MiB."""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """``part_size`` in bytes. ``pieces``: parts are to be pieces. ``length`` is the piece length where it is
    known, None where it depends on how much comes.
    """

    part_size: int
    pieces: bool
    length: int | None
    grows: bool = False

    def size_of(self, number: int) -> int:
        """Bytes of part ``number`` (from 1), if it is not the last; 0 past the last that S3 takes."""
        if number > MOST_PARTS:
            return 0
        if self.grows and number > GROWS_AFTER:
            return max(self.part_size, min(self.part_size * GROWTH, MAX))
        return self.part_size

    def lengths(self, end: int) -> tuple[int, ...]:
        """The piece lengths that a part ending at byte ``end`` of the stream is hashed for."""
        if self.length:
            return (self.length,)
        if self.pieces:
            return (self._piece_length(end),)
        return candidates(end)

    def metadata(self, size: int | None) -> dict[str, str]:
        """User metadata that makes every later torrent of these bytes the same one.

        ``size`` is that of the object, None where more than one part comes.
        """
        if not self.pieces:
            return {}
        return {PIECE_LENGTH_METADATA: str(self._piece_length(size or self.part_size))}

    def _piece_length(self, size: int) -> int:
        """The part size; where one part is all, the shortest piece length that holds it."""
        return min(self.part_size, max(MIN, 1 << (size - 1).bit_length()))


def for_file(size: int, policy: TorrentPolicy, smallest: int = SMALLEST_PART) -> PartPlan:
    """For ``size`` bytes, at least 1. Raises TooLarge."""
    part_size = smallest
    while -(-size // part_size) > MOST_PARTS:
        part_size *= 2
    if part_size > LARGEST_PART:
        raise TooLarge(
            f"{size:,} bytes do not go into {MOST_PARTS:,} parts of {describe(LARGEST_PART)}",
            hint="upload it with another program; the function makes its torrent",
        )
    if _asks_for_parts(policy) and part_size <= MAX:
        return PartPlan(part_size, pieces=True, length=None)
    if isinstance(policy.piece_length, int):
        length = policy.piece_length
        check_fits(length, (size,), version=policy.version)
    else:
        length = choose(size, version=policy.version).piece_length
    return PartPlan(max(part_size, length), pieces=False, length=length)


def for_stream(policy: TorrentPolicy, smallest: int = SMALLEST_PART) -> PartPlan:
    """For as much as comes: 187 GiB from 8 MiB parts, 375 GiB from 16 MiB."""
    if _asks_for_parts(policy):
        return PartPlan(smallest, pieces=True, length=None, grows=True)
    if isinstance(policy.piece_length, int):
        return PartPlan(
            max(smallest, policy.piece_length), pieces=False, length=policy.piece_length, grows=True
        )
    return PartPlan(max(smallest, USUAL_MAX), pieces=False, length=None, grows=True)


def _asks_for_parts(policy: TorrentPolicy) -> bool:
    return policy.piece_length == AUTO and policy.version == "v1"
