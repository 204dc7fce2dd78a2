"""The few values that walk through the rooms, from event to torrent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

TORRENT_SUFFIX = ".torrent"
REMOVED = ("ObjectRemoved", "LifecycleExpiration")
DIRECT = "direct"
"""The event of a request that somebody made in person."""
FOLDER = "folder"
"""The event of a folder that may be quiet by now; its key ends in ``/``."""
CATALOG = "catalog"
"""The event of a catalogue that is to be brought up to date; its key is a prefix."""
CATALOG_MARK = "s3torrent-catalog"
"""User metadata of each file of a catalogue: what is not marked so is never overwritten and never removed."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Where an object lies; ``key`` is decoded, plain text. A local file has bucket ``""``."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key

    @property
    def torrent(self) -> ObjectRef:
        """``KEY.torrent``; of a folder (``a/b/``) ``a/b.torrent``."""
        return ObjectRef(self.bucket, self.key.removesuffix("/") + TORRENT_SUFFIX)


@dataclass(frozen=True, slots=True)
class ContentSha1:
    """What a store keeps of an object's content: with ``parts`` None its SHA-1, else the SHA-1 of the SHA-1s
    of that many parts, one after the other (S3's composite checksum). ``digest`` is 20 bytes.
    """

    digest: bytes
    parts: int | None = None


@dataclass(frozen=True, slots=True)
class PartSha1:
    """Part ``number`` (from 1) of an object: ``size`` bytes with this SHA-1 (20 bytes)."""

    number: int
    size: int
    sha1: bytes


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One immutable state of an object; every read is pinned to it.

    ``version_id`` is None in an unversioned bucket; ``etag`` keeps S3's quotes off;
    ``size`` in bytes; ``last_modified`` is aware, UTC, in whole seconds. ``sha1`` is what HEAD told of the
    content, None where it told nothing that can be relied on; it does not tell versions apart.
    ``sha1_told``: a listing says that the store keeps one.
    """

    ref: ObjectRef
    version_id: str | None
    etag: str
    size: int
    last_modified: datetime
    sha1: ContentSha1 | None = field(default=None, compare=False)
    sha1_told: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.ref} (version {self.version_id or self.etag})"


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What HEAD tells: the version, and the user metadata (lower-case names, without ``x-amz-meta-``).

    ``headers`` is what an answer besides says of the object, for a ``put`` that keeps it: of each store its
    own.
    """

    version: ObjectVersion
    metadata: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    headers: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that is under way: nothing is to be seen at ``ref`` until it is completed."""

    ref: ObjectRef
    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """Part ``number`` (from 1) of ``size`` bytes; ``sha1`` is None where the store keeps none."""

    number: int
    etag: str
    size: int
    sha1: bytes | None = None


@dataclass(frozen=True, slots=True)
class TorrentRequest:
    """One wish for a torrent, from whichever way in.

    ``version_id``, ``etag``, ``size`` and ``sequencer`` are what the event said, None where it did not.
    ``event`` is the S3 event name without ``s3:`` ("ObjectCreated:Put", "ObjectRemoved:Delete"), "direct" for
    a direct call, "folder" for a folder.
    """

    ref: ObjectRef
    version_id: str | None = None
    etag: str | None = None
    size: int | None = None
    sequencer: str | None = None
    event: str = DIRECT

    @property
    def tells_of_removal(self) -> bool:
        """Whether something was deleted: a version, or all there was to see of the object."""
        return self.event.startswith(REMOVED)

    @property
    def tells_of_absence(self) -> bool:
        """Whether nothing was left at the key: a delete marker, or an object in a bucket without versions.

        A version that was deleted may have been an old one.
        """
        marked = self.event.endswith("DeleteMarkerCreated")
        return self.tells_of_removal and (marked or self.version_id is None)


@dataclass(frozen=True, slots=True)
class FanOutCall:
    """One step: ``action`` of the attempt at the object's torrent; ``slice`` of ``hash_range``; what went
    wrong of ``give_up``.
    """

    action: str
    ref: ObjectRef
    attempt: int
    slice: int = 0
    error: str = ""
