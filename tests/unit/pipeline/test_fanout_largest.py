"""What the assembly of the largest objects costs, on paper: it has 15 minutes for 10,000 checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.engine.slices import ranges_of, slice_count
from s3torrent.hashing.layout import Layout
from s3torrent.hashing.ranges import PieceRange, RangeHashes
from s3torrent.pipeline import checkpoint
from s3torrent.pipeline.fanout import Slices

if TYPE_CHECKING:
    import pytest


@dataclass
class Kept:
    """A slice's memory."""

    told: list[RangeHashes]
    given: list[RangeHashes] | None = None
    trouble: None = None
    kept: int = 0

    def recall(self, layout: Layout) -> list[RangeHashes]:
        return self.told

    def keep(self, layout: Layout, results: list[RangeHashes], *, now: bool) -> None:
        self.given = results


def test_the_checkpoints_of_the_largest_object_cost_what_is_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """48.8 TiB, on paper: 10,000 of 40 ranges each. Each compared with all 400,000 ranges took hours of CPU time
    in an assembly that has 15 minutes.
    """
    layout = Layout.of_files([10_000 * (5 << 30)], 128 << 20, "v1")
    made = 0

    def counted(start: int, end: int) -> PieceRange:
        nonlocal made
        made += 1
        return PieceRange(start, end)

    identity = {b"of": b"it"}
    some = [RangeHashes(wanted, bytes(20), b"") for wanted in ranges_of(layout, 7)]
    body = checkpoint._sealed({**identity, b"ranges": list(map(checkpoint._packed, some))}, b"seal")
    monkeypatch.setattr("s3torrent.hashing.layout.PieceRange", counted)
    assert checkpoint._read(body, b"seal", identity, layout) == some
    assert made == len(some) == 40


def test_what_the_assembly_read_is_kept_slice_by_slice() -> None:
    """Each by the slice it is of, and what a slice told of another's ranges is not used."""
    layout = Layout.of_files([2 << 30], 1 << 20, "v1")
    hashes = [
        [RangeHashes(wanted, bytes(20 * 64), b"") for wanted in ranges_of(layout, number)]
        for number in range(slice_count(layout))
    ]
    kept = [Kept(hashes[0]) for _ in hashes]
    both = Slices(kept, layout)  # type: ignore[arg-type]
    assert both.recall(layout) == hashes[0]
    both.keep(layout, [*hashes[1], *hashes[0]])
    assert all(one.given is None for one in kept)
    both.keep(layout, [*hashes[1], *hashes[0]], now=True)
    assert [one.given for one in kept] == [*hashes[:2], *([] for _ in hashes[2:])]
