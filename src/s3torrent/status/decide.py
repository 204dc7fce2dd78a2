"""May this job be claimed? One pure answer, for every backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.status.base import COMPLETED, DELETED, Done, HeldUntil, Superseded
from s3torrent.status.lease import is_live, is_reserved
from s3torrent.status.timestamp import from_text

if TYPE_CHECKING:
    from datetime import datetime

    from s3torrent.status.base import Job, StatusItem


@dataclass(frozen=True, slots=True)
class MayClaim:
    """The job is free; the claim is to carry this attempt."""

    attempt: int


def decide(
    item: StatusItem | None, job: Job, now: datetime, *, owner: str, redo: bool
) -> MayClaim | Done | HeldUntil | Superseded:
    """What a claim of ``job`` meets, given the ``item`` in the table (None: there is none).

    In this order: the same work is finished -> Done, unless ``redo`` or an event so new that it may be of
    the reserved object (the same bytes, in a bucket without versions); the same work is in a live lease ->
    HeldUntil; another claimed what the job had reserved, or a newer event was taken up (which keeps nobody
    from redoing finished work) -> Superseded; the object is reserved by its uploader, who is not ``owner`` ->
    HeldUntil; anything else may be claimed. Another version or policy takes over at once: the work in hand
    has lost its purpose.
    """
    if item is None:
        return MayClaim(next_attempt(None))
    same = _is_same_work(item, job)
    finished = same and item.status == COMPLETED
    expected = is_news(item, job.sequencer) and is_reserved(item, owner, now)
    if finished and not redo and not expected:
        return Done(item)
    if same and is_live(item, now):
        return HeldUntil(from_text(item.get("leaseExpiresAt")), str(item.get("leaseOwner", "")))
    lost = job.reserved and item.get("uploadOwner") != owner
    if lost or (not finished and is_older(job.sequencer, item.get("sequencer"))):
        return Superseded(item)
    if is_reserved(item, owner, now):
        return HeldUntil(from_text(item.get("uploadExpiresAt")), str(item.get("uploadOwner")))
    return MayClaim(attempt=next_attempt(item))


def next_attempt(item: StatusItem | None) -> int:
    return int(item.get("attempt", 0)) + 1 if item else 1


def may_note(item: StatusItem | None, status: str, sequencer: str | None, now: datetime) -> bool:
    """Whether ``status`` without a claim may overwrite ``item``: not live work, not what a newer event left,
    and a result only where the event is known to be newer, or tells that its object is DELETED.
    """
    if item is None:
        return True
    if item.status == COMPLETED and status != DELETED:
        return is_older(item.get("sequencer"), sequencer)
    return not (is_live(item, now) or is_older(sequencer, item.get("sequencer")))


def is_news(item: StatusItem, sequencer: str | None) -> bool:
    """Whether the event that found its work Done is a newer one than the item knows."""
    known = item.get("sequencer")
    return sequencer is not None and (known is None or is_older(known, sequencer))


def is_older(sequencer: str | None, than: str | None) -> bool:
    """Order of two events of one key; False where either has no sequencer.

    "Right pad the shorter value with zeros, then compare lexicographically":
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    if sequencer is None or than is None:
        return False
    width = max(len(sequencer), len(than))
    return sequencer.ljust(width, "0") < than.ljust(width, "0")


def _is_same_work(item: StatusItem, job: Job) -> bool:
    version = job.version
    wanted = (version.version_id, version.etag, version.size, job.policy_id)
    return wanted == tuple(item.get(name) for name in ("versionId", "etag", "size", "policyId"))
