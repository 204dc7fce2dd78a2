"""Slices of the largest objects, on paper."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.engine.cut import cut, range_at
from s3torrent.engine.slices import MOST_SLICES, ranges_of, slice_count, slice_length
from s3torrent.errors import TooLarge
from s3torrent.hashing.layout import Layout
from s3torrent.metainfo.piece_length import choose

TIB = 1 << 40


@given(
    size=st.integers(1, 50 * TIB),
    power=st.integers(14, 27),
    version=st.sampled_from(["v1", "v2", "hybrid"]),
)
def test_slices_are_whole_ranges_and_not_too_many(size: int, power: int, version: str) -> None:
    layout = Layout.of_files([size], 1 << power, version)
    count, length = slice_count(layout), slice_length(layout)
    assert 1 <= count <= MOST_SLICES
    first, last = list(ranges_of(layout, 0)), list(ranges_of(layout, count - 1))
    assert first[0].start == 0
    assert first[-1].end == min(length, size)
    assert last[0].start == (count - 1) * length
    assert last[-1].end == size


def test_the_largest_object_that_s3_takes() -> None:
    """48.8 TiB, on paper: at most 10,000 children, of 5 GiB, and a plan that a state may hand on (256 KB). A v2
    torrent of it would be one that clients do not load."""
    size = 10_000 * (5 << 30)
    layout = Layout.of_files([size], choose(size, version="v1").piece_length, "v1")
    count = slice_count(layout)
    assert (count, slice_length(layout)) == (10_000, 5 << 30)
    assert len(json.dumps({"slices": list(range(count))})) < 100_000
    assert [len(list(ranges_of(layout, number))) for number in (0, 5000, 9999)] == [40, 40, 40]
    for version in ("v2", "hybrid"):
        with pytest.raises(TooLarge, match="which is what clients load"):
            choose(size, version=version)


@pytest.mark.parametrize("number", [-1, 16])
def test_there_is_no_slice_past_the_last(number: int) -> None:
    layout = Layout.of_files([2 << 30], 1 << 20, "v1")
    assert slice_count(layout) == 16
    with pytest.raises(IndexError):
        ranges_of(layout, number)


@given(size=st.integers(1, 3 << 30), power=st.integers(14, 27), off=st.integers(-5, 5))
def test_a_range_is_found_by_its_begin_and_by_nothing_else(size: int, power: int, off: int) -> None:
    layout = Layout.of_files([size], 1 << power, "v1")
    ranges = list(cut(layout))
    for one in (*ranges[:2], ranges[-1]):
        assert range_at(layout, one.start) == one
        assert range_at(layout, one.start + off) == (one if not off else None)
    assert range_at(layout, ranges[-1].start + ranges[0].end) is None
    assert range_at(layout, -ranges[0].end) is None
