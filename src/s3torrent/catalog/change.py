"""What there was, what is to be, and what was done about it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3torrent.catalog import manifest as manifests
from s3torrent.catalog import shards
from s3torrent.catalog.render import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3torrent.catalog.entry import Entry
    from s3torrent.catalog.manifest import Manifest
    from s3torrent.catalog.render import Renderer
    from s3torrent.catalog.target import Held, Target
    from s3torrent.status.base import StatusItem

INDEX = "index.html"


class Before:
    """The catalogue as it lies at the target; what is read of it is kept, to be replaced and nothing else.

    Raises OutputExists where something of somebody else lies in its place.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self.held: dict[str, Held] = {}
        held = self._read(manifests.PATH)
        self.manifest: Manifest | None = manifests.decode(held.body) if held else None
        if held is None:
            target.read(INDEX)
        self._rows: dict[str, dict[str, Entry]] = {}

    @property
    def mark(self) -> str | None:
        """Tells this state of catalog.json from another."""
        held = self.held.get(manifests.PATH)
        return held.mark if held else None

    @property
    def digits(self) -> int | None:
        return self.manifest.digits if self.manifest else None

    def looks_like(self, renderer: Renderer) -> bool:
        return self.manifest is not None and self.manifest.look == renderer.look

    def digest(self, path: str) -> str | None:
        """SHA-256 of a shard or of another file that is written whole."""
        if self.manifest is None:
            return None
        if path in self.manifest.shards:
            return self.manifest.shards[path][1]
        return self.manifest.files.get(path)

    def newest(self) -> list[Entry]:
        held = self.held.get(manifests.PATH)
        return manifests.newest(held.body) if held else []

    def row(self, identity: str) -> Entry | None:
        if self.manifest is None:
            return None
        return self.rows_of(shards.name_of(identity, self.manifest.digits)).get(identity)

    def rows_of(self, name: str) -> dict[str, Entry]:
        """By page id; {} where the shard is not there, or cannot be read: then its pages are written anew."""
        if name not in self._rows:
            held = self._read(shards.path_of(name)) if self.manifest else None
            try:
                self._rows[name] = shards.decode(held.body) if held else {}
            except shards.Unreadable:
                self._rows[name] = {}
        return self._rows[name]

    def all_rows(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for name in shards.names(self.manifest.digits) if self.manifest else ():
            found |= self.rows_of(name)
        return found

    def _read(self, path: str) -> Held | None:
        held = self._target.read(path)
        if held:
            self.held[path] = held
        return held


@dataclass
class Change:
    """``pages`` are to be rendered, by the path of their shard; the pages of ``gone`` (ids) removed;
    ``shards`` (path -> body) written. ``listed`` tells of all shards: torrents and SHA-256. ``until``: the
    newest ``updatedAt`` that was seen.
    """

    until: str = ""
    count: int = 0
    size: int = 0
    unreadable: int = 0
    pages: dict[str, list[Entry]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    shards: dict[str, bytes] = field(default_factory=dict)
    listed: dict[str, tuple[int, str]] = field(default_factory=dict)
    newest: list[Entry] = field(default_factory=list)

    @property
    def updated(self) -> int:
        return self.newest[0].at if self.newest else 0

    def seen(self, item: StatusItem) -> None:
        self.until = max(self.until, str(item.get("updatedAt", "")))

    def tell(self, path: str, count: int, body: bytes) -> None:
        self.listed[path] = (count, shards.digest(body))


@dataclass(frozen=True, slots=True)
class Summary:
    """``unreadable``: items that are COMPLETED and do not tell what a row needs; ``unlinked``: torrents among
    the newest whose .torrent no URL is known of; ``written`` and ``removed`` are files.
    """

    count: int
    size: int
    pages: int
    written: int
    removed: int
    unreadable: int
    unlinked: int

    def as_dict(self) -> dict[str, Any]:
        """docs/json.md has the schema."""
        return {
            "torrents": self.count,
            "bytes": self.size,
            "pages": self.pages,
            "written": self.written,
            "removed": self.removed,
            "unreadable": self.unreadable,
            "unlinked": self.unlinked,
        }


def newest_of(entries: Iterable[Entry]) -> list[Entry]:
    return heapq.nsmallest(NEWEST, entries, key=lambda entry: (-entry.at, entry.key))
