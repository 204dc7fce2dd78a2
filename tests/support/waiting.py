"""Waiting for what comes in a while: by looking again and again, until a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")
SECONDS = 30.0
PAUSE = 0.04


def until(look: Callable[[], Found | None], what: object, *, seconds: float = SECONDS) -> Found:
    """What ``look`` finds, as soon as that is true; fails with ``what``, told (or asked) at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(PAUSE)
