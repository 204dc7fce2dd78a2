"""What belongs into the catalogue: the COMPLETED torrents that the status table tells of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from s3torrent.catalog.entry import Entry, of_item
from s3torrent.errors import MetainfoError, NoSuchObject, ObjectChanged, ObjectGone, TooLarge
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import MAX_BYTES, parse
from s3torrent.status.base import COMPLETED, IN_WORK
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.metainfo.model import Metainfo
    from s3torrent.status.base import StatusItem, StatusStore
    from s3torrent.store.base import ObjectReader

FIRST_LOOK, MOST_LOOKED = 64, 4096
"""Items of the listing index that are asked for at first, and at most; more is a case for the whole table."""


class Place(Enum):
    OUT = "not in the catalogue"
    AS_BEFORE = "being made anew: what was there stays until that is done"
    UNREADABLE = "COMPLETED, but its item does not tell what a row needs"


@dataclass(frozen=True)
class Source:
    """The objects of ``bucket`` below ``prefix``, without those below one of ``hidden``. ``private``: whether
    those are listed, too, whose torrents are private (BEP 27): a magnet link tells their trackers.
    """

    bucket: str
    prefix: str
    status: StatusStore
    store: ObjectReader
    hidden: tuple[str, ...] = ()
    private: bool = False

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def all(self) -> Iterator[tuple[str, StatusItem]]:
        """Key and item of each; a reading of the whole table."""
        for item in self.status.items(str(self)):
            if (key := self._key(item)) is not None:
                yield key, item

    def since(self, instant: str) -> list[tuple[str, StatusItem]] | None:
        """Those that changed at ``instant`` (as in the table) or after, by the listing index; None where they
        are too many to be asked for one by one.
        """
        limit = FIRST_LOOK
        while limit <= MOST_LOOKED:
            listed = self.status.list(limit=limit)
            newer = [item for item in listed if str(item.get("updatedAt", "")) >= instant]
            if len(newer) < limit:
                found = ((self._key(item), item) for item in newer)
                return [(key, item) for key, item in found if key is not None]
            limit *= 4
        return None

    def place(self, key: str, item: StatusItem) -> Entry | Place:
        if item.status in IN_WORK:
            return Place.AS_BEFORE
        if item.status != COMPLETED or (item.get("private") and not self.private):
            return Place.OUT
        return of_item(item, key) or Place.UNREADABLE

    def torrent(self, entry: Entry) -> Metainfo | None:
        """A folder's, for the list of its files; None where it cannot be had or is another by now. A single
        object's is not read: its name and size are all.
        """
        if not entry.is_folder:
            return None
        try:
            metainfo = parse(self.store.get(ObjectRef(self.bucket, entry.torrent_key), MAX_BYTES))
        except (MetainfoError, TooLarge, NoSuchObject, ObjectGone, ObjectChanged):
            return None
        same = infohash.v1_hex(metainfo) == entry.v1 if entry.v1 else infohash.v2_hex(metainfo) == entry.v2
        return metainfo if same else None

    def _key(self, item: StatusItem) -> str | None:
        if not item.job_id.startswith(str(self)):
            return None
        key = item.job_id.removeprefix(f"s3://{self.bucket}/")
        return None if not key or key.startswith(self.hidden) else key
