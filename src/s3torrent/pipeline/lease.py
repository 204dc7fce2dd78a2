"""A claim that is renewed as its work goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import OutOfTime
from s3torrent.status.base import CREATING_TORRENT
from s3torrent.store.base import PASSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.status.base import Claimed, StatusStore
    from s3torrent.types import ObjectVersion


class Lease:
    """A claim that is renewed as work goes on, three times per lease; what is done sooner costs no call.

    A table that is busy is asked again; a lease that is about to run out ends the work.
    """

    def __init__(
        self,
        status: StatusStore,
        claim: Claimed,
        source: ObjectVersion,
        *,
        seconds: float,
        deadline: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._status, self.claim, self.source = status, claim, source
        self._seconds, self._deadline, self._monotonic = seconds, deadline, monotonic
        self._renewed = monotonic()
        self._due = self._renewed + seconds / 3

    def progress(self, done: int, phase: str = CREATING_TORRENT, /) -> None:
        now = self._monotonic()
        if now >= self._deadline:
            raise OutOfTime(
                f"{self.source}: time is up with {done:,} of {self.source.size:,} bytes done ({phase})"
            )
        if now < self._due:
            return
        try:
            self.renew(done, phase)
        except PASSING:
            if now - self._renewed >= self._seconds * 2 / 3:
                raise
            self._due = now + self._seconds / 10

    def renew(self, done: int, phase: str = CREATING_TORRENT, *, seconds: float | None = None) -> None:
        """Tell the table now; with ``seconds`` the lease is that long from now on. Raises LeaseLost."""
        self._seconds = seconds or self._seconds
        self.claim = self._status.renew(
            self.claim, lease_seconds=self._seconds, status=phase, bytes_hashed=done
        )
        self._renewed = self._monotonic()
        self._due = self._renewed + self._seconds / 3
