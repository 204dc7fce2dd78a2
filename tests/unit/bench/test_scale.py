"""The simulator of docs/scale.md: its bounds, what must not depend on what, and that the page shows what it prints."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.engine.cut import ranges_in
from s3torrent.pipeline.backfill import EACH_SECONDS, HEADS, PRICES, PUTS, STATUS_WRITES, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module", autouse=True)
def _bench() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "bench"))
        yield


@pytest.fixture(scope="module")
def found(_bench: None) -> dict[str, list[Any]]:
    """Every answer, by the job."""
    import scale

    return {what: scale.answers(what) for what in (*scale.LARGE, *scale.MANY)}


def test_the_page_shows_what_is_printed(found: dict[str, list[Any]]) -> None:
    """``python bench/scale.py --write`` mends it."""
    import scale
    from scale_tables import page

    assert scale.PAGE.read_text().partition(scale.MARK)[2] == page(found)


def test_it_prints_json_where_asked() -> None:
    """One job's rows are enough to see that each is told whole."""
    code = (
        "import sys; sys.path.insert(0, 'bench'); sys.argv[1:] = ['--json']; import scale;"
        "scale.MANY.clear(); del scale.LARGE['48.8 TiB in one object']; scale.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)
    assert {(row["way"], row["memoryMb"], row["concurrency"]) for row in rows} >= {
        ("one stream", 512, 1),
        ("fan-out", 1769, 3000),
    }
    for row in rows:
        dollars = row["dollars"]
        assert dollars.pop("total") == pytest.approx(sum(dollars.values()), abs=0.05)


def test_more_runs_are_never_slower(found: dict[str, list[Any]]) -> None:
    for rows in found.values():
        for one, more in pairwise(rows):
            if (one.way, one.memory) == (more.way, more.memory):
                assert more.concurrency > one.concurrency
                assert more.seconds <= one.seconds


def test_nothing_is_faster_than_its_bytes_allow(found: dict[str, list[Any]]) -> None:
    import scale

    for what, rows in found.items():
        size = scale.LARGE.get(what) or scale.MANY[what] * scale.sizes()[0]
        for row in rows:
            assert row.seconds >= size / (row.concurrency * scale.rate(row.memory))


def test_more_memory_is_never_slower(found: dict[str, list[Any]]) -> None:
    for rows in found.values():
        seconds = {(row.way, row.concurrency, row.memory): row.seconds for row in rows}
        for (way, most, memory), lasting in seconds.items():
            for (other, runs, larger), less in seconds.items():
                if (way, most) == (other, runs) and larger > memory:
                    assert less <= lasting


def test_what_is_asked_for_costs_the_same_however_many_run(found: dict[str, list[Any]]) -> None:
    """Lambda alone may cost more: by starts, and where runs wait for what is short."""
    for rows in found.values():
        for way in {row.way for row in rows}:
            asked = [row.dollars | {"lambda": 0.0} for row in rows if row.way == way]
            assert all(one == pytest.approx(asked[0]) for one in asked)


def test_the_dry_run_reckons_alike(found: dict[str, list[Any]]) -> None:
    """Its tally of the same objects, to the cent where it has the same figures: S3 and the queue."""
    import scale

    size, ranges = scale.sizes()
    count = scale.MANY["10 million objects"]
    tally = Tally(wanted=count, bytes=round(size * count), ranges=round(ranges * count))
    [row, *_] = [row for row in found["10 million objects"] if (row.way, row.memory) == ("queue", 1769)]
    asked = count * (HEADS + ranges) * PRICES["s3Get"] + count * PUTS * PRICES["s3Put"]
    assert row.dollars["s3"] == pytest.approx(asked)
    writes = row.dollars["dynamodb"] / PRICES["dynamodbWrite"] / count
    assert writes == pytest.approx(STATUS_WRITES + 3)  # those of the index, which the dry run leaves out
    assert row.total == pytest.approx(tally.dollars(1769), rel=0.25)


def test_the_mean_object_is_that_of_the_distribution() -> None:
    """exp(mu + sigma^2 / 2), less what the cut at 64 GiB takes away."""
    import scale

    size, ranges = scale.sizes()
    assert size == pytest.approx((1 << 20) * math.exp(2.0), rel=0.01)
    assert 1.0 < ranges < 4.0 < size / ranges_in(1) / (1 << 20)


class TestRuns:
    @given(tasks=st.integers(1, 300), count=st.integers(1, 50), more=st.integers(1, 50))
    def test_where_nothing_is_short_what_is_paid_is_the_work_and_the_starts(
        self, tasks: int, count: int, more: int
    ) -> None:
        import figures
        from runs import Task, begins, simulate

        some, others = (
            simulate(tasks, Task(7.0, {}), begins(runs, 10, 2.0), {}) for runs in (count, count + more)
        )
        for ran in (some, others):
            assert ran.paid == pytest.approx(tasks * 7.0 + ran.cold * figures.COLD_SECONDS)
            assert not ran.waits
        assert others.wall <= some.wall
        assert some.wall >= tasks * 7.0 / count

    @given(tasks=st.integers(1, 200), runs=st.integers(1, 60), rate=st.floats(0.5, 50))
    def test_what_is_short_is_never_overdrawn_and_whoever_waits_pays(
        self, tasks: int, runs: int, rate: float
    ) -> None:
        import figures
        from runs import Meter, Task, begins, simulate

        ran = simulate(tasks, Task(1.0, {"it": 3.0}), begins(runs, runs, 1.0), {"it": Meter(rate)})
        assert ran.wall >= 3.0 * tasks / rate
        work = tasks * 1.0 + ran.cold * figures.COLD_SECONDS
        assert ran.paid == pytest.approx(work + sum(ran.waits.values()))

    def test_what_has_not_begun_is_not_paid(self) -> None:
        import figures
        from runs import Meter, Task, begins, simulate

        ran = simulate(10, Task(1.0, {"it": 1.0}), begins(5, 5, 1.0), {"it": Meter(0.1, paid=False)})
        assert ran.wall == pytest.approx(100 + figures.COLD_SECONDS)
        assert ran.paid == pytest.approx(10 + ran.cold * figures.COLD_SECONDS)
        assert ran.waits["it"] > 0

    def test_a_table_is_allowed_twice_as_much_after_a_while_up_to_its_most(self) -> None:
        from runs import Meter

        meter = Meter(10, most=25, doubles=100)
        assert meter.serve(0.0, 1000) == 100
        assert meter.serve(0.0, 2000) == 200
        assert meter.serve(0.0, 2500) == 300
        assert meter.serve(1000.0, 25) == 1001


def test_a_slice_is_a_minute_s_work_of_one_run() -> None:
    """So that none of them is cut off by Lambda's 15 minutes, the largest object's neither."""
    import figures
    import scale
    from s3torrent.engine.slices import slice_length

    for size in scale.LARGE.values():
        for memory in scale.MEMORIES:
            seconds = slice_length(scale.large_layout(size)) / scale.rate(memory)
            assert EACH_SECONDS < seconds < figures.RUN_SECONDS / 10


def test_a_queue_in_full_work_keeps_far_fewer_messages_than_it_may() -> None:
    import figures

    assert figures.QUEUE_MOST * 10 < figures.IN_FLIGHT / 10


def test_every_figure_says_what_it_is_and_where_it_is_from() -> None:
    import figures

    assert len(figures.FACTS) > 20
    assert all(fact.what and fact.source and fact.value > 0 for fact in figures.FACTS)
