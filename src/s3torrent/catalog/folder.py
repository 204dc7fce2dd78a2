"""A catalogue in a folder of this machine."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from s3torrent.catalog.manifest import PATH as MANIFEST
from s3torrent.catalog.manifest import is_ours
from s3torrent.catalog.render import MARK
from s3torrent.catalog.target import Held, not_ours
from s3torrent.errors import SourceError, WriteConflict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HINT = "name a folder that may be written to, on a disk with space left"


class FolderTarget:
    """Ours is everything where catalog.json says so; without it a page that carries our mark."""

    def __init__(self, root: Path, *, force: bool = False) -> None:
        self.name = str(root)
        self._root = root
        self._ours = force or self._has_manifest()
        self._force = force
        self._made: set[Path] = set()

    def read(self, path: str) -> Held | None:
        body = self._body(path)
        if body is None:
            return None
        if not self._ours and not _marked(body):
            raise not_ours(self._root / path)
        return Held(body, str(hash(body)))

    def write(self, path: str, body: bytes, *, replaces: Held | None = None, fresh: bool = False) -> None:  # noqa: ARG002 - looking costs nothing here
        place = self._root / path
        if replaces:
            if self._body(path) != replaces.body:
                raise WriteConflict(f"{place} was changed by another while the catalogue was being written")
        elif not self._ours and (there := self._body(path)) is not None and not _marked(there):
            raise not_ours(place)
        other = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        try:
            if place.parent not in self._made:
                place.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(place.parent)
            other.write_bytes(body)
            os.replace(other, place)  # noqa: PTH105 - Path.replace is the same, a call more
        except OSError as error:
            other.unlink(missing_ok=True)
            raise SourceError(f"{place} cannot be written: {error.strerror or error}", hint=HINT) from None

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                (self._root / path).unlink(missing_ok=True)
            except OSError as error:
                raise SourceError(
                    f"{self._root / path} cannot be removed: {error.strerror}", hint=HINT
                ) from None

    def _body(self, path: str) -> bytes | None:
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            place = self._root / path
            raise SourceError(f"{place} cannot be read: {error.strerror or error}", hint=HINT) from None

    def _has_manifest(self) -> bool:
        body = self._body(MANIFEST)
        return body is not None and is_ours(body)


def _marked(body: bytes) -> bool:
    return MARK.encode() in body[:4096]
