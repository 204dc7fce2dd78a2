"""The guards are needed, and the schedules see it: without any one of them, one fails.

``python -m tests.state.mutations`` looks for more and shorter ones. SEEN is where the search begins: where the dice
fall otherwise than they did (the code makes other calls, the world has other acts), it goes on from there.
"""

from __future__ import annotations

import pytest

from state.mutations import GUARDS, found
from state.schedule import run, staged

SEEN = {
    "If-Match on publish": 177,
    "If-None-Match on publish": 151,
    "If-Match on removal": 1861,
    "the lease in claim": 7,
    "the sequencer in claim": 134,
    "fencing of finish": 8,
    "fencing of renew": 2,
    "fencing of both": 2,
    "the policy": 20,
    "the mark of our own torrents": 22,
    "the look at what is called done": 3,
    "the pinned read": 1221,
    "the look before publishing": 2,
    "the look at what was published": 204,
    "the reservation": 8,
    "the claim of who reserved": 3347,
    "the order in note": 2,
    "DELETED over COMPLETED in note": 98,
}
ELSEWHERE = {
    "the lease in note": "tests/unit/pipeline/test_gone.py: it waits for a worker at the deleted object",
    "a conflict on removal is raised": "tests/unit/pipeline/test_meanwhile.py",
    "late torrents are removed": "tests/unit/pipeline/test_meanwhile.py",
    "the last look after a deletion": "tests/unit/pipeline/test_meanwhile.py",
    "a HEAD that was refused tells of no deletion": "tests/unit/pipeline/test_denied.py",
}
"""Hardly ever missed by a schedule; tried by name."""
SCHEDULES = 6000


@pytest.mark.parametrize("guard", SEEN)
def test_without_it_a_schedule_fails(guard: str) -> None:
    """The very one that is fine with it, as a rule."""
    assert found(guard, SEEN[guard], SCHEDULES), f"nobody misses {guard}"
    with staged():
        run(SEEN[guard])


def test_every_guard_is_taken_out() -> None:
    assert GUARDS.keys() == SEEN.keys() | ELSEWHERE.keys()
