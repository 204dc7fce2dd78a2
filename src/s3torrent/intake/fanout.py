"""A step of the state machine, ``{"action", "job": {"bucket", "key", "attempt"}[, "slice"][, "error"]}``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from s3torrent.errors import EventError
from s3torrent.intake.payload import Payload, shown
from s3torrent.types import FanOutCall, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIONS = ("plan", "hash_range", "assemble", "give_up", "give_up_slice")
MOST_TOLD = 1000
"""Characters of what went wrong that are kept."""


def is_step(event: object) -> bool:
    return isinstance(event, dict) and "action" in event


def read(event: Mapping[str, object]) -> FanOutCall:
    """Raises EventError."""
    payload = Payload(event)
    action = payload.text("action")
    if action not in ACTIONS:
        raise EventError(f"event.action: found {shown(action)}, expected {', '.join(ACTIONS)}")
    job = payload.child("job")
    attempt, number = job.optional_size("attempt"), payload.optional_size("slice")
    if attempt is None:
        raise job.fault("attempt", "found none, expected the attempt that was handed over")
    if number is None and action in ("hash_range", "give_up_slice"):
        raise payload.fault("slice", "found none, expected its number")
    ref = ObjectRef(job.text("bucket"), job.text("key"))
    return FanOutCall(action, ref, attempt, number or 0, _told(payload))


def _told(payload: Payload) -> str:
    """What a state machine says of an error: ``{"Error", "Cause"}``, where the cause of a function's error is
    JSON with its ``errorMessage``. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    if "error" not in payload:
        return ""
    error = payload.child("error")
    name, cause = error.optional_text("Error") or "States.TaskFailed", error.optional_text("Cause") or ""
    try:
        found = json.loads(cause)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        name, cause = str(found.get("errorType") or name), str(found.get("errorMessage") or cause)
    return f"{name}: {cause}"[:MOST_TOLD]
