"""Which objects are ours to make a torrent of; the others are dropped, each with its reason in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from s3torrent.intake.delivery import Delivery, Dropped, Parcel
from s3torrent.types import CATALOG, FOLDER, TORRENT_SUFFIX

if TYPE_CHECKING:
    from s3torrent.types import ObjectRef, TorrentRequest

_HADOOP_FOLDER = "_$folder$"


@dataclass(frozen=True, slots=True)
class Rules:
    """The filter S3 itself cannot be: notification filters know one prefix and one suffix, and no exclusion.

    ``bucket``: where set, objects of other buckets are dropped.
    ``include``, ``exclude``: glob patterns over the whole key, case-sensitive: ``*`` matches anything,
    ``/`` too; ``?`` one character; ``[abc]``, ``[a-z]``, ``[!a-z]`` one character of a class. With
    ``include`` a key must match one of them. A key that matches one of ``exclude`` is dropped in any case.
    ``control_prefix``: where our own working files lie ("" for none).

    Always dropped: keys that end in ``.torrent``, in capitals as well, since our own torrents come back as
    events; and folder markers, keys that end in ``/`` or ``_$folder$``.
    """

    bucket: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    control_prefix: str = ".s3torrent/"

    def reason(self, ref: ObjectRef) -> str | None:
        """Why this object is dropped; None: it is ours."""
        key = ref.key
        if self.bucket is not None and ref.bucket != self.bucket:
            return f"bucket {ref.bucket} is not {self.bucket}, the only one configured"
        if key.lower().endswith(TORRENT_SUFFIX):
            return f"the key ends in {TORRENT_SUFFIX} (in capitals or not): no torrents of torrents"
        if self.control_prefix and key.startswith(self.control_prefix):
            return f"the key starts with {self.control_prefix}, where s3torrent keeps its own files"
        if key.endswith("/"):
            return "a folder marker: the key ends in /"
        if key.endswith(_HADOOP_FOLDER):
            return f"a folder marker: the key ends in {_HADOOP_FOLDER}"
        return self._reason_by_pattern(key)

    def _reason_by_pattern(self, key: str) -> str | None:
        for pattern in self.exclude:
            if fnmatchcase(key, pattern):
                return f"the key matches the exclude pattern {pattern}"
        if self.include and not any(fnmatchcase(key, pattern) for pattern in self.include):
            return f"the key matches no include pattern ({', '.join(self.include)})"
        return None


def apply(delivery: Delivery, rules: Rules) -> Delivery:
    """The same delivery, with the requests that are not ours moved to ``dropped``."""
    return replace(delivery, parcels=tuple(_sorted(parcel, rules) for parcel in delivery.parcels))


def _sorted(parcel: Parcel, rules: Rules) -> Parcel:
    ours: list[TorrentRequest] = []
    dropped = list(parcel.dropped)
    for request in parcel.requests:
        # Whether a folder gets a torrent is decided by rules of its own, and a catalogue is no object.
        reason = None if request.event in (FOLDER, CATALOG) else rules.reason(request.ref)
        if reason is None:
            ours.append(request)
        else:
            dropped.append(Dropped(request.ref, reason))
    return replace(parcel, requests=tuple(ours), dropped=tuple(dropped))
