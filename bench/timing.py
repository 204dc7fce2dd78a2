"""Time several ways of doing one thing, side by side."""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Times(list[float]):
    """Seconds, one for each repetition."""

    @property
    def median(self) -> float:
        return statistics.median(self)

    def __str__(self) -> str:
        return f"{self.median:.3f} s ({min(self):.3f} to {max(self):.3f})"


def wall(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def interleaved(repetitions: int, ways: Mapping[str, Callable[[], float]]) -> dict[str, Times]:
    """Each way gives the seconds it took. One after the other, again and again, so that what else the machine
    does falls on all of them alike; every other round goes backwards.
    """
    times = {name: Times() for name in ways}
    for repetition in range(repetitions):
        for name in list(ways)[:: -1 if repetition % 2 else 1]:
            times[name].append(ways[name]())
            sys.stderr.write(f"  {name}: {times[name][-1]:.3f} s\n")
    return times
