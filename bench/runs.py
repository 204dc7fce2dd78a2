"""Runs of the function that share what is short: each begins when it may, takes tasks, and waits its turn."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Meter:
    """A service that does so many units a second: what is asked of it is done in turn.

    With ``doubles`` it is twice as many each time so many seconds have passed, up to ``most``.
    """

    def __init__(
        self, rate: float, *, most: float = math.inf, doubles: float = math.inf, paid: bool = True
    ) -> None:
        self._first, self._most, self._doubles = rate, most, doubles
        self._until = 0.0
        self.paid = paid
        """Whether a run waits for it; else the run has not begun."""

    def serve(self, asked: float, units: float) -> float:
        """When ``units``, asked for at ``asked`` (seconds, no earlier than the last), are done."""
        now = max(self._until, asked)
        while True:
            steps = now // self._doubles
            rate = min(self._first * 2.0 ** min(steps, 60.0), self._most)
            change = (steps + 1) * self._doubles
            if rate == self._most or now + units / rate <= change:
                self._until = now + units / rate
                return self._until
            units -= (change - now) * rate
            now = change


@dataclass(frozen=True)
class Task:
    """What a run does at one go: its seconds where nothing is short, and units of each meter."""

    seconds: float
    takes: Mapping[str, float]


@dataclass
class Ran:
    """What came of it. ``paid``: seconds of all runs, their ``cold`` starts included; ``waits``: seconds that
    tasks were held up, by the meter that was last.
    """

    wall: float = 0.0
    paid: float = 0.0
    cold: int = 0
    waits: dict[str, float] = field(default_factory=dict)


def simulate(tasks: int, task: Task, begins: Sequence[float], meters: Mapping[str, Meter]) -> Ran:
    """``tasks`` of a kind in as many runs as ``begins`` has, the seconds at which each may begin."""
    ran = Ran()
    free = [(at + figures.COLD_SECONDS, True) for at in begins]
    heapq.heapify(free)
    for _ in range(tasks):
        begun, new = heapq.heappop(free)
        done = {name: meters[name].serve(begun, units) for name, units in task.takes.items()}
        ready = end = begun + task.seconds
        for name, when in done.items():
            if not meters[name].paid and when > end:
                ran.waits[name] = ran.waits.get(name, 0.0) + when - end
                ready = end = when
        last = max((name for name in done if meters[name].paid), key=done.__getitem__, default="")
        if last and done[last] > end:
            end = done[last]
            ran.waits[last] = ran.waits.get(last, 0.0) + end - ready
        ran.paid += figures.COLD_SECONDS * new + task.seconds + end - ready
        ran.cold += new
        ran.wall = max(ran.wall, end)
        heapq.heappush(free, (end, False))
    return ran


def begins(count: int, burst: float, ramp: float) -> list[float]:
    return [max(0.0, (number + 1 - burst) / ramp) for number in range(count)]
