"""Which folders get a torrent of their own, and the message that reminds of one.

``{"bucket", "folder"}`` is a message that the function sends to its own queue, to be read when the folder may
have been quiet for long enough.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from s3torrent.errors import EventError
from s3torrent.intake.delivery import Parcel
from s3torrent.intake.payload import shown
from s3torrent.types import FOLDER, TORRENT_SUFFIX, ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.intake.payload import Payload

_FIELDS = ("bucket", "folder")


@dataclass(frozen=True, slots=True)
class FolderRules:
    """``patterns``: each ends in ``/``, and is compared one path segment after the other, so that ``*`` does
    not match ``/``: ``shows/*/`` is each folder directly below ``shows/``. ``control_prefix`` is no folder.
    """

    patterns: tuple[str, ...] = ()
    control_prefix: str = ".s3torrent/"

    def folder_of(self, ref: ObjectRef) -> ObjectRef | None:
        """The folder that an object belongs to, by the first pattern that matches; None where none does.

        A .torrent stirs nothing up: those that we write would.
        """
        if not self.patterns or ref.key.lower().endswith(TORRENT_SUFFIX):
            return None
        if self.control_prefix and ref.key.startswith(self.control_prefix):
            return None
        segments = ref.key.split("/")[:-1]
        for pattern in self.patterns:
            wanted = pattern.split("/")[:-1]
            found = segments[: len(wanted)]
            if len(found) == len(wanted) and all(map(fnmatchcase, found, wanted)):
                return ObjectRef(ref.bucket, "/".join(found) + "/")
        return None

    def has(self, folder: ObjectRef) -> bool:
        return self.folder_of(ObjectRef(folder.bucket, f"{folder.key}x")) == folder


def is_reminder(payload: Payload) -> bool:
    return "folder" in payload


def read(payload: Payload) -> Parcel:
    """Raises EventError."""
    unknown = [name for name in payload.names() if name not in _FIELDS]
    if unknown:
        raise EventError(
            f"{payload.place}: found field {shown(unknown[0])}, expected {', '.join(_FIELDS)}",
            hint='call with {"bucket": ..., "folder": ...}, the folder with a / at its end',
        )
    folder = payload.text("folder")
    if not folder.endswith("/"):
        raise payload.fault("folder", f"found {shown(folder)}, expected a / at its end")
    return Parcel(None, (TorrentRequest(ObjectRef(payload.text("bucket"), folder), event=FOLDER),), (), None)


def reminder(folder: ObjectRef) -> str:
    """The message, as ``read`` reads it."""
    return json.dumps({"bucket": folder.bucket, "folder": folder.key})
