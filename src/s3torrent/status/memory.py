"""A status store in memory: the twin of the table, for tests and for work without AWS."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from s3torrent.status.base import Done, StatusItem
from s3torrent.status.changes import (
    amending,
    beginning,
    claiming,
    finishing,
    hearing,
    noting,
    releasing,
    renewing,
    reserving,
)
from s3torrent.status.decide import MayClaim, decide, is_news, may_note, next_attempt
from s3torrent.status.lease import (
    granted,
    is_reserved,
    lost,
    may_finish,
    may_renew,
    prolonged,
    reserved,
    sealed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from s3torrent.status.base import Claimed, ClaimResult, Job
    from s3torrent.status.changes import Change


class MemoryStatus:
    """Thread-safe; an item handed out is a snapshot. ``clock`` gives the aware present instant."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._items: dict[str, StatusItem] = {}
        self._lock = threading.Lock()

    def claim(self, job: Job, *, owner: str, lease_seconds: float, redo: bool = False) -> ClaimResult:
        with self._lock:
            seen = self._items.get(job.job_id)
            now = self._clock()
            verdict = decide(seen, job, now, owner=owner, redo=redo)
            if isinstance(verdict, Done) and is_news(verdict.item, job.sequencer):
                self._apply(job.job_id, hearing(job))
            if not isinstance(verdict, MayClaim):
                return verdict
            claim = sealed(granted(job.job_id, verdict.attempt, owner, now, lease_seconds), seen)
            self._apply(job.job_id, claiming(job, claim, seen, now))
            return claim

    def begin(
        self, job_id: str, status: str, attributes: Mapping[str, Any], *, owner: str, lease_seconds: float
    ) -> Claimed:
        with self._lock:
            seen = self._items.get(job_id)
            now = self._clock()
            claim = granted(job_id, next_attempt(seen), owner, now, lease_seconds)
            self._apply(job_id, beginning(claim, status, attributes, seen, now))
            return claim

    def reserve(self, job_id: str, *, owner: str, lease_seconds: float) -> None:
        with self._lock:
            seen = self._items.get(job_id)
            now = self._clock()
            if seen and is_reserved(seen, owner, now):
                raise reserved(job_id, seen)
            until = granted(job_id, 0, owner, now, lease_seconds).lease_expires_at
            self._apply(job_id, reserving(job_id, owner, until, seen, now))

    def release(self, job_id: str, *, owner: str) -> None:
        with self._lock:
            item = self._items.get(job_id)
            if item and item.get("uploadOwner") == owner:
                self._apply(job_id, releasing(self._clock()))

    def renew(self, claim: Claimed, *, lease_seconds: float, status: str, bytes_hashed: int) -> Claimed:
        with self._lock:
            now = self._clock()
            item = self._items.get(claim.job_id)
            if item is None or not may_renew(item, claim):
                raise lost(claim, item)
            renewed = prolonged(claim, now, lease_seconds)
            self._apply(claim.job_id, renewing(renewed, status, bytes_hashed, now))
            return renewed

    def finish(self, claim: Claimed, status: str, attributes: Mapping[str, Any]) -> None:
        with self._lock:
            item = self._items.get(claim.job_id)
            if item is None or not may_finish(item, claim, status):
                raise lost(claim, item)
            self._apply(claim.job_id, finishing(status, attributes, self._clock()))

    def note(
        self, job_id: str, status: str, attributes: Mapping[str, Any], *, sequencer: str | None = None
    ) -> bool:
        with self._lock:
            seen = self._items.get(job_id)
            now = self._clock()
            if not may_note(seen, status, sequencer, now):
                return False
            change = noting(job_id, status, attributes, sequencer=sequencer, seen=seen, now=now)
            self._apply(job_id, change)
            return True

    def amend(self, job_id: str, attributes: Mapping[str, Any], *, where: Mapping[str, Any]) -> bool:
        with self._lock:
            item = self._items.get(job_id)
            if item is None or any(item.get(name) != value for name, value in where.items()):
                return False
            self._apply(job_id, amending(attributes, self._clock()))
            return True

    def get(self, job_id: str) -> StatusItem | None:
        with self._lock:
            return self._items.get(job_id)

    def items(self, prefix: str) -> Iterator[StatusItem]:
        with self._lock:
            found = [item for job_id, item in self._items.items() if job_id.startswith(prefix)]
        yield from found

    def list(self, *, status: str | None = None, limit: int = 1000) -> list[StatusItem]:
        with self._lock:
            items = [item for item in self._items.values() if status in (None, item.status)]
        return sorted(items, key=lambda item: str(item.get("updatedAt")), reverse=True)[:limit]

    def _apply(self, job_id: str, change: Change) -> None:
        item = self._items.get(job_id, StatusItem(job_id))
        self._items[job_id] = StatusItem(job_id, change.applied_to(item.attributes))
