"""What each write does to an item: the attributes it sets and removes. A backend only carries it out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.status.base import COMPLETED, CREATING_TORRENT, DELETED, DOWNLOADING, PENDING
from s3torrent.status.decide import is_older
from s3torrent.status.timestamp import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from s3torrent.status.base import Claimed, Job, StatusItem

SHARDS = tuple(f"STATUS#{number:02d}" for number in range(16))
"""Hash keys of the listing index, so that none of its partitions runs hot."""

OUTCOME = frozenset(
    {
        "reason",
        "error",
        "completedAt",
        "bytesRead",
        "pieceLength",
        "pieceCount",
        "torrentKey",
        "torrentSize",
        "infoHashV1",
        "infoHashV2",
        "magnet",
        "private",
        "webSeedChecks",
        "hashMs",
        "publishMs",
        "expiresAt",
    }
)
"""What one attempt leaves behind; the next must not show it as its own."""


RESERVATION = frozenset({"uploadOwner", "uploadExpiresAt"})


@dataclass(frozen=True, slots=True)
class Change:
    """Set these attributes, remove those. Attributes of other programs stay as they are."""

    sets: Mapping[str, Any]
    removes: frozenset[str]

    def applied_to(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in attributes.items() if name not in self.removes} | dict(
            self.sets
        )


def claiming(job: Job, claim: Claimed, seen: StatusItem | None, now: datetime) -> Change:
    """A new attempt begins. ``createdAt`` is kept; so is ``sequencer`` where the job has none or an older."""
    version = job.version
    late = seen is not None and is_older(job.sequencer, seen.get("sequencer"))
    return _change(
        {
            "status": DOWNLOADING if job.engine == "transmission" else CREATING_TORRENT,
            "bucket": version.ref.bucket,
            "key": version.ref.key,
            "versionId": version.version_id,
            "etag": version.etag,
            "size": version.size,
            "sequencer": None if late else job.sequencer,
            "policyId": job.policy_id,
            "engine": job.engine,
            "bytesHashed": 0,
            "attempt": claim.attempt,
            "leaseOwner": claim.owner,
            "leaseExpiresAt": to_text(claim.lease_expires_at),
            "seal": claim.seal,
            **_stamps(job.job_id, seen, now),
        },
        removes=OUTCOME | RESERVATION | {"versionId"},
    )


def hearing(job: Job) -> Change:
    """An event finds its work Done, as after an upload of ours: those before it are older from now on, and a
    reservation that ran out is void.
    """
    return _change({"sequencer": job.sequencer}, removes=RESERVATION)


def beginning(
    claim: Claimed, status: str, attributes: Mapping[str, Any], seen: StatusItem | None, now: datetime
) -> Change:
    """A recording begins: there is no object yet."""
    return _change(
        {
            **attributes,
            "status": status,
            "bytesHashed": 0,
            "attempt": claim.attempt,
            "leaseOwner": claim.owner,
            "leaseExpiresAt": to_text(claim.lease_expires_at),
            **_stamps(claim.job_id, seen, now),
        },
        removes=OUTCOME | {"versionId", "etag", "size"},
    )


def reserving(job_id: str, owner: str, until: datetime, seen: StatusItem | None, now: datetime) -> Change:
    """Beside whatever the item tells, which stays true."""
    stamps = {} if seen else {"status": PENDING, **_stamps(job_id, None, now)}
    return _change({**stamps, "uploadOwner": owner, "uploadExpiresAt": to_text(until)})


def releasing(now: datetime) -> Change:
    return _change({"updatedAt": to_text(now)}, removes=RESERVATION)


def renewing(renewed: Claimed, status: str, bytes_hashed: int, now: datetime) -> Change:
    return _change(
        {
            "status": status,
            "bytesHashed": bytes_hashed,
            "leaseExpiresAt": to_text(renewed.lease_expires_at),
            "updatedAt": to_text(now),
        }
    )


def finishing(status: str, attributes: Mapping[str, Any], now: datetime) -> Change:
    """The end of an attempt. ``leaseOwner`` stays, as who did it; ``leaseExpiresAt``, the lease, goes."""
    ended = {"completedAt": to_text(now)} if status == COMPLETED else {}
    return _change(
        {**attributes, **ended, "status": status, "updatedAt": to_text(now)},
        removes=frozenset({"leaseExpiresAt"}),
    )


def noting(
    job_id: str,
    status: str,
    attributes: Mapping[str, Any],
    *,
    sequencer: str | None,
    seen: StatusItem | None,
    now: datetime,
) -> Change:
    """A status without a claim: no owner remains, so whoever once held the item holds it no longer. Of an
    object that is DELETED no reservation remains: it may have been the one that was to come.
    """
    ended = RESERVATION if status == DELETED else frozenset()
    return _change(
        {
            **attributes,
            "status": status,
            "sequencer": sequencer,
            "attempt": seen.get("attempt", 0) if seen else 0,
            **_stamps(job_id, seen, now),
        },
        removes=OUTCOME
        | ended
        | {"versionId", "etag", "size", "bytesHashed", "policyId", "leaseOwner", "leaseExpiresAt"},
    )


def amending(attributes: Mapping[str, Any], now: datetime) -> Change:
    """Beside all else that the item tells."""
    gone = frozenset(name for name, value in attributes.items() if value is None)
    return _change({**attributes, "updatedAt": to_text(now)}, removes=gone)


def shard_of(job_id: str) -> str:
    return SHARDS[zlib.crc32(job_id.encode("utf-8", "surrogatepass")) % len(SHARDS)]


def _stamps(job_id: str, seen: StatusItem | None, now: datetime) -> dict[str, str]:
    text = to_text(now)
    created = seen.get("createdAt", text) if seen else text
    return {"createdAt": created, "updatedAt": text, "statusShard": shard_of(job_id)}


def _change(sets: Mapping[str, Any], removes: frozenset[str] = frozenset()) -> Change:
    known = {
        name: value for name, value in sets.items() if value is not None
    }  # None is "not known": no attribute
    return Change(known, removes - known.keys())
