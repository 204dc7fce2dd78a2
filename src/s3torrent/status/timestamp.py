"""Instants in the table: ISO 8601 UTC, fixed width to the millisecond, so text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """``2026-11-23T14:00:00.123Z``; what is finer than a millisecond is cut off. ``instant`` is aware."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime:
    """The aware instant in UTC; raises ValueError for anything but ISO 8601."""
    return datetime.fromisoformat(text).astimezone(UTC)
