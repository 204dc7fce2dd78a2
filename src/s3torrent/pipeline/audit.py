"""Whether a bucket keeps the promise: one look at each object, its torrent and its status item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.errors import (
    MetainfoError,
    NoSuchObject,
    NotTorrentable,
    ObjectChanged,
    ObjectGone,
    TooLarge,
)
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from s3torrent.pipeline.content import name_of, no_torrent_of
from s3torrent.pipeline.findings import Finding, Kind
from s3torrent.pipeline.publish import find, find_torrent, is_ours, ownership
from s3torrent.pipeline.verify import verify
from s3torrent.status.base import COMPLETED, DELETED, IN_WORK, SKIPPED
from s3torrent.types import TORRENT_SUFFIX, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from s3torrent.metainfo.model import Metainfo
    from s3torrent.pipeline.survey import Found
    from s3torrent.status.base import StatusItem, StatusStore
    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectHead, ObjectVersion

MAX_TORRENT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one key: a fault; or a torrent that holds; or a word on why neither can be told."""

    finding: Finding | None = None
    metainfo: Metainfo | None = None
    passed: str = ""


@dataclass(frozen=True)
class Auditor:
    """Reads, and changes nothing. ``status`` None: there is no table to be compared. ``drops`` tells why the
    function would drop an object. ``keeps``: torrents outlive their objects (TORRENT_ON_DELETE=keep).
    """

    store: ObjectStore
    status: StatusStore | None
    drops: Callable[[ObjectRef], str | None]
    clock: Callable[[], datetime]
    keeps: bool = True

    def look(self, found: Found) -> Look:
        """At what a listing told. A fault is looked at once more, as the listing may be old by now."""
        if found.object is None:
            return self._without_object(found.torrent)
        if reason := self.drops(found.object.ref) or no_torrent_of(found.object):
            return Look(passed=reason)
        seen = self._at(found.object, there=found.torrent is not None)
        if seen.finding is None:
            return seen
        try:
            head = self.store.head(found.object.ref)
        except NoSuchObject:
            torrent = find_torrent(self.store, found.object.ref)
            return self._without_object(torrent.version if torrent else None)
        return self._at(head.version, there=True)

    def look_at_item(self, item: StatusItem) -> Look:
        """At an item whose object may be gone, with its torrent."""
        bucket, _, key = item.job_id.removeprefix("s3://").partition("/")
        ref = ObjectRef(bucket, key)
        if item.status not in {COMPLETED, *IN_WORK} or self._at_work(item):
            return Look(passed=item.status)
        if self.drops(ref) or find(self.store, ref) or find_torrent(self.store, ref):
            return Look(passed="told of with its object")
        detail = f"{item.status}, but neither the object nor its torrent is there"
        return Look(Finding(Kind.STATUS, ref, detail, gone=True))

    def compare(self, source: ObjectRef, metainfo: Metainfo, threads: int) -> Look:
        """The content itself, all of it, with the torrent's hashes."""
        try:
            head = self.store.head(source)
            result = verify(
                metainfo,
                {metainfo.files[0].path: head.version},
                self.store,
                threads=threads,
                progress=lambda _done, _phase="": None,
            )
        except (NoSuchObject, ObjectGone, ObjectChanged) as error:
            return Look(passed=error.message)
        except NotTorrentable as error:  # it lies in an archive
            return Look(passed=error.message)
        if result.good:
            return Look(metainfo=metainfo)
        detail = f"{len(result.bad_pieces):,} of {result.piece_count:,} pieces differ"
        return Look(Finding(Kind.DIFFERENT, source, detail, anew=True))

    def _without_object(self, torrent: ObjectVersion | None) -> Look:
        """A lone .torrent: ours, of an object that is gone, or somebody's, which is none of our business."""
        if torrent is None:
            return Look(passed="gone meanwhile")
        source = ObjectRef(torrent.ref.bucket, torrent.ref.key.removesuffix(TORRENT_SUFFIX))
        if self.drops(source):
            return Look(passed="not ours")
        head = find(self.store, torrent.ref)
        if head is None or not is_ours(head, source):
            return Look(passed="not ours")
        if find(self.store, source):
            return Look(passed="its object came back meanwhile")
        item = self._item(source)
        if self.keeps and item and item.status == DELETED:
            return Look(passed="kept by TORRENT_ON_DELETE")
        told = f"; its status is {item.status}" if item else ""
        return Look(Finding(Kind.ORPHANED, source, f"the object is gone{told}", gone=True))

    def _at(self, source: ObjectVersion, *, there: bool) -> Look:
        ref = source.ref
        item = self._item(ref)
        if item and self._at_work(item):
            return Look(passed=f"being worked on by {item.get('leaseOwner')}")
        torrent = find_torrent(self.store, ref) if there else None
        if torrent is None:
            if reason := _refused(item, source):
                return Look(passed=reason)
            return Look(Finding(Kind.MISSING, ref, _told(item) or "no torrent"))
        if not is_ours(torrent, ref):
            return Look(Finding(Kind.FOREIGN, ref, f"{ref.torrent.key} was not made by s3torrent"))
        etag = torrent.metadata.get("s3torrent-etag")
        if etag != source.etag:
            return Look(
                Finding(Kind.STALE, ref, f"the torrent is of ETag {etag}, the object has {source.etag}")
            )
        return self._of_this(source, torrent, item)

    def _of_this(self, source: ObjectVersion, torrent: ObjectHead, item: StatusItem | None) -> Look:
        """A torrent that says it is of this content."""
        ref = source.ref
        try:
            metainfo = parse(self.store.get(torrent.version.ref, MAX_TORRENT_BYTES))
        except (MetainfoError, TooLarge) as error:
            return Look(Finding(Kind.UNREADABLE, ref, error.message, anew=True))
        except (NoSuchObject, ObjectGone, ObjectChanged):
            return Look(Finding(Kind.MISSING, ref, "its torrent went away"))
        found, expected = (metainfo.name, metainfo.size), (name_of(ref), source.size)
        if not metainfo.single_file or found != expected:
            detail = (
                f"it is of {found[0]!r}, {found[1]:,} bytes; expected {expected[0]!r}, {expected[1]:,} bytes"
            )
            return Look(Finding(Kind.UNREADABLE, ref, detail, anew=True))
        if self.status and (detail := _disagreement(item, source, torrent, metainfo)):
            done = item is not None and item.status == COMPLETED
            return Look(Finding(Kind.STATUS, ref, detail, anew=done))
        return Look(metainfo=metainfo)

    def _item(self, ref: ObjectRef) -> StatusItem | None:
        return self.status.get(str(ref)) if self.status else None

    def _at_work(self, item: StatusItem) -> bool:
        until = item.worked_on_until
        return until is not None and until > self.clock()


