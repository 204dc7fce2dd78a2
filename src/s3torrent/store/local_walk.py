"""Every file below a directory."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from s3torrent.errors import BadName, NoSuchObject, PathConflict
from s3torrent.store.local_file import typed, version_of
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from pathlib import Path


def walk(root: Path) -> list[tuple[tuple[str, ...], ObjectVersion]]:
    """Pin every regular file below ``root``: (path components from there, version), sorted by path bytes.

    Symbolic links are followed. Raises PathConflict for a link to a directory that holds it, BadName for a
    name that is not UTF-8 and for a pipe, socket or device, NoSuchObject for a link that leads nowhere and
    for a root that is no directory, AccessDenied for what cannot be listed.
    """
    found: list[tuple[tuple[str, ...], ObjectVersion]] = []
    with typed(root):
        status = root.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NoSuchObject(f"{root} is not a directory", hint="name a directory")
    ahead: list[tuple[tuple[str, ...], frozenset[tuple[int, int]]]] = [((), frozenset({_identity(status)}))]
    while ahead:
        folder, above = ahead.pop()
        for name in _names(root.joinpath(*folder)):
            components = (*folder, name)
            path = root.joinpath(*components)
            with typed(path):
                status = path.stat()
            if not stat.S_ISDIR(status.st_mode):
                found.append((components, version_of(path, status, ObjectRef("", str(path)))))
            elif _identity(status) in above:
                raise PathConflict(
                    f"{path} leads back to a directory that holds it",
                    hint="remove the symbolic link in that path",
                )
            else:
                ahead.append((components, above | {_identity(status)}))
    return sorted(found, key=lambda file: [name.encode() for name in file[0]])


def _names(folder: Path) -> list[str]:
    with typed(folder):
        names = os.listdir(folder)  # noqa: PTH208 (bare names are what is wanted)
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise BadName(f"{folder} holds {os.fsencode(name)!r}, expected a name in UTF-8") from None
    return names


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
