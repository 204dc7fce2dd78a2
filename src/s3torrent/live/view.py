"""A status item as the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.status.base import COMPLETED, IN_WORK, PENDING

if TYPE_CHECKING:
    from s3torrent.status.base import StatusItem


def job(item: StatusItem) -> dict[str, Any]:
    """``share``: from 0 to 1, of what is hashed; None where nobody works on it."""
    size, done = item.get("size"), item.get("bytesHashed")
    known = isinstance(size, int) and isinstance(done, int) and size > 0
    return {
        "id": item.job_id,
        "status": item.status,
        "inWork": item.status in IN_WORK or item.status == PENDING,
        "share": min(done / size, 1.0) if known and item.status in IN_WORK else None,
        "size": size if isinstance(size, int) else None,
        "updatedAt": str(item.get("updatedAt") or ""),
        "infoHash": str(item.get("infoHashV1") or item.get("infoHashV2") or ""),
        "magnet": str(item.get("magnet") or "") if item.status == COMPLETED else "",
        "reason": "" if item.status == COMPLETED else str(item.get("reason") or ""),
        "hint": "" if item.status == COMPLETED else str(item.get("error", {}).get("hint") or ""),
    }
