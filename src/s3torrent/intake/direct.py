"""A direct call, ``{"bucket", "key"[, "versionId"]}``: a person, a script, the state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import EventError
from s3torrent.intake.delivery import Parcel
from s3torrent.intake.payload import shown
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.intake.payload import Payload

_FIELDS = ("bucket", "key", "versionId")


def is_call(payload: Payload) -> bool:
    return "bucket" in payload or "key" in payload


def read(payload: Payload) -> Parcel:
    """One request; ``key`` is plain text and taken as it is.

    An unknown field is refused: a misspelt ``versionId`` would quietly ask for another version.
    """
    unknown = [name for name in payload.names() if name not in _FIELDS]
    if unknown:
        raise EventError(
            f"{payload.place}: found field {shown(unknown[0])}, expected {', '.join(_FIELDS)}",
            hint='call with {"bucket": ..., "key": ...} and, for an older version, "versionId"',
        )
    ref = ObjectRef(payload.text("bucket"), payload.text("key"))
    return Parcel(None, (TorrentRequest(ref, version_id=payload.optional_text("versionId")),), (), None)
