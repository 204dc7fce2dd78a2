"""A change of the catalogue, carried out: in an order in which nothing is lost by an end in the middle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3torrent.catalog import manifest as manifests
from s3torrent.catalog.change import INDEX, Summary
from s3torrent.catalog.links import PAGES
from s3torrent.catalog.manifest import Manifest
from s3torrent.catalog.render import ASSETS, asset
from s3torrent.catalog.shards import digest

if TYPE_CHECKING:
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
FEED = "feed.xml"


@dataclass
class Writer:
    source: Source
    renderer: Renderer
    target: Target
    before: Before
    change: Change
    progress: Progress
    _written: int = field(default=0, init=False)

    def write(self) -> Summary:
        """Raises WriteConflict where another publishes at the same time: then it is begun anew."""
        change, before = self.change, self.before
        self._pages()
        gone = [f"{PAGES}{identity}.html" for identity in change.gone]
        self.target.remove(gone)
        for path, body in change.shards.items():
            self._put(path, body)
        files = self._whole_files()
        for path, body in files.items():
            if before.digest(path) != digest(body):
                self._put(path, body)
        self._manifest({path: digest(body) for path, body in files.items()})
        old = before.manifest
        obsolete = {*old.shards, *old.files} - {*change.listed, *files} if old else set()
        self.target.remove(sorted(obsolete))
        unlinked = sum(self.renderer.links.torrent(entry) is None for entry in change.newest)
        return Summary(
            change.count, change.size, len(change.pages), self._written, len(gone) + len(obsolete),
            change.unreadable, unlinked,
        )  # fmt: skip

    def _pages(self) -> None:
        pages, done = self.change.pages, 0
        fresh = self.before.manifest is None
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="page") as pool:
            for start in range(0, len(pages), TOGETHER):
                together = pages[start : start + TOGETHER]
                try:
                    list(pool.map(lambda entry: self._page(entry, fresh=fresh), together))
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
                done += len(together)
                self.progress(done, len(pages))
        self._written += len(pages)

    def _page(self, entry: Entry, *, fresh: bool) -> None:
        body = self.renderer.page(entry, self.source.torrent(entry))
        self.target.write(self.renderer.links.page(entry), body, fresh=fresh)

    def _whole_files(self) -> dict[str, bytes]:
        change = self.change
        digests = {path: told[1] for path, told in sorted(change.listed.items())}
        files = {f"assets/{name}": asset(name) for name in ASSETS}
        if self.renderer.links.base:
            files[FEED] = self.renderer.feed(change.newest, change.updated)
        files[INDEX] = self.renderer.index(change.newest, change.count, change.size, change.updated, digests)
        return files

    def _manifest(self, files: dict[str, str]) -> None:
        change = self.change
        manifest = Manifest(change.count, change.size, change.until, self.renderer.look, change.listed, files)
        body = manifests.encode(
            manifest,
            title=self.renderer.title,
            source=str(self.source),
            links=self.renderer.links,
            newest=change.newest,
            updated=change.updated,
        )
        held = self.before.held.get(manifests.PATH)
        if held is None or held.body != body:
            self._put(manifests.PATH, body)

    def _put(self, path: str, body: bytes) -> None:
        self.target.write(path, body, replaces=self.before.held.get(path), fresh=self.before.manifest is None)
        self._written += 1