def _refused(item: StatusItem | None, source: ObjectVersion) -> str:
    """Why this content was given no torrent for good (it lies in an archive, ...), "" where it was not."""
    if item is None or item.status != SKIPPED or item.get("etag") != source.etag:
        return ""
    kind = item.get("error", {}).get("type")
    passing = ("ForeignTorrent", "ObjectGone")  # what was in the way is so no longer
    return "" if kind in passing else _told(item)


def _told(item: StatusItem | None) -> str:
    if item is None:
        return ""
    reason = item.get("reason")
    return f"{item.status}: {reason}" if reason else f"its status is {item.status}"


def _disagreement(
    item: StatusItem | None, source: ObjectVersion, torrent: ObjectHead, metainfo: Metainfo
) -> str:
    """What the table says otherwise than the bucket, "" where they agree."""
    if item is None:
        return "there is a torrent, but no status item"
    if item.status != COMPLETED:
        return f"there is a torrent, but {_told(item)}"
    v1, v2 = infohash.v1(metainfo), infohash.v2(metainfo)
    marks = ownership(source, torrent.metadata.get("s3torrent-policy", ""))
    truth = {
        "etag": source.etag,
        "size": source.size,
        "policyId": marks["s3torrent-policy"],
        "torrentKey": source.ref.torrent.key,
        "infoHashV1": v1.hex() if v1 else None,
        "infoHashV2": v2.hex() if v2 else None,
    }
    for name, value in truth.items():
        if item.get(name) != value:
            return f"{name} is {item.get(name)!r} in its status item, expected {value!r}"
    return ""
