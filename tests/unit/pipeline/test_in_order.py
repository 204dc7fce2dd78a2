"""Work at once, told in order."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from s3torrent.pipeline.in_order import in_order

BOUND = 10


def test_a_slow_one_holds_up_the_telling_and_not_the_work() -> None:
    """The first ends only after the last has: both in work at once, and told first to last."""
    last = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert last.wait(BOUND)
        if number == 9:
            last.set()
        return number * 2

    with ThreadPoolExecutor(2) as pool:
        assert list(in_order(pool, work, range(10), 10)) == [(number, number * 2) for number in range(10)]


def test_no_more_are_begun_than_memory_is_to_hold() -> None:
    """The first hangs: of an endless row of things only so many are taken."""
    taken: list[int] = []
    go = threading.Event()

    def things() -> object:
        for number in range(100):
            taken.append(number)
            if number == 6:
                threading.Timer(0, go.set).start()
            yield number

    def work(number: int) -> int:
        if number == 0:
            assert go.wait(BOUND)
            assert len(taken) == 7
        return number

    with ThreadPoolExecutor(2) as pool:
        assert len(list(in_order(pool, work, things(), 7))) == 100  # type: ignore[arg-type]


def test_what_went_wrong_is_raised_in_its_turn() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    told: list[int] = []
    with ThreadPoolExecutor(4) as pool, pytest.raises(ValueError, match="three"):
        told.extend(number for number, _ in in_order(pool, work, range(8), 8))
    assert told == [0, 1, 2]
