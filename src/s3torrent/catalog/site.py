"""A catalogue in a bucket: ``site`` is what the store offers (store/s3_site.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from s3torrent.catalog.mark import is_path
from s3torrent.catalog.shards import FOLDER
from s3torrent.catalog.target import Held

if TYPE_CHECKING:
    from collections.abc import Iterable


class Site(Protocol):
    name: str

    def get(self, path: str) -> tuple[bytes, str] | None: ...

    def put(self, path: str, body: bytes, *, replaces: str | None = None, fresh: bool = False) -> str: ...

    def remove(self, paths: Iterable[str]) -> None: ...

    def paths(self) -> Iterable[str]: ...


class SiteTarget:
    patience = 60.0

    def __init__(self, site: Site) -> None:
        self.name = site.name
        self._site = site

    def read(self, path: str) -> Held | None:
        found = self._site.get(path)
        return Held(*found) if found else None

    def write(self, path: str, body: bytes, *, replaces: Held | None = None, fresh: bool = False) -> Held:
        return Held(
            body, self._site.put(path, body, replaces=replaces.mark if replaces else None, fresh=fresh)
        )

    def remove(self, paths: Iterable[str]) -> None:
        self._site.remove(paths)

    def paths(self) -> set[str]:
        return set(filter(is_path, self._site.paths()))


def is_packed(path: str) -> bool:
    """The shards, which nothing but a script reads: they are most of a large catalogue."""
    return path.startswith(FOLDER)
