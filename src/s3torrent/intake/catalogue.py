"""The message that reminds of a catalogue: ``{"bucket", "catalog"}``, its place. The function sends it to its
own queue when a torrent is done, to be read a while later.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from s3torrent.errors import EventError
from s3torrent.intake.delivery import Parcel
from s3torrent.intake.payload import shown
from s3torrent.types import CATALOG, ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.intake.payload import Payload

_FIELDS = ("bucket", "catalog")


def is_reminder(payload: Payload) -> bool:
    return "catalog" in payload


def read(payload: Payload) -> Parcel:
    """Raises EventError."""
    unknown = [name for name in payload.names() if name not in _FIELDS]
    if unknown:
        raise EventError(f"{payload.place}: found field {shown(unknown[0])}, expected {', '.join(_FIELDS)}")
    place = ObjectRef(payload.text("bucket"), payload.text("catalog"))
    return Parcel(None, (TorrentRequest(place, event=CATALOG),), (), None)


def reminder(place: ObjectRef) -> str:
    """The message, as ``read`` reads it."""
    return json.dumps({"bucket": place.bucket, "catalog": place.key})
