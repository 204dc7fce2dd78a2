"""No input may keep a parser for long: a bound on CPU time, which a busy machine does not shorten."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10.0


class Hang(Exception):
    """One input took more than ``SECONDS``."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hang(f"more than {SECONDS:g} s of CPU for one input")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
