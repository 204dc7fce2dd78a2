"""A catalogue in a folder of this machine."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from s3torrent.catalog.mark import is_ours, is_path
from s3torrent.catalog.target import Held, not_ours
from s3torrent.errors import SourceError, WriteConflict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HINT = "name a folder that may be written to, on a disk with space left"


class FolderTarget:
    """Ours is a file that carries our mark; ``force``: every one that is in our way."""

    patience = 5.0

    def __init__(self, root: Path, *, force: bool = False) -> None:
        self.name = str(root)
        self._root = root
        self._force = force
        self._made: set[Path] = set()

    def paths(self) -> set[str]:
        found = set()
        for folder in ("", "assets/", "d/", "t/"):
            try:
                found |= {folder + name for name in os.listdir(self._root / folder)}  # noqa: PTH208 - names alone
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                place = self._root / folder
                raise SourceError(f"{place} cannot be read: {error.strerror or error}", hint=HINT) from None
        return set(filter(is_path, found))

    def read(self, path: str) -> Held | None:
        body = self._body(path)
        if body is None:
            return None
        self._require_ours(path, body)
        return _held(body)

    def write(self, path: str, body: bytes, *, replaces: Held | None = None, fresh: bool = False) -> Held:  # noqa: ARG002 - looking costs nothing here
        place = self._root / path
        there = self._body(path)
        if replaces and there != replaces.body:
            raise WriteConflict(f"{place} was changed by another while the catalogue was being written")
        if there is not None:
            self._require_ours(path, there)
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
        return _held(body)

    def remove(self, paths: Iterable[str]) -> None:
        """What is not ours stays."""
        for path in filter(is_path, paths):
            body = self._body(path)
            if body is None or not (self._force or is_ours(path, body)):
                continue
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

    def _require_ours(self, path: str, body: bytes) -> None:
        if not (self._force or is_ours(path, body)):
            raise not_ours(self._root / path)


def _held(body: bytes) -> Held:
    return Held(body, str(hash(body)))
