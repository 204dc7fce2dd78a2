"""A recording's status item, kept true while it records: a beginning, heartbeats, and one ending.

The heartbeat is a thread of its own, so the data never waits for the table. A recording goes on when the
table cannot be told; only its beginning and its ending insist. An item left in work whose ``leaseExpiresAt``
has passed is a dead task.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, Self

from s3torrent.errors import LeaseLost, S3TorrentError, described
from s3torrent.status.base import COMPLETED, FAILED, RECORDING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from s3torrent.status.base import Claimed, StatusStore

INTERVAL_SECONDS = 60.0
LEASE_INTERVALS = 3
"""Two heartbeats may be lost before the task counts as dead."""
ENDING_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries to write the ending, which matters more than a heartbeat."""
JOIN_SECONDS = 1.0


class Tell(Protocol):
    """One line to the log."""

    def __call__(self, level: int, event: str, /, **fields: Any) -> object: ...


class Journal:
    """``with Journal(...) as journal``: every way out of the block leaves the item ended.

    ``interval`` in seconds; ``ttl_seconds`` after its last beginning or ending the item expires, never with
    None. ``attributes`` are written at the beginning. Entering raises StatusError, AccessDenied, ...: nothing
    is recorded that could not be told of.
    """

    def __init__(
        self,
        status: StatusStore,
        job_id: str,
        *,
        owner: str,
        attributes: Mapping[str, Any],
        tell: Tell,
        interval: float = INTERVAL_SECONDS,
        ttl_seconds: int | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._status, self._job_id, self._owner = status, job_id, owner
        self._attributes, self._tell, self._interval = attributes, tell, interval
        self._ttl_seconds, self._clock, self._sleep = ttl_seconds, clock, sleep
        self._claim: Claimed | None = None
        self._done, self._phase = 0, RECORDING
        self._troubled = False
        self._news, self._ended = threading.Event(), False
        self._turn = threading.Lock()  # an item that has vanished is begun anew by one thread
        self._heart = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    def __enter__(self) -> Self:
        self._begin()
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended:
            self.failed(error or RuntimeError("the recorder ended without a result"))
        self._heart.join(JOIN_SECONDS)

    def progress(self, done: int, phase: str = RECORDING, /) -> None:
        """Bytes done so far in this phase; cheap, from any thread. A new phase is told at once."""
        self._done = done
        if phase != self._phase:
            self._phase = phase
            self._news.set()

    def completed(self, attributes: Mapping[str, Any]) -> None:
        """Raises what keeps the ending from being written, after several tries."""
        self._end(COMPLETED, attributes)

    def failed(self, error: BaseException, log_tail: str = "") -> None:
        """``log_tail`` is without secrets. The table's own errors are only logged."""
        told = described(error)
        attributes = {"reason": told["message"], "error": told, "logTail": log_tail or None}
        try:
            self._end(FAILED, attributes)
        except S3TorrentError as second:
            self._tell(logging.ERROR, "status not written", id=self._job_id, **second.as_dict())

    def _begin(self) -> None:
        self._claim = self._status.begin(
            self._job_id,
            self._phase,
            {**self._attributes, "expiresAt": self._expires_at()},
            owner=self._owner,
            lease_seconds=self._lease_seconds,
        )

    def _end(self, status: str, attributes: Mapping[str, Any]) -> None:
        with self._turn:
            self._ended = True
            self._news.set()
            told = {**attributes, "expiresAt": self._expires_at()}
            for pause in (*ENDING_PAUSES, None):
                try:
                    while not self._finished(status, told):
                        pass
                except S3TorrentError as error:
                    if pause is None or not error.retryable:
                        raise
                    self._sleep(pause)
                else:
                    return

    def _finished(self, status: str, attributes: Mapping[str, Any]) -> bool:
        """False where the item had vanished and was begun anew."""
        if self._claim is None:
            return True
        try:
            self._status.finish(self._claim, status, attributes)
        except LeaseLost as error:
            return not self._begun_anew(error)
        return True

    def _beat(self) -> None:
        """One heartbeat each interval, and one at each change of phase."""
        while not self._ended:
            self._news.wait(self._interval)
            self._news.clear()
            if self._ended or self._claim is None:
                return
            try:
                self._renew(self._claim)
            except Exception as error:  # noqa: BLE001 - a heart that stopped would be taken for a dead task
                self._trouble(error)
            else:
                if self._troubled:
                    self._troubled = False
                    self._tell(logging.INFO, "heartbeat is back", id=self._job_id)

    def _renew(self, claim: Claimed) -> None:
        try:
            renewed = self._status.renew(
                claim, lease_seconds=self._lease_seconds, status=self._phase, bytes_hashed=self._done
            )
        except LeaseLost as error:
            with self._turn:
                if not self._ended and self._begun_anew(error):
                    self._news.set()
        else:
            self._claim = renewed

    def _trouble(self, error: Exception) -> None:
        if not self._troubled and not self._ended:
            self._troubled = True
            self._tell(logging.WARNING, "heartbeat failed", id=self._job_id, **described(error))

    def _begun_anew(self, error: LeaseLost) -> bool:
        """An item that expired or was deleted by hand is. One that another task has taken is that one's: the
        recording goes on without.
        """
        if self._status.get(self._job_id) is None:
            self._begin()
            return True
        self._claim = None
        self._tell(logging.ERROR, "status lost to another task", id=self._job_id, **error.as_dict())
        return False

    @property
    def _lease_seconds(self) -> float:
        return LEASE_INTERVALS * self._interval

    def _expires_at(self) -> int | None:
        return int(self._clock()) + self._ttl_seconds if self._ttl_seconds else None


class NoJournal:
    """For a recording that has no item: no JOB_ID, or no table."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def progress(self, done: int, phase: str = RECORDING, /) -> None:
        pass

    def completed(self, attributes: Mapping[str, Any]) -> None:
        pass

    def failed(self, error: BaseException, log_tail: str = "") -> None:
        pass
