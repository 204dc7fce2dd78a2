"""The largest objects, spread over many runs of the function by a state machine: plan, slices, assembly.

The claim that ``make`` made is handed on: every step joins it by its attempt, so that none goes on for a job
that another has taken over. What a slice has hashed is its checkpoint, and a repeated slice goes on from
there; the assembly is ``make``'s own last part, with the checkpoints of all slices recalled.
"""

from __future__ import annotations

import contextlib
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3torrent.engine.slices import ranges_of, slice_count
from s3torrent.errors import LeaseLost, ObjectChanged, OutOfTime, S3TorrentError
from s3torrent.pipeline.content import object_content
from s3torrent.pipeline.publish import find_torrent
from s3torrent.pipeline.spread import LEASE_SECONDS
from s3torrent.status.base import CREATING_TORRENT, FAILED, Claimed
from s3torrent.store.base import PASSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from s3torrent.engine.base import SliceEngine
    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import RangeHashes
    from s3torrent.pipeline.checkpoint import Checkpoint
    from s3torrent.pipeline.lease import Lease
    from s3torrent.pipeline.make import Maker
    from s3torrent.types import FanOutCall, ObjectHead

READERS = 16
"""Checkpoints looked at side by side: there may be ten thousand."""

AGAIN, DONE, STOPPED, FAILED_FOR_GOOD = "again", "done", "stopped", "failed"
"""How a step ended. Again: its time was up, and it got on. Stopped: the job was taken over, or ended."""


