"""Writing a catalogue, and of one that is there only what changed.

Whatever is interrupted is made good the next time: the pages of a shard are written first, the shard that
tells of them next, catalog.json, by which the next run knows what is there, last. A run of very many pages
writes catalog.json in between, too, so that the next one goes on where it was ended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from s3torrent.catalog import shards
from s3torrent.catalog.change import Before, Change, Summary, newest_of
from s3torrent.catalog.entry import Entry, page_id
from s3torrent.catalog.links import PAGES
from s3torrent.catalog.render import NEWEST
from s3torrent.catalog.source import Place
from s3torrent.catalog.write import Writer
from s3torrent.errors import UsageError
from s3torrent.status.timestamp import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.catalog.render import Renderer
    from s3torrent.catalog.source import Source
    from s3torrent.catalog.target import Target
    from s3torrent.catalog.write import Progress

Grouped = dict[str, dict[str, Entry | None]]
"""By shard and page id, what is to stand there; None for nothing."""

POLL = 1.0
OVERLAP = timedelta(minutes=15)
"""What changed so long before the last item that was seen is looked at again: clocks differ, and the listing
index is a moment behind the table.
"""


@dataclass
class Publisher:
    source: Source
    renderer: Renderer
    target: Target
    progress: Progress = field(default=lambda _done, _total: None)
    force: bool = False
    """Make a catalogue of other objects this one's."""
    wait: Callable[[float], None] = time.sleep

    def full(self, *, may_empty: bool = True) -> Summary:
        """From the whole table, and what lies there. Raises WriteConflict where another publishes at the same
        time, UsageError where it is the catalogue of other objects, or where not ``may_empty`` all torrents
        of it are to go.
        """
        before = self._before()
        there = self.target.paths()
        found, busy, change = self._scan()
        for identity, key in busy.items():
            kept = before.row(identity)
            if kept and kept.key == key:
                found[identity] = kept
        if before.manifest and before.manifest.count and not found and not may_empty:
            raise UsageError(
                f"the table tells of no torrent of {self.source}, and {self.target.name} has "
                f"{before.manifest.count:,}",
                hint="look at DDB_TABLE and --from; --force takes them all out",
            )
        change.count, change.size = len(found), sum(entry.size for entry in found.values())
        digits = shards.digits_for(len(found))
        alike = before.looks_like(self.renderer)
        if before.digits != digits and before.manifest and before.manifest.in_work:
            alike = False  # which rows are not to be relied on is told by shards that there are no more
        grouped: dict[str, dict[str, Entry]] = {name: {} for name in shards.names(digits)}
        for identity, entry in found.items():
            grouped[shards.name_of(identity, digits)][identity] = entry
        regrouped = before.all_rows() if before.digits != digits else None
        change.gone = [one for one in map(_page_of, there) if one and one not in found]
        for name, rows in grouped.items():
            path, body = shards.path_of(name), shards.encode(self.source.bucket, rows.values())
            change.tell(path, len(rows), body)
            lost = {one for one in rows if f"{PAGES}{one}.html" not in there}
            if alike and before.digest(path) == change.listed[path][1] and path in there and not lost:
                continue
            was = before.rows_of(name) if regrouped is None else regrouped
            known = alike and before.digest(path) != shards.UNWRITTEN
            change.pages[path] = [
                entry for one, entry in rows.items() if not known or one in lost or was.get(one) != entry
            ]
            change.shards[path] = body
        change.newest = newest_of(found.values())
        return self._commit(before, change, there)

    def recent(self) -> Summary:
        """What changed since the last time, by the table's listing index; all where that does not do."""
        before = self._before()
        old = before.manifest
        if old is None or not old.until or not before.looks_like(self.renderer):
            return self.full()
        changed = self.source.since(to_text(from_text(old.until) - OVERLAP))
        if changed is None:
            return self.full()
        change = Change(until=old.until, count=old.count, size=old.size, listed=dict(old.shards))
        grouped: Grouped = {}
        for key, item in changed:
            change.seen(item)
            place = self.source.place(key, item)
            if place is not Place.AS_BEFORE:
                change.unreadable += place is Place.UNREADABLE
                identity = page_id(self.source.bucket, key)
                entry = place if isinstance(place, Entry) else None
                grouped.setdefault(shards.name_of(identity, old.digits), {})[identity] = entry
        for name, rows in grouped.items():
            self._change_shard(before, change, name, rows)
        if shards.digits_for(change.count) != old.digits:
            return self.full()
        change.newest = self._newest(before, change, grouped)
        return self._commit(before, change)

    def _newest(self, before: Before, change: Change, grouped: Grouped) -> list[Entry]:
        """Of those before and those that came; of all, where one of them went away and another moves up."""
        was = before.newest()
        touched = {one: entry for rows in grouped.values() for one, entry in rows.items()}
        kept = [entry for entry in was if page_id(self.source.bucket, entry.key) not in touched]
        new = [entry for entry in touched.values() if entry]
        moves_up = len(was) - len(kept) > len({one.key for one in new} & {one.key for one in was})
        if moves_up or len(was) < min(NEWEST, change.count - len(new)):
            all_rows: dict[str, Entry | None] = {**before.all_rows(), **touched}
            return newest_of(entry for entry in all_rows.values() if entry)
        return newest_of([*kept, *new])

    def _change_shard(self, before: Before, change: Change, name: str, rows: dict[str, Entry | None]) -> None:
        was = before.rows_of(name)
        now = dict(was)
        pages = []
        for identity, entry in rows.items():
            if entry is None:
                if now.pop(identity, None):
                    change.gone.append(identity)
            elif was.get(identity) != entry:
                now[identity] = entry
                pages.append(entry)
        path, body = shards.path_of(name), shards.encode(self.source.bucket, now.values())
        change.count += len(now) - len(was)
        change.size += sum(entry.size for entry in now.values()) - sum(entry.size for entry in was.values())
        change.tell(path, len(now), body)
        change.pages[path] = pages
        if change.listed[path][1] != before.digest(path):
            change.shards[path] = body

    def _scan(self) -> tuple[dict[str, Entry], dict[str, str], Change]:
        """Entries by id, keys of those that stay as they were, and the change that is to be made of it."""
        found: dict[str, Entry] = {}
        busy: dict[str, str] = {}
        change = Change()
        for key, item in self.source.all():
            change.seen(item)
            place = self.source.place(key, item)
            identity = page_id(self.source.bucket, key)
            if isinstance(place, Entry):
                found[identity] = place
            elif place is Place.AS_BEFORE:
                busy[identity] = key
            else:
                change.unreadable += place is Place.UNREADABLE
        return found, busy, change

    def _before(self) -> Before:
        """What is there, once nobody is at work on it, or whoever was has been still for a while."""
        before, still = Before(self.target), 0.0
        while before.manifest and before.manifest.in_work and still < self.target.patience:
            self.wait(POLL)
            now = Before(self.target)
            still = still + POLL if now.mark == before.mark else 0.0
            before = now
        old = before.manifest
        if old and old.source != str(self.source) and not self.force:
            raise UsageError(
                f"{self.target.name} is the catalogue of {old.source}, not of {self.source}",
                hint="name another place, or pass --force to make it this one's",
            )
        return before

    def _commit(self, before: Before, change: Change, there: set[str] | None = None) -> Summary:
        return Writer(self.source, self.renderer, self.target, before, change, self.progress, there).write()


def _page_of(path: str) -> str | None:
    """The id of a page's path, None for another file's."""
    return path.removeprefix(PAGES).removesuffix(".html") if path.startswith(PAGES) else None
