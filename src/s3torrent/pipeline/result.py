"""What the function's log, and its answer to a direct call, tell of one try of one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.errors import HeldByAnother, OutOfTime, described
from s3torrent.pipeline.telling import told
from s3torrent.status.base import COMPLETED, FAILED, PENDING

if TYPE_CHECKING:
    from s3torrent.pipeline.outcome import Outcome

TOLD = (
    *("type", "hint", "versionId", "size", "torrentKey", "infoHashV1", "infoHashV2", "magnet", "bytesRead"),
    *("pieceLength", "hashMs", "publishMs", "webSeedChecks"),
)
SPENT = ("hashMs", "publishMs")
HELD = "HELD"
"""Of a try that met another worker at the object. In the table the status is what the other makes of it."""


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    """Of work that was done before, the item tells what it took then: now it took nothing."""
    details = {name: outcome.attributes[name] for name in TOLD if name in outcome.attributes}
    if outcome.status == COMPLETED and not outcome.made:
        details = {name: value for name, value in details.items() if name not in SPENT} | {"bytesRead": 0}
    return {"id": outcome.job_id, "status": outcome.status, "reason": outcome.reason, **details}


def of_error(job_id: str, error: Exception) -> dict[str, Any]:
    """With what was known by then. Out of time it is PENDING, but FAILED where a whole try got no further."""
    what, status = described(error), FAILED
    if isinstance(error, HeldByAnother):
        status = HELD
    elif isinstance(error, OutOfTime) and error.progressed != 0:
        status = PENDING
    return {"id": job_id, "status": status, "reason": what["message"], **told(error), **what}
