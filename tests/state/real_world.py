"""The world over S3Store and DynamoStatus on MiniStack; its users, its queue and its time are those in memory."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from state.dice import SeededDice
from state.real_worker import RealWorker
from state.schedule import played
from state.world import World

if TYPE_CHECKING:
    from s3torrent.types import ObjectRef
    from state.dice import Dice
    from state.real_stack import RealStack

MISFORTUNES = {
    "stalls": ("stall",) * 6,
    "deaths": (*("stall",) * 3, "die before", "die after"),
    "network": (*("stall",) * 3, "request lost", "answer lost", *("cut short", "broken off") * 3, "late"),
    "load": (*("stall",) * 3, "throttled", "throttled", "late", "late"),
    "refusals": (*("stall",) * 3, *("refused",) * 6),
    "all": (*("stall",) * 3, "die before", "answer lost", "broken off", "late", "throttled", "refused"),
}
SETTINGS = list(product((False, True), (False, True), MISFORTUNES))
"""Versions, TORRENT_ON_DELETE=remove, and what befalls the workers: schedule N has the (N modulo 24)th."""


class RealWorld(World):
    worker_kind = RealWorker
    acts = range(8, 20)

    def __init__(self, dice: Dice, stack: RealStack, seed: int) -> None:
        self.stack, self._seed = stack, seed
        stack.world = self
        super().__init__(dice, f"state-{seed}-{uuid.uuid4().hex[:12]}")

    def drawn(self) -> tuple[bool, bool, tuple[str, ...]]:
        versioned, remove, misfortunes = SETTINGS[self._seed % len(SETTINGS)]
        return versioned, remove, MISFORTUNES[misfortunes]

    def opened(self) -> tuple[Any, Any]:
        store = self.stack.bucket(self.bucket, versioned=self.versioned)
        return store, self.stack.table(lambda: self.now)

    def versions(self, ref: ObjectRef) -> list[tuple[str, bool]]:
        return self.store.versions(ref)

    def settle(self) -> None:
        """What is judged afterwards is what is there then."""
        super().settle()
        self.store.forget()
        self.status.forget()

    def sleep(self, seconds: float) -> None:
        """A worker that waits before it tries again."""
        self.now += timedelta(seconds=seconds)


def run(seed: int, stack: RealStack) -> RealWorld:
    """One schedule; as ``schedule.run``."""
    world = RealWorld(SeededDice(random.Random(seed)), stack, seed)
    return played(world, f"--from {seed} --real")
