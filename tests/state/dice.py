"""Where a schedule gets its choices from: a seeded generator, quick, or hypothesis, which shrinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from hypothesis import strategies as st

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

T = TypeVar("T")


class Dice(Protocol):
    def pick(self, options: Sequence[T]) -> T:
        """One of these; the first is the simplest."""
        ...


class SeededDice:
    def __init__(self, source: random.Random) -> None:
        self._next = source.random

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._next() * len(options))]


class DrawnDice:
    """``data`` is what ``st.data()`` gives."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def pick(self, options: Sequence[T]) -> T:
        return options[self._data.draw(st.integers(0, len(options) - 1))]
