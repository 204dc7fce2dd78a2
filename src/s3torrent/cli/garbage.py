"""Python's search for garbage, held back where there are many objects and none of them is any."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ALLOCATIONS = 100_000
"""Between two looks, instead of 700: each file is a dozen objects, which every look would go through."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.freeze()  # what is loaded is no garbage, also not at the end
    gc.set_threshold(ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.freeze()
