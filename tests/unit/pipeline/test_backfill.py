"""What a full bucket wants, and what it costs, on paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from s3torrent.pipeline.backfill import RATE, Filter, Tally, wanted
from s3torrent.pipeline.survey import Found
from s3torrent.types import ContentSha1, ObjectRef, ObjectVersion

NOW = datetime(2026, 11, 24, tzinfo=UTC)
MIB = 1 << 20


def version(key: str, size: int = 1000, seconds: int = 0) -> ObjectVersion:
    return ObjectVersion(ObjectRef("bucket", key), None, "etag", size, NOW + timedelta(seconds=seconds))


def chosen(*found: Found, only: Filter | None = None) -> tuple[list[str], Tally]:
    tally = Tally()
    kept = wanted(found, tally, lambda ref: ref.key == "dropped", only or Filter())
    return [one.ref.key for one, _ in kept], tally


def test_only_what_has_no_torrent_or_an_older_one_is_wanted() -> None:
    found = (
        Found(version("new"), None, ""),
        Found(version("done"), version("done.torrent", seconds=1), ""),
        Found(version("stale", seconds=2), version("stale.torrent", seconds=1), ""),
        Found(version("dropped"), None, ""),
        Found(None, version("orphan.torrent"), ""),
    )
    keys, tally = chosen(*found)
    assert keys == ["new", "stale"]
    assert (tally.objects, tally.wanted, tally.done, tally.left_out) == (4, 2, 1, 1)
    assert chosen(*found, only=Filter(every=True))[0] == ["new", "done", "stale"]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (Filter(min_size=2000), ["large"]),
        (Filter(max_size=1999), ["small", "late"]),
        (Filter(since=NOW + timedelta(seconds=1)), ["late"]),
        (Filter(until=NOW + timedelta(seconds=1)), ["small", "large"]),
        (Filter(min_size=1000, max_size=1000, until=NOW), []),
    ],
)
def test_sizes_and_dates(only: Filter, expected: list[str]) -> None:
    """From a size or a date on, and up to a size; a date of the end is not in it."""
    found = [version("small"), version("large", 2000), version("late", seconds=1)]
    assert chosen(*(Found(one, None, "") for one in found), only=only)[0] == expected


def test_what_no_torrent_can_be_made_of_is_left_out() -> None:
    found = [version("empty", 0), version("x" * 1020), version("folder/"), version("good")]
    keys, tally = chosen(*(Found(one, None, "") for one in found))
    assert (keys, tally.left_out) == (["good"], 3)


def test_what_s3_keeps_the_sha1_of_is_told_and_not_reckoned_as_read() -> None:
    """By a listing's word, or a HEAD's; only where the policy makes v1 torrents without reading."""
    listed = replace(version("a", 100 * MIB), sha1_told=True)
    asked = replace(version("b", 100 * MIB), sha1=ContentSha1(bytes(20), 13))
    found = [Found(one, None, "") for one in (listed, asked, version("c", 100 * MIB))]
    tally = Tally()
    assert len(list(wanted(found, tally, lambda _: None, Filter(), zero_read=True))) == 3
    assert (tally.zero_read, tally.bytes, tally.ranges) == (2, 300 * MIB, 13)
    assert tally.requests() == 3 * 4 + 13 + 2
    assert 0 < tally.seconds() - 100 * MIB / RATE < 2
    assert tally.as_dict(1769)["zeroRead"] == 2
    _, read = chosen(*found)
    assert (read.zero_read, read.ranges) == (0, 39)


def test_what_it_takes() -> None:
    """4 requests an object and one a range; the time is that of reading, and of a few requests."""
    _, tally = chosen(Found(version("a", 100 * MIB), None, ""), Found(version("b", 1), None, ""))
    assert tally.requests() == 2 * 4 + 13 + 1
    assert tally.seconds() == pytest.approx((100 * MIB + 1) / RATE + 0.6)
    assert Tally().dollars(1769) == 0
    assert 0 < tally.dollars(512) < tally.dollars(1769)
