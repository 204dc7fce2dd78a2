"""The catalogue that the function keeps up to date: a while after a torrent is done, however many are.

As a folder (docs/adr/0017): a reservation of the status item of the catalogue's place, and one delayed
message.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from s3torrent.errors import HeldByAnother, LeaseLost, described
from s3torrent.status.base import COMPLETED, FAILED, Claimed, HeldUntil, Job
from s3torrent.types import ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from s3torrent.catalog.change import Summary
    from s3torrent.catalog.publish import Publisher
    from s3torrent.status.base import StatusStore
    from s3torrent.types import ObjectRef

WAIT_SECONDS = 60.0
"""How old the catalogue gets: what is done meanwhile goes in together."""
SPARE_SECONDS = 5.0
"""The reservation ends so long before the message is read: what is done from then on sends one more, as the
listing index may not tell of it yet.
"""
LEASE_SECONDS = 900.0
POLICY = "catalogue"


class Remind(Protocol):
    def __call__(self, place: ObjectRef, seconds: float) -> None: ...


@dataclass(frozen=True)
class Duty:
    """``publisher`` is made when there is something to publish: it imports jinja2."""

    place: ObjectRef
    status: StatusStore
    publisher: Callable[[], Publisher]
    clock: Callable[[], datetime]
    wait: float = WAIT_SECONDS

    def stir(self, remind: Remind) -> bool:
        """A torrent was made, or went away. False where a message is under way already."""
        owner = f"catalogue/{secrets.token_hex(6)}"
        lease = max(self.wait - SPARE_SECONDS, self.wait / 2)
        try:
            self.status.reserve(str(self.place), owner=owner, lease_seconds=lease)
        except HeldByAnother:
            return False
        try:
            remind(self.place, self.wait)
        except Exception:  # whoever tries next is to send it
            self.status.release(str(self.place), owner=owner)
            raise
        return True

    def take(self, owner: str) -> Summary:
        """Publish what changed. Raises HeldByAnother where another is at it, and as ``Publisher.recent``."""
        version = ObjectVersion(self.place, None, POLICY, 0, self.clock())
        claim = self.status.claim(
            Job(str(self.place), version, POLICY, POLICY), owner=owner, lease_seconds=LEASE_SECONDS, redo=True
        )
        if isinstance(claim, HeldUntil):
            raise HeldByAnother(
                f"{self.place} is held by {claim.owner} until {claim.at:%H:%M:%S} UTC", until=claim.at
            )
        if not isinstance(claim, Claimed):
            raise LeaseLost(f"{self.place} was taken up by another")
        try:
            summary = self.publisher().recent()
        except Exception as error:
            told = described(error)
            self.status.finish(claim, FAILED, {"reason": told["message"], "error": told})
            raise
        self.status.finish(claim, COMPLETED, {"reason": f"{summary.count:,} torrents"})
        return summary
