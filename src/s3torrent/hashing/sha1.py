"""SHA-1 of streams: states that can be carried on side by side. Now: hashlib's, one by one."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sha1(Protocol):
    """One stream's state."""

    def update(self, data: memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


sha1 = partial(hashlib.sha1, usedforsecurity=False)
"""A new state."""


def width() -> int:
    """How many streams one core carries on at once at its best."""
    return 1


def update_many(states: Sequence[Sha1], data: Sequence[memoryview]) -> None:
    """``states[i].update(data[i])`` for all, which must be different streams; of any lengths."""
    for state, view in zip(states, data, strict=True):
        state.update(view)
