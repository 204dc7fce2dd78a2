"""Buckets with torrents to be listed: status items in memory, with names that want to be more than names."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from s3torrent.catalog.links import Links
from s3torrent.catalog.publish import Publisher
from s3torrent.catalog.render import Renderer
from s3torrent.catalog.source import Source
from s3torrent.catalog.target import Held, not_ours
from s3torrent.errors import WriteConflict
from s3torrent.metainfo.webseed import object_url
from s3torrent.status.base import COMPLETED, StatusItem
from s3torrent.status.timestamp import to_text
from s3torrent.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3torrent.catalog.target import Target
    from s3torrent.store.base import ObjectReader

BUCKET = "films"
URL = "https://torrents.example.org/films/"
TRACKER = "udp://tracker.example.org:1337/announce"
SEEDS = "https://cdn.example.org/{key}"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOSTILE = (
    "<script src=x>",
    "<script>alert('key')</script>.mkv",
    '"><img src=x onerror=alert(1)>.bin',
    "a'b\"c&amp;d<e>.txt",
    "line\none\r\ttwo",
    "safe\u202egnp.exe",
    "bell\x07null\x1b[31m",
    "\u05e9\u05dc\u05d5\u05dd/\u0633\u0644\u0627\u0645.mp4",
    "javascript:alert(1)",
    "a/../b",
    "data/100% + é #1?.iso",
    "</script><script>alert('data')</script>",
    "{{ 7 * 7 }} {% raw %}",
    "/leading/slash",
    "long/" + "x" * 900 + ".bin",
)


def item(
    key: str,
    number: int = 0,
    *,
    bucket: str = BUCKET,
    status: str = COMPLETED,
    seeds: bool = True,
    **more: Any,
) -> StatusItem:
    """As the function leaves it; ``number`` decides size, date and hash."""
    from urllib.parse import quote

    at = to_text(START + timedelta(minutes=number))
    v1 = hashlib.sha1(f"{key} {number}".encode(), usedforsecurity=False).hexdigest()
    name = key.removesuffix("/").rsplit("/", 1)[-1]
    magnet = f"magnet:?xt=urn:btih:{v1}&dn={quote(name, safe='')}&tr={quote(TRACKER, safe='')}"
    if seeds:
        magnet += f"&ws={quote(object_url(SEEDS, bucket, key), safe='')}"
    told = {
        "status": status,
        "bucket": bucket,
        "key": key,
        "size": (number * 7919 + 1) << (number % 24),
        "completedAt": at,
        "updatedAt": at,
        "infoHashV1": v1,
        "torrentSize": 300 + number,
        "torrentKey": f"{key.removesuffix('/')}.torrent",
        "pieceLength": 262144,
        "pieceCount": 12,
        "magnet": magnet,
    }
    return StatusItem(f"s3://{bucket}/{key}", told | more)


def items(count: int, *more: str) -> list[StatusItem]:
    named = [f"shows/season {number // 100}/episode {number}.mkv" for number in range(count)]
    return [item(key, number) for number, key in enumerate([*named, *more])]


class Table:
    """What a catalogue asks of a status store, and how often."""

    def __init__(self, items: Iterable[StatusItem] = ()) -> None:
        self.rows = {one.job_id: one for one in items}
        self.scans = 0

    def put(self, *items: StatusItem) -> None:
        self.rows |= {one.job_id: one for one in items}

    def items(self, prefix: str) -> Iterator[StatusItem]:
        self.scans += 1
        return (one for job_id, one in list(self.rows.items()) if job_id.startswith(prefix))

    def list(self, *, status: str | None = None, limit: int = 1000) -> list[StatusItem]:
        assert status is None
        return sorted(self.rows.values(), key=lambda one: str(one.get("updatedAt")), reverse=True)[:limit]


class MemoryTarget:
    """A target that keeps an account of what was written and removed since ``forget``."""

    name = "memory"
    patience = 3.0

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.foreign: set[str] = set()
        self.forget()

    def forget(self) -> None:
        self.written: list[str] = []
        self.removed: list[str] = []

    def paths(self) -> set[str]:
        return {*self.files, *self.foreign}

    def read(self, path: str) -> Held | None:
        if path in self.foreign:
            raise not_ours(path)
        body = self.files.get(path)
        return None if body is None else Held(body, hashlib.md5(body, usedforsecurity=False).hexdigest())

    def write(self, path: str, body: bytes, *, replaces: Held | None = None, fresh: bool = False) -> Held:
        if path in self.foreign:
            raise not_ours(path)
        if replaces and self.files.get(path) != replaces.body:
            raise WriteConflict(path)
        self.files[path] = body
        self.written.append(path)
        found = self.read(path)
        assert found
        return found

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.files.pop(path, None)
            self.removed.append(path)


def publisher(
    table: Table,
    target: Target,
    *,
    title: str = "Films & <b>more</b>",
    links: Links | None = None,
    store: ObjectReader | None = None,
    prefix: str = "",
    hidden: tuple[str, ...] = (".s3torrent/",),
) -> Publisher:
    source = Source(BUCKET, prefix, table, store or MemoryStore(), hidden)  # type: ignore[arg-type]
    renderer = Renderer(title, links or Links(BUCKET, base=URL))
    return Publisher(source, renderer, target, wait=lambda _seconds: None)
