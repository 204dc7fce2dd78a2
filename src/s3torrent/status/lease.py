"""The lease of a claim: when it ends, who still holds it, and what to say when it is lost."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from s3torrent.errors import HeldByAnother, LeaseLost
from s3torrent.status.base import IN_WORK, Claimed
from s3torrent.status.timestamp import from_text, to_text

if TYPE_CHECKING:
    from datetime import datetime

    from s3torrent.status.base import StatusItem


def granted(job_id: str, attempt: int, owner: str, now: datetime, lease_seconds: float) -> Claimed:
    """The claim that holds from ``now`` for ``lease_seconds``, to the millisecond that the table keeps."""
    end = from_text(to_text(now + timedelta(seconds=lease_seconds)))
    return Claimed(job_id, attempt, owner, end)


def sealed(claim: Claimed, seen: StatusItem | None) -> Claimed:
    """With the seal that the job has; its first attempt makes it."""
    kept = str(seen.get("seal") or "") if seen else ""
    return replace(claim, seal=kept or secrets.token_hex(16))


def prolonged(claim: Claimed, now: datetime, lease_seconds: float) -> Claimed:
    end = granted(claim.job_id, claim.attempt, claim.owner, now, lease_seconds).lease_expires_at
    return replace(claim, lease_expires_at=end)


def is_live(item: StatusItem, now: datetime) -> bool:
    """Whether ``item`` is in work under a lease that has not run out; at its very instant it has."""
    return item.status in IN_WORK and to_text(now) < str(item.get("leaseExpiresAt", ""))


def is_reserved(item: StatusItem, owner: str, now: datetime) -> bool:
    """Whether another than ``owner`` has asked for the object that is about to appear."""
    return item.get("uploadOwner") != owner and to_text(now) < str(item.get("uploadExpiresAt", ""))


def may_renew(item: StatusItem, claim: Claimed) -> bool:
    """Whether ``claim`` is current and not ended. Time plays no part: while nobody took over, it holds."""
    return _is_current(item, claim) and item.get("leaseExpiresAt") is not None


def may_finish(item: StatusItem, claim: Claimed, status: str) -> bool:
    """As ``may_renew``, or ended so already: a client repeats a call whose answer was lost."""
    return may_renew(item, claim) or (_is_current(item, claim) and item.status == status)


def reserved(job_id: str, item: StatusItem) -> HeldByAnother:
    return HeldByAnother(
        f"{job_id} is being uploaded by {item.get('uploadOwner')} until {item.get('uploadExpiresAt')}"
    )


def lost(claim: Claimed, item: StatusItem | None) -> LeaseLost:
    """The error, saying who holds the job instead."""
    found = (
        f"attempt {item.get('attempt', 0)} of {item.get('leaseOwner', 'nobody')}, {item.status}"
        if item
        else "no status item"
    )
    return LeaseLost(
        f"{claim.job_id}: attempt {claim.attempt} of {claim.owner} no longer holds the lease; found {found}"
    )


def _is_current(item: StatusItem, claim: Claimed) -> bool:
    return (item.get("attempt"), item.get("leaseOwner")) == (claim.attempt, claim.owner)
