"""An item as it can be relied on: people edit the table by hand, and other programs write to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from s3torrent.status.base import StatusItem
from s3torrent.status.timestamp import from_text

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 1 << 63
"""A number of ours is below; DynamoDB's own have 38 digits, and one more would not fit."""


def legible(item: StatusItem) -> StatusItem:
    """``item`` without those attributes of ours that are of another type than we write: they say nothing.

    So a lease that no clock can read has ended, an attempt that is no number was none, and the next claim
    writes all of them anew. Attributes of other programs stay.
    """
    return StatusItem(
        item.job_id,
        {name: value for name, value in item.attributes.items() if _KINDS.get(name, _any)(value)},
    )


def _any(_value: Any) -> bool:
    return True


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST


def _mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _instant(value: Any) -> bool:
    try:
        from_text(value)
    except (TypeError, ValueError, OverflowError):  # no text; no ISO 8601; an end of the calendar
        return False
    return True


_TEXTS = (
    *("status", "reason", "bucket", "key", "versionId", "etag", "sequencer", "policyId", "engine"),
    *("leaseOwner", "uploadOwner", "seal", "torrentKey", "infoHashV1", "infoHashV2", "magnet", "statusShard"),
    *("createdAt", "updatedAt", "completedAt"),
)
_NUMBERS = (
    *("size", "bytesHashed", "bytesRead", "pieceLength", "pieceCount", "torrentSize", "attempt"),
    "expiresAt",
)
_KINDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(("leaseExpiresAt", "uploadExpiresAt"), _instant),
    "error": _mapping,
}
