"""Who works on which object, and how it ended: the promises of a status store.

A worker *claims* a job for an object version. The claim is a lease: it runs out at ``lease_expires_at``
unless renewed, so a dead worker blocks nobody for long. Every claim raises ``attempt``, the fencing token:
a write by a worker whose attempt is no longer the current one raises LeaseLost and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from s3torrent.status.timestamp import from_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from s3torrent.types import ObjectVersion

PENDING = "PENDING"
RECORDING = "RECORDING"
UPLOADING = "UPLOADING"
DOWNLOADING = "DOWNLOADING"
CREATING_TORRENT = "CREATING_TORRENT"
UPLOADING_TORRENT = "UPLOADING_TORRENT"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
SKIPPED = "SKIPPED"
DELETED = "DELETED"

IN_WORK = frozenset({RECORDING, UPLOADING, DOWNLOADING, CREATING_TORRENT, UPLOADING_TORRENT})


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be claimed: job id (``s3://BUCKET/KEY``), pinned version, its event's sequencer, policy.

    ``reserved``: its owner has reserved it, and claims only if nobody has claimed anything there since.
    """

    job_id: str
    version: ObjectVersion
    policy_id: str
    engine: str = "native"
    sequencer: str | None = None
    reserved: bool = False


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One row, attribute names as in the table (camelCase), values plain (str, int, dict).

    ``attributes`` holds every attribute but ``jobId``.
    """

    job_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return str(self.attributes.get("status", PENDING))

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    @property
    def worked_on_until(self) -> datetime | None:
        """When the lease of the work in hand ends, or ended; None where nobody is at work."""
        end = self.get("leaseExpiresAt")
        return from_text(str(end)) if self.status in IN_WORK and end else None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The caller now holds the job; pass this to every later write.

    ``seal`` is a secret of the job, the same for every attempt, by which one knows what another has written
    where others may write, too.
    """

    job_id: str
    attempt: int
    owner: str
    lease_expires_at: datetime
    seal: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """The same version was already finished (COMPLETED) under the same policy."""

    item: StatusItem


@dataclass(frozen=True, slots=True)
class HeldUntil:
    """Another worker holds this very version until then, if it does not renew; or an upload of its own
    reserved whatever appears there.
    """

    at: datetime
    owner: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer event (by sequencer) of the same key has been taken up already, or what was reserved there."""

    item: StatusItem


ClaimResult = Claimed | Done | HeldUntil | Superseded


class StatusStore(Protocol):
    """Errors are those of ``errors.StatusError`` plus AccessDenied, Throttled, EndpointUnreachable."""

    def claim(self, job: Job, *, owner: str, lease_seconds: float, redo: bool = False) -> ClaimResult:
        """Atomically claim, or say why not. ``redo`` claims although it is Done (its torrent has vanished).

        Another version or policy than the one in work takes over at once. Raises HeldByAnother where the item
        keeps changing between look and write.
        """
        ...

    def begin(
        self, job_id: str, status: str, attributes: Mapping[str, Any], *, owner: str, lease_seconds: float
    ) -> Claimed:
        """Take up a job that has no object yet (a recording), whoever held it before: he is fenced off."""
        ...

    def reserve(self, job_id: str, *, owner: str, lease_seconds: float) -> None:
        """Ask for whatever object is about to appear there: ``owner`` uploads it and has its torrent.

        Until the lease ends, claims of others are HeldUntil. Nothing else of the item changes, not even work
        in hand. The owner's claim ends it, or ``release``. Asked again, it is prolonged. Raises HeldByAnother
        where another upload has reserved it.
        """
        ...

    def release(self, job_id: str, *, owner: str) -> None:
        """Give up a reservation; nothing happens where ``owner`` has none."""
        ...

    def renew(self, claim: Claimed, *, lease_seconds: float, status: str, bytes_hashed: int) -> Claimed:
        """Report progress and prolong the lease. Raises LeaseLost, also after ``finish``.

        A lease that ran out can be renewed as long as nobody took the job over.
        """
        ...

    def finish(self, claim: Claimed, status: str, attributes: Mapping[str, Any]) -> None:
        """End the job and its lease: COMPLETED, SKIPPED or FAILED, with further attributes. Raises LeaseLost.

        An attribute that is None is left out. The same ending may be written twice (a client repeats a call
        whose answer was lost); another ending after it is LeaseLost.
        """
        ...

    def note(
        self, job_id: str, status: str, attributes: Mapping[str, Any], *, sequencer: str | None = None
    ) -> bool:
        """Note SKIPPED, FAILED or DELETED without a claim, as no version could be pinned (object gone, ...).

        Never overwrites an item in work (under a live lease), one of a newer sequencer, or, but for DELETED,
        COMPLETED where the sequencer is not known to be newer: then returns False. A worker whose lease ran
        out before has lost the job by it.
        """
        ...

    def amend(self, job_id: str, attributes: Mapping[str, Any], *, where: Mapping[str, Any]) -> bool:
        """Set further attributes (None: take it out) of an item that has those of ``where``; else nothing
        happens, and it returns False.
        """
        ...

    def get(self, job_id: str) -> StatusItem | None: ...

    def items(self, prefix: str) -> Iterator[StatusItem]:
        """All whose job id begins with ``prefix``, in any order, a page in memory at a time. Costs a reading
        of the whole table.
        """
        ...

    def list(self, *, status: str | None = None, limit: int = 1000) -> list[StatusItem]:
        """Newest first by ``updatedAt``."""
        ...