class FanOut:
    """``maker`` is the one whose claims are joined, with its store, table and policy."""

    def __init__(self, maker: Maker, engine: SliceEngine) -> None:
        self._maker = replace(maker, engine=engine, lease_seconds=LEASE_SECONDS)
        self._engine = engine

    def run(self, call: FanOutCall, deadline: float = math.inf) -> dict[str, Any]:
        """What the state machine goes on with. Raises what is worth another try."""
        try:
            return self._run(call, deadline)
        except LeaseLost as error:
            return {"outcome": STOPPED, "reason": error.message}
        except S3TorrentError as error:
            if isinstance(error, OutOfTime) and error.progressed:
                return {"outcome": AGAIN}
            if error.retryable and not isinstance(error, ObjectChanged):
                raise
            return self._give_up(replace(call, error=error.message), error)

    def _run(self, call: FanOutCall, deadline: float) -> dict[str, Any]:
        match call.action:
            case "plan":
                return self._plan(call)
            case "hash_range":
                return self._hash(call, deadline)
            case "assemble":
                return self._assemble(call, deadline)
            case _:
                return self._give_up(call)

    def _plan(self, call: FanOutCall) -> dict[str, Any]:
        _, head = self._join(call)
        count = slice_count(self._layout(head))
        return {"outcome": DONE, "slices": list(range(count))}

    def _hash(self, call: FanOutCall, deadline: float) -> dict[str, Any]:
        claim, head = self._join(call)
        lease = self._lease(claim, head, deadline)
        memory = self._memory(lease, call.slice)
        before = self._told(call)

        def progress(done: int, phase: str = CREATING_TORRENT, /) -> None:
            lease.progress(min(before + done - memory.recalled, head.version.size), phase)

        try:
            read = self._engine.hash_slice(
                object_content(head),
                self._maker.policy,
                call.slice,
                reader=self._maker.store,
                progress=progress,
                memory=memory,
            )
        except OutOfTime as error:
            error.progressed = memory.kept - memory.recalled
            raise
        if memory.trouble:  # what was hashed is of use to nobody
            raise memory.trouble
        with contextlib.suppress(*PASSING):
            lease.renew(min(self._told(call) + read, head.version.size))
        return {"outcome": DONE}

    def _assemble(self, call: FanOutCall, deadline: float) -> dict[str, Any]:
        claim, head = self._join(call)
        lease = self._lease(claim, head, deadline)
        layout = self._layout(head)
        memory = Slices([self._memory(lease, number) for number in range(slice_count(layout))], layout)
        torrent = find_torrent(self._maker.store, call.ref, guess=True)
        outcome = self._maker.complete(lease, head, torrent, memory)
        return {"outcome": DONE, "status": outcome.status, "reason": outcome.reason}

    def _give_up(self, call: FanOutCall, error: S3TorrentError | None = None) -> dict[str, Any]:
        """FAILED with the reason, and the claim ended; nothing where it is ended already."""
        try:
            claim, _ = self._joined(call)
        except LeaseLost as lost:
            return {"outcome": STOPPED, "reason": lost.message}
        where = f"slice {call.slice}: " if call.action in ("hash_range", "give_up_slice") else ""
        reason = f"{where}{call.error}"
        told = error.as_dict() if error else {"type": "EngineError", "retryable": True, "hint": ""}
        self._maker.status.finish(claim, FAILED, {"reason": reason, "error": {**told, "message": reason}})
        return {"outcome": FAILED_FOR_GOOD, "reason": reason}

    def _join(self, call: FanOutCall) -> tuple[Claimed, ObjectHead]:
        """The claim of that attempt, and the object it is of. Raises LeaseLost, ObjectChanged, ObjectGone."""
        claim, item = self._joined(call)
        head = self._maker.store.head(call.ref)
        found = (head.version.version_id, head.version.etag, head.version.size)
        if found != (item.get("versionId"), item.get("etag"), item.get("size")):
            raise ObjectChanged(f"{head.version} is not what was claimed: it was replaced meanwhile")
        return claim, head

    def _joined(self, call: FanOutCall) -> tuple[Claimed, Mapping[str, Any]]:
        job_id = str(call.ref)
        item = self._maker.status.get(job_id)
        until = item.worked_on_until if item else None
        if item is None or until is None or item.get("attempt") != call.attempt:
            raise LeaseLost(f"{job_id}: attempt {call.attempt} is not in work any more")
        owner, seal = str(item.get("leaseOwner")), str(item.get("seal") or "")
        return Claimed(job_id, call.attempt, owner, until, seal), item.attributes

    def _told(self, call: FanOutCall) -> int:
        """Bytes that are told as hashed."""
        item = self._maker.status.get(str(call.ref))
        return int(item.get("bytesHashed") or 0) if item else 0

    def _layout(self, head: ObjectHead) -> Layout:
        return self._engine.layout(object_content(head), self._maker.policy)

    def _lease(self, claim: Claimed, head: ObjectHead, deadline: float) -> Lease:
        return self._maker.lease(claim, head.version, deadline)

    def _memory(self, lease: Lease, number: int) -> Checkpoint:
        kept = self._maker.checkpoint(lease, part=f"-{number}", look=True)
        assert kept  # config.py lets nothing be spread without a control prefix
        return kept


class Slices:
    """What all slices have kept, as one memory: the engine reads what is missing, if anything is."""

    def __init__(self, slices: Sequence[Checkpoint], layout: Layout) -> None:
        self._slices = slices
        self.recalled = self.kept = 0
        self.trouble: S3TorrentError | None = None
        self._slice_of = {
            wanted: number for number in range(len(slices)) for wanted in ranges_of(layout, number)
        }

    def recall(self, layout: Layout) -> list[RangeHashes]:
        with ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(lambda one: one.recall(layout), self._slices))
        self.trouble = next((one.trouble for one in self._slices if one.trouble), None)
        results = [
            result
            for number, recalled in enumerate(found)
            for result in recalled
            if self._slice_of[result.range] == number
        ]
        self.recalled = self.kept = sum(one.range.end - one.range.start for one in results)
        return results

    def keep(self, layout: Layout, results: Sequence[RangeHashes], *, now: bool = False) -> None:
        """What was missing of a slice is written where the slice keeps it."""
        if not now:
            return
        parts: list[list[RangeHashes]] = [[] for _ in self._slices]
        for result in results:
            parts[self._slice_of[result.range]].append(result)
        for one, part in zip(self._slices, parts, strict=True):
            one.keep(layout, part, now=True)
        self.kept = sum(one.kept for one in self._slices)

    def clear(self) -> None:
        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(lambda one: one.clear(), self._slices))
