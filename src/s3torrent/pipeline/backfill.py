"""A bucket that is already full: which of its objects want a torrent, what that takes, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.engine.cut import ranges_in
from s3torrent.pipeline.content import no_torrent_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from s3torrent.pipeline.survey import Found
    from s3torrent.types import ObjectRef, ObjectVersion

RATE = 100_000_000
"""Bytes a second that one run of the function reads and hashes: 60 to 140 MB/s."""
EACH_SECONDS = 0.3
"""What an object takes besides: its requests, one after the other."""
HEADS, PUTS, STATUS_WRITES = 3, 1, 2
"""Requests besides the GETs of its ranges: look at it, at its torrent, at it again; the torrent."""
QUEUE_CALLS = 2.1
"""SQS requests: sent ten at a time, received and deleted one by one."""

PRICES = {
    "lambdaGbSecond": 0.0000166667,
    "lambdaRequest": 0.20e-6,
    "s3Get": 0.4e-6,
    "s3Put": 5.0e-6,
    "dynamodbWrite": 0.625e-6,
    "sqsRequest": 0.4e-6,
}
"""US dollars in us-east-1, for x86 functions and on-demand tables, as AWS listed them in 2025. Reading from
S3 by a function in the bucket's region costs no transfer.
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted besides the function's own rules. Sizes in bytes; ``since`` and ``until`` of the last
    change. ``every``: also what has a torrent that is no older.
    """

    min_size: int = 0
    max_size: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    every: bool = False

    def takes(self, version: ObjectVersion) -> bool:
        return (
            self.min_size <= version.size
            and (self.max_size is None or version.size <= self.max_size)
            and (self.since is None or version.last_modified >= self.since)
            and (self.until is None or version.last_modified < self.until)
        )


@dataclass(slots=True)
class Tally:
    """What was looked at, and what of it is wanted. ``done``: those with a torrent that is newer;
    ``missing``: those that were named, but are not there. ``zero_read`` of the wanted, of ``zero_bytes`` in
    all, may be made of the SHA-1s that S3 keeps; ``ranges`` are those of the rest.
    """

    objects: int = 0
    done: int = 0
    left_out: int = 0
    missing: int = 0
    wanted: int = 0
    bytes: int = 0
    ranges: int = 0
    zero_read: int = 0
    zero_bytes: int = 0

    def requests(self) -> int:
        """To S3."""
        return self.wanted * (HEADS + PUTS) + self.ranges + self.zero_read

    def seconds(self) -> float:
        """Of one run of the function after the other."""
        return (self.bytes - self.zero_bytes) / RATE + self.wanted * EACH_SECONDS

    def dollars(self, memory_mb: int) -> float:
        """Through the queue, by functions of so much memory."""
        price = PRICES
        return (
            self.seconds() * memory_mb / 1024 * price["lambdaGbSecond"]
            + self.wanted * price["lambdaRequest"]
            + (self.wanted * HEADS + self.ranges + self.zero_read) * price["s3Get"]
            + self.wanted * PUTS * price["s3Put"]
            + self.wanted * STATUS_WRITES * price["dynamodbWrite"]
            + self.wanted * QUEUE_CALLS * price["sqsRequest"]
        )

    def as_dict(self, memory_mb: int) -> dict[str, Any]:
        """docs/json.md has the schema."""
        return {
            "objects": self.objects,
            "done": self.done,
            "leftOut": self.left_out,
            "missing": self.missing,
            "wanted": self.wanted,
            "zeroRead": self.zero_read,
            "bytes": self.bytes,
            "requests": self.requests(),
            "functionMinutes": round(self.seconds() / 60, 2),
            "dollars": round(self.dollars(memory_mb), 4),
        }


def wanted(
    found: Iterable[Found],
    tally: Tally,
    drops: Callable[[ObjectRef], object],
    only: Filter,
    *,
    zero_read: bool = False,
) -> Iterator[tuple[ObjectVersion, str]]:
    """The objects that want a torrent, each with the marker from which on a listing tells the rest.

    ``drops`` tells of an object that the function would drop. What has a torrent that is no older is done,
    but with ``only.every``; what no torrent can be made of is left out. ``zero_read``: whether the policy
    allows for making torrents without reading.
    """
    for one in found:
        version = one.object
        if version is None:
            continue
        tally.objects += 1
        if drops(version.ref) or not only.takes(version) or no_torrent_of(version):
            tally.left_out += 1
        elif one.torrent and not one.is_stale and not only.every:
            tally.done += 1
        else:
            tally.wanted += 1
            tally.bytes += version.size
            if zero_read and (version.sha1 or version.sha1_told):
                tally.zero_read += 1
                tally.zero_bytes += version.size
            else:
                tally.ranges += ranges_in(version.size)
            yield version, one.marker
