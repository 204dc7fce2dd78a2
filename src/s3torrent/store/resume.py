"""Reading on at the byte where a stream broke. Knows streams that break, nothing of S3."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from s3torrent.errors import ReadInterrupted
from s3torrent.store.base import PASSING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to try, and how long to wait in between; waits in seconds.

    ``attempts`` counts tries in a row that brought no byte. The wait doubles from ``first_wait`` to at
    most ``longest_wait``, and is cut by up to half at random, so that many readers do not come back together.
    """

    attempts: int = 5
    first_wait: float = 0.1
    longest_wait: float = 5.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def wait(self, failures: int) -> None:
        """``failures``: streams in a row without a byte; 0 after one that broke later."""
        full: float = min(self.longest_wait, self.first_wait * 2.0 ** max(0, failures - 1))
        self.sleep(full * (1 - self.jitter() / 2))


def patiently(action: Callable[[], T], patience: Patience) -> T:
    """What ``action`` returns, tried again while a passing error stands in its way; then that error."""
    for failures in range(1, patience.attempts):
        try:
            return action()
        except PASSING:
            patience.wait(failures)
    return action()


def resuming(
    open_at: Callable[[int], Generator[memoryview | bytes]],
    start: int,
    end: int,
    *,
    name: str,
    patience: Patience,
) -> Generator[memoryview | bytes]:
    """Yield bytes [start, end), opening a new stream wherever the last one broke.

    ``open_at(position)`` yields bytes from ``position`` on and never past ``end``; it is closed before the
    next is opened. It breaks by ReadInterrupted, Throttled or EndpointUnreachable, or by ending early.
    After ``patience.attempts`` streams in a row without a byte, the last's error is raised with ``name`` and
    position.
    """
    position, failures = start, 0
    while position < end:
        opened = position
        try:
            with contextlib.closing(open_at(position)) as chunks:
                for chunk in chunks:
                    position += len(chunk)
                    yield chunk
            if position < end:
                raise ReadInterrupted(f"the stream ended {end - position} bytes early")
        except PASSING as error:
            failures = failures + 1 if position == opened else 0
            if failures >= patience.attempts:
                where = f"{failures} tries got no byte after {position} of [{start}, {end})"
                raise type(error)(f"{name}: {where}: {error.message}", hint=error.hint) from error
            patience.wait(failures)
