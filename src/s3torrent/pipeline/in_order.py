"""Work on several things at once, told in the order of the things."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor
    from typing import TypeVar

    T = TypeVar("T")
    R = TypeVar("R")


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[T], R], things: Iterable[T], most: int
) -> Iterator[tuple[T, R]]:
    """Yield each thing with what ``work`` made of it, once all before it have been told.

    One that takes long holds up the telling of those behind it, but their work only once ``most`` things
    are begun and not told: that is what memory holds. Raises, at its turn, what ``work`` raised.
    """
    begun: deque[tuple[T, Future[R]]] = deque()
    for thing in things:
        begun.append((thing, pool.submit(work, thing)))
        while begun and (len(begun) >= most or begun[0][1].done()):
            first, future = begun.popleft()
            yield first, future.result()
    while begun:
        first, future = begun.popleft()
        yield first, future.result()
