"""Random schedules of uploads, deletions, deliveries, deaths and delays against what must be true of the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from state.dice import DrawnDice
from state.schedule import run, staged, timed, told
from state.world import KINDS, VERSIONS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEDULES = 3_000
"""By the seeded dice, which are quick; ``python -m tests.state.run`` tries as many as there is time for."""
EXAMPLES, STEPS = 150, 12


@pytest.fixture(autouse=True)
def _staged() -> Iterator[None]:
    with staged():
        yield


class Bucket(RuleBasedStateMachine):
    """One bucket and all that may happen to it; rest is at the end of each run."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.world = World(DrawnDice(data))

    @rule(kind=st.sampled_from(("deliver", "wait", *sorted(set(KINDS)))), data=st.data())
    def act(self, kind: str, data: st.DataObject) -> None:
        self._act(kind, data)

    @precondition(lambda self: self.world.versioned)
    @rule(kind=st.sampled_from(sorted(set(VERSIONS))), data=st.data())
    def act_on_versions(self, kind: str, data: st.DataObject) -> None:
        self._act(kind, data)

    def _act(self, kind: str, data: st.DataObject) -> None:
        self.world.dice = DrawnDice(data)
        with timed(self.world), told(self.world):
            self.world.act(kind)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            with timed(self.world), told(self.world):
                self.world.check_at_rest()


def test_whatever_happens_every_object_has_its_torrent_or_a_reason() -> None:
    """By hypothesis, which makes what it finds as short as can be."""
    run_state_machine_as_test(
        Bucket,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )


@pytest.mark.parametrize("quarter", range(4))
def test_thousands_of_schedules_end_well(quarter: int) -> None:
    for seed in range(quarter * SCHEDULES // 4, (quarter + 1) * SCHEDULES // 4):
        run(seed)
