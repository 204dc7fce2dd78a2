"""The status table as the page shows it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3torrent.status.base import COMPLETED, FAILED, IN_WORK, PENDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.status.base import StatusItem, StatusStore

WIDE, WIDE_SECONDS = 2000, 10.0
"""How many of the newest items are looked through for what is in work or failed, and how often: it is 16
queries, and about 250 read units.
"""


@dataclass
class View:
    """The ``limit`` items that changed last, and what is in work, waiting or failed of many more.

    Threads may share it. Raises what the table raises.
    """

    table: StatusStore
    limit: int = 100
    monotonic: Callable[[], float] = time.monotonic
    _wide: list[StatusItem] = field(default_factory=list, init=False)
    _looked: float | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def jobs(self) -> dict[str, Any]:
        """``jobs``: those in work first, then newest first; ``looked``: of how many changes ``working`` and
        ``failed`` are told, None for all that the table has.
        """
        newest = self.table.list(limit=self.limit)
        wide = self._looked_through() if len(newest) == self.limit else newest
        found = {item.job_id: item for item in wide} | {item.job_id: item for item in newest}
        first = {item.job_id for item in newest}
        shown = [item for item in found.values() if item.job_id in first or _wants_a_look(item)]
        shown.sort(key=lambda item: str(item.get("updatedAt") or ""), reverse=True)
        shown.sort(key=lambda item: not _is_in_work(item))
        return {
            "jobs": [job(item) for item in shown],
            "working": sum(map(_is_in_work, found.values())),
            "failed": sum(item.status == FAILED for item in found.values()),
            "looked": WIDE if len(wide) == WIDE else None,
        }

    def _looked_through(self) -> list[StatusItem]:
        with self._lock:
            now = self.monotonic()
            if self._looked is None or now - self._looked >= WIDE_SECONDS:
                self._wide = self.table.list(limit=WIDE)
                self._looked = now
            return self._wide


def _is_in_work(item: StatusItem) -> bool:
    return item.status in IN_WORK or item.status == PENDING


def _wants_a_look(item: StatusItem) -> bool:
    return _is_in_work(item) or item.status == FAILED


def job(item: StatusItem) -> dict[str, Any]:
    """``share``: from 0 to 1, of what is hashed; None where nobody works on it."""
    size, done = item.get("size"), item.get("bytesHashed")
    known = isinstance(size, int) and isinstance(done, int) and size > 0
    return {
        "id": item.job_id,
        "status": item.status,
        "inWork": _is_in_work(item),
        "share": min(done / size, 1.0) if known and item.status in IN_WORK else None,
        "size": size if isinstance(size, int) else None,
        "updatedAt": str(item.get("updatedAt") or ""),
        "infoHash": str(item.get("infoHashV1") or item.get("infoHashV2") or ""),
        "reason": "" if item.status == COMPLETED else str(item.get("reason") or ""),
        "hint": "" if item.status == COMPLETED else str(item.get("error", {}).get("hint") or ""),
    }
