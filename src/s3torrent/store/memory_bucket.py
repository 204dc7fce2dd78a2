"""One bucket in memory: the versions of each key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from heapq import nsmallest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3torrent.types import ObjectHead, ObjectVersion, PartSha1

PAGE_KEYS = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """One version; ``body`` is None for a delete marker."""

    head: ObjectHead
    body: bytes | None
    parts: tuple[PartSha1, ...] = ()


@dataclass(slots=True)
class Bucket:
    versioned: bool
    keys: dict[str, list[Stored]] = field(default_factory=dict)  # newest last

    def find(self, key: str, version_id: str | None = None) -> Stored | None:
        """The current version, or the one asked for; None where none is or a delete marker lies above."""
        versions = self.keys.get(key, [])
        if version_id is not None:
            versions = [one for one in versions if one.head.version.version_id == version_id]
        return versions[-1] if versions and versions[-1].body is not None else None

    def page(self, prefix: str, after: str) -> list[ObjectVersion]:
        """The next current objects, as a listing tells them; text sorts as its UTF-8 does."""
        below = (key for key in self.keys if key.startswith(prefix) and key > after and self.find(key))
        found = [self.keys[key][-1].head.version for key in nsmallest(PAGE_KEYS, below)]
        return [replace(version, version_id=None, sha1=None) for version in found]
