"""The schedules over the real adapters: S3Store and DynamoStatus on the embedded stack, through a proxy that breaks things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from state import real_stack
from state.real_world import SETTINGS, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from state.real_stack import RealStack
    from support.ministack import MiniStack

pytestmark = pytest.mark.stack

SCHEDULES = 2 * len(SETTINGS)
"""Each setting twice; ``python -m tests.state.run --real`` tries as many as there is time for."""


@pytest.fixture(scope="module")
def stack(ministack: MiniStack) -> Iterator[RealStack]:
    with real_stack.RealStack(ministack) as stack:
        yield stack


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_whatever_happens_every_object_has_its_torrent_or_a_reason(stack: RealStack, seed: int) -> None:
    """Of what was not to be touched nothing was, and every failure is in the table or the dead-letter queue."""
    with real_stack.staged():
        run(seed, stack)
