"""A change of the catalogue, carried out: in an order in which nothing is lost by an end in the middle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3torrent.catalog import manifest as manifests
from s3torrent.catalog import shards
from s3torrent.catalog.change import INDEX, Summary
from s3torrent.catalog.links import PAGES
from s3torrent.catalog.manifest import Manifest
from s3torrent.catalog.render import ASSETS, asset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from s3torrent.catalog.change import Before, Change
    from s3torrent.catalog.entry import Entry
    from s3torrent.catalog.render import Renderer
    from s3torrent.catalog.source import Source
    from s3torrent.catalog.target import Target

Progress = Callable[[int, int], None]
"""Is told the pages that are written, and how many there are to be."""
AT_ONCE = 16
"""Files that are written at the same time: each waits for its answer."""
TOGETHER = 256
MANY = 2000
"""Pages of a change that tells in between how far it is: a function may be ended before all are written."""
FEED = "feed.xml"


@dataclass
class Writer:
    source: Source
    renderer: Renderer
    target: Target
    before: Before
    change: Change
    progress: Progress
    there: set[str] | None = None
    """The paths at which something lies, where somebody looked."""
    _written: set[str] = field(default_factory=set, init=False)

    def write(self) -> Summary:
        """Raises WriteConflict where another publishes at the same time: then it is begun anew."""
        change, before = self.change, self.before
        gone = [f"{PAGES}{identity}.html" for identity in change.gone]
        if gone or change.shards or self._pages:
            self._in_work(dict.fromkeys({**change.pages, **change.shards}, shards.UNWRITTEN))
        self.target.remove(gone)
        self._shards()
        files = self._whole_files()
        for path, body in files.items():
            if before.digest(path) != shards.digest(body) or self._lacks(path):
                self._put(path, body)
        self._manifest(
            change.listed, {path: shards.digest(body) for path, body in files.items()}, change.until
        )
        old = before.manifest
        obsolete = {*old.shards, *old.files} - {*change.listed, *files} if old else set()
        self.target.remove(sorted(obsolete))
        unlinked = sum(self.renderer.links.torrent(entry) is None for entry in change.newest)
        return Summary(
            change.count, change.size, self._pages, len(self._written), len(gone) + len(obsolete),
            change.unreadable, unlinked,
        )  # fmt: skip

    @property
    def _pages(self) -> int:
        return sum(map(len, self.change.pages.values()))

    def _shards(self) -> None:
        """Each with its pages before it."""
        change, done, total = self.change, 0, self._pages
        left = dict.fromkeys({**change.pages, **change.shards}, shards.UNWRITTEN)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="page") as pool:
            try:
                for path in {**change.pages, **change.shards}:
                    for together in _groups(change.pages.get(path, [])):
                        list(pool.map(self._page, together))
                        done += len(together)
                        self.progress(done, total)
                    if path in change.shards:
                        self._put(path, change.shards[path])
                    left.pop(path)
                    if total > MANY and change.pages.get(path):
                        self._in_work(left)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _page(self, entry: Entry) -> None:
        body = self.renderer.page(entry, self.source.torrent(entry))
        path = self.renderer.links.page(entry)
        self.target.write(path, body, fresh=self.before.manifest is None)
        self._written.add(path)

    def _lacks(self, path: str) -> bool:
        return self.there is not None and path not in self.there

    def _in_work(self, left: Mapping[str, str]) -> None:
        """Say in catalog.json, before anything is written, what is not to be relied on until it is done.

        Two runs at a time have the same catalog.json to replace, so the second is told before it has changed
        anything; and what one wrote that was ended is written anew by the next.
        """
        listed = {path: (count, left.get(path, told)) for path, (count, told) in self.change.listed.items()}
        old = self.before.manifest
        self._manifest(listed, dict.fromkeys(old.files if old else (), shards.UNWRITTEN), "")

    def _whole_files(self) -> dict[str, bytes]:
        change = self.change
        digests = {path: told[1] for path, told in sorted(change.listed.items())}
        files = {f"assets/{name}": asset(name) for name in ASSETS}
        if self.renderer.links.base:
            files[FEED] = self.renderer.feed(change.newest, change.updated)
        files[INDEX] = self.renderer.index(change.newest, change.count, change.size, change.updated, digests)
        return files

    def _manifest(self, listed: Mapping[str, tuple[int, str]], files: Mapping[str, str], until: str) -> None:
        """``until`` "": not all is done, so the next run looks at the whole table."""
        change = self.change
        manifest = Manifest(
            change.count, change.size, until, self.renderer.look, str(self.source), listed, files
        )
        body = manifests.encode(
            manifest,
            title=self.renderer.title,
            links=self.renderer.links,
            newest=change.newest,
            updated=change.updated,
        )
        held = self.before.held.get(manifests.PATH)
        if held is None or held.body != body:
            self._put(manifests.PATH, body)

    def _put(self, path: str, body: bytes) -> None:
        held = self.before.held
        held[path] = self.target.write(
            path, body, replaces=held.get(path), fresh=self.before.manifest is None
        )
        self._written.add(path)


def _groups(pages: list[Entry]) -> Iterator[list[Entry]]:
    for start in range(0, len(pages), TOGETHER):
        yield pages[start : start + TOGETHER]
