"""Are the guards needed, and does the state machine see them? Each is taken out in turn, until a schedule fails.

    python -m tests.state.mutations [--schedules N] [--from SEED] [NAME ...]

Prints, for each guard, how many schedules it took, the shortest that failed, and what was wrong then. Exit code
1 where one was not missed.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from s3torrent.errors import WriteConflict
from s3torrent.metainfo.parse import parse
from s3torrent.pipeline import publish
from s3torrent.pipeline.outcome import describe
from s3torrent.status import decide as deciding
from s3torrent.status.base import DELETED, HeldUntil, Job, Superseded
from s3torrent.status.decide import MayClaim
from s3torrent.store.memory import MemoryStore
from state.schedule import run, staged
from state.worker import MeddledStore
from state.world import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEDULES = 20_000
SHORTER = 200
"""So many more are tried after the first that failed, for a shorter one."""

Guardless = contextlib.AbstractContextManager[object]
MAKE, UPLOAD, GONE, MEMORY = (
    f"s3torrent.{name}" for name in ("pipeline.make", "pipeline.upload", "pipeline.gone", "status.memory")
)


@contextlib.contextmanager
def _all(*patches: Guardless) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield


def _unconditional(when: Callable[[Any], bool]) -> Guardless:
    """``put`` on a condition that is such, made without one."""
    put = MemoryStore.put

    def forced(self: MemoryStore, ref: Any, body: bytes, *, replaces: Any, **told: Any) -> Any:
        if when(replaces) and ref.key.endswith(".torrent"):
            there = self._find(ref, None)
            replaces = there.head.version if there else None
        return put(self, ref, body, replaces=replaces, **told)

    return patch.object(MemoryStore, "put", forced)


def _removes_whatever_is_there() -> Guardless:
    remove = MemoryStore.remove

    def forced(self: MemoryStore, version: Any) -> None:
        there = self._find(version.ref, None)
        remove(self, there.head.version if there else version)

    return patch.object(MemoryStore, "remove", forced)


def _claims(turned: Callable[..., Any]) -> Guardless:
    """``decide`` answers what ``turned(answer, item, job)`` makes of its answer."""
    decide = deciding.decide

    def turn(item: Any, job: Any, now: Any, **told: Any) -> Any:
        return turned(decide(item, job, now, **told), item, job)

    return patch(f"{MEMORY}.decide", turn)


def _no_hold(answer: Any, item: Any, _job: Any) -> Any:
    return MayClaim(deciding.next_attempt(item)) if isinstance(answer, HeldUntil) else answer


def _no_order(answer: Any, item: Any, job: Any) -> Any:
    late = isinstance(answer, Superseded) and not job.reserved
    return MayClaim(deciding.next_attempt(item)) if late else answer


def _any_policy() -> Guardless:
    """A torrent of another policy passes for current, and its item for the same work."""
    standing, same = publish.standing, deciding._is_same_work

    def blind(torrent: Any, source: Any, policy_id: str) -> Any:
        told = torrent.metadata.get("s3torrent-policy", policy_id) if torrent else policy_id
        return standing(torrent, source, told)

    def alike(item: Any, job: Any) -> bool:
        return same(item, replace(job, policy_id=item.get("policyId", job.policy_id)))

    return _all(
        *(patch(f"{room}.standing", blind) for room in ("s3torrent.pipeline.publish", MAKE, UPLOAD)),
        patch("s3torrent.status.decide._is_same_work", alike),
    )


def _all_are_ours() -> Guardless:
    return _all(
        patch("s3torrent.pipeline.publish.is_ours", lambda *_: True),
        patch(f"{GONE}.is_ours", lambda *_: True),
    )


def _notes(turned: Callable[..., bool]) -> Guardless:
    may_note = deciding.may_note
    return patch(f"{MEMORY}.may_note", lambda *told: turned(may_note(*told), *told))


def _reads_whatever_is_there() -> Guardless:
    def unpinned(self: MeddledStore, version: Any, start: int, end: int) -> Any:
        for at in range(start, end, CHUNK):
            there = self._worker.call("read", lambda: self._inner.get(version.ref, 1 << 20))
            # What is too short is filled up.
            yield there.ljust(version.size, b"\0")[at : min(end, at + CHUNK)]

    return patch.object(MeddledStore, "read", unpinned)


def _looked_once(make: Any, request: Any, source: Any, torrent: Any) -> Any:
    """``Maker._claim`` as it would be without its second look."""
    job = Job(str(request.ref), source, make.policy.policy_id, make.engine.name, request.sequencer)
    tools: dict[str, Any] = {"owner": make.owner, "lease_seconds": make.lease_seconds}
    return make.status.claim(job, **tools), torrent


def _takes_it_as_it_is(make: Any, source: Any, torrent: Any) -> Any:
    body = make.store.get(torrent.version.ref, 1 << 20)
    return describe(source, parse(body), len(body), bytes_read=0)


def _swallowed() -> Guardless:
    remove = MeddledStore.remove

    def quiet(self: MeddledStore, version: Any) -> None:
        with contextlib.suppress(WriteConflict):
            remove(self, version)

    return patch("state.worker.MeddledStore.remove", quiet)


def _left(*_: Any) -> None:
    """Nothing is cleared."""


GUARDS: dict[str, Callable[[], Guardless]] = {
    "If-Match on publish": lambda: _unconditional(lambda replaces: replaces is not None),
    "If-None-Match on publish": lambda: _unconditional(lambda replaces: replaces is None),
    "If-Match on removal": _removes_whatever_is_there,
    "the lease in claim": lambda: _claims(_no_hold),
    "the sequencer in claim": lambda: _claims(_no_order),
    "fencing of finish": lambda: patch(f"{MEMORY}.may_finish", lambda *_: True),
    "fencing of renew": lambda: patch(f"{MEMORY}.may_renew", lambda *_: True),
    "fencing of both": lambda: _all(
        patch(f"{MEMORY}.may_finish", lambda *_: True), patch(f"{MEMORY}.may_renew", lambda *_: True)
    ),
    "the policy": _any_policy,
    "the mark of our own torrents": _all_are_ours,
    "the look at what is called done": lambda: patch(f"{MAKE}.Maker._claim", _looked_once),
    "the pinned read": _reads_whatever_is_there,
    "the look before publishing": lambda: _all(
        patch("s3torrent.pipeline.build.require_current", lambda *_: None),
        patch(f"{UPLOAD}.require_current", lambda *_: None),
    ),
    "the look at what was published": lambda: patch(
        f"{MAKE}.Maker._published",
        _takes_it_as_it_is,
    ),
    "the reservation": lambda: patch(f"{MEMORY}.MemoryStatus.reserve", lambda *_, **__: None),
    "the claim of who reserved": lambda: patch(
        f"{UPLOAD}.Job", lambda *told, **named: Job(*told, **named | {"reserved": False})
    ),
    "the lease in note": lambda: _notes(
        lambda may, item, status, sequencer, now: (
            may or not (item.status == "COMPLETED" or deciding.is_older(sequencer, item.get("sequencer")))
        )
    ),
    "the order in note": lambda: _notes(
        lambda may, item, status, sequencer, now: may or not deciding.is_live(item, now)
    ),
    "DELETED over COMPLETED in note": lambda: _notes(
        lambda may, item, status, sequencer, now: (
            may
            and not (
                item is not None
                and status == DELETED
                and item.status == "COMPLETED"
                and not item.get("sequencer")
            )
        )
    ),
    "the last look after a deletion": lambda: patch(f"{GONE}.find", lambda *_, **__: None),
    "a conflict on removal is raised": _swallowed,
    "a HEAD that was refused tells of no deletion": lambda: patch(
        "s3torrent.types.TorrentRequest.tells_of_absence", property(lambda request: request.tells_of_removal)
    ),
    "late torrents are removed": lambda: patch(f"{MAKE}.leave", _left),
}


def found(guard: str, first: int, schedules: int, shorter: int = 0) -> tuple[int, str, list[str]] | None:
    """Without the guard: how many schedules it took, and the error and course of the shortest; None for none."""
    tried = 0
    best: tuple[int, str, list[str]] | None = None
    with staged(), GUARDS[guard]():
        for seed in range(first, first + schedules):
            try:
                run(seed)
            except AssertionError as error:
                course = error.__notes__[-1].splitlines()
                if best is None or len(course) < len(best[2]):
                    tried = tried or seed - first + 1
                    best = tried, f"{error} (seed {seed})", course
            if best and seed - first >= tried + shorter - 1:
                break
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description="Take out each guard in turn, until a schedule fails.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--course", action="store_true", help="print the whole schedule")
    options = parser.parse_args()
    missed = 0
    for guard in options.names or GUARDS:
        result = found(guard, options.first, options.schedules, SHORTER)
        if result is None:
            missed += 1
            print(f"{guard}: not missed in {options.schedules:,} schedules", flush=True)
            continue
        tried, error, course = result
        print(f"{guard}: after {tried:,}; shortest {len(course) - 1} lines: {error}", flush=True)
        if options.course:
            print("\n".join(f"    {line}" for line in course))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
