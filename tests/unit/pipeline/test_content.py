"""The piece length that an object in S3 tells of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.pipeline.content import object_content, part_length
from s3torrent.types import ContentSha1, ObjectHead, ObjectRef, ObjectVersion

MIB = 1 << 20
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def version(size: int, parts: int | None) -> ObjectVersion:
    return ObjectVersion(
        ObjectRef("bucket", "key"), None, "etag", size, NOW, sha1=ContentSha1(bytes(20), parts)
    )


@given(power=st.integers(14, 27), parts=st.integers(8, 10_000), last=st.integers(1))
def test_parts_of_a_power_of_two_are_found_from_their_number(power: int, parts: int, last: int) -> None:
    """Whatever is left for the last one."""
    length = 1 << power
    assert part_length(version((parts - 1) * length + min(last, length), parts)) == length


@given(size=st.integers(1, 50 << 40), parts=st.integers(1, 10_000))
def test_what_is_found_cuts_the_object_into_that_many(size: int, parts: int) -> None:
    """And is a piece length; where none does, nothing is found, and it goes by size."""
    fitting = [1 << power for power in range(14, 28) if parts > 7 and -(-size // (1 << power)) == parts]
    assert part_length(version(size, parts)) == (fitting[0] if fitting else None)


@pytest.mark.parametrize(
    ("size", "parts"),
    [(12 * MIB, 1), (12 * MIB, None), (290 * MIB, 3), (100 * MIB, 20), (4 << 30, 16), (10, 9)],
    ids=["one part", "uploaded whole", "three of 100 MiB", "5 MiB", "256 MiB", "2 bytes"],
)
def test_other_parts_tell_nothing(size: int, parts: int | None) -> None:
    assert part_length(version(size, parts)) is None


def test_an_object_without_a_sha1_tells_nothing() -> None:
    plain = ObjectVersion(ObjectRef("bucket", "key"), None, "etag-2", 16 * MIB, NOW)
    assert part_length(plain) is None


def test_the_object_s_own_word_comes_first() -> None:
    head = ObjectHead(version(128 * MIB, 16), {"s3torrent-piece-length": str(4 * MIB)})
    assert object_content(head).declared_piece_length == 4 * MIB
    assert object_content(ObjectHead(head.version, {})).declared_piece_length == 8 * MIB
