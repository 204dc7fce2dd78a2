"""Every file below a directory."""

from __future__ import annotations

import os
import stat
from operator import itemgetter
from typing import TYPE_CHECKING

from s3torrent.errors import BadName, NoSuchObject, PathConflict
from s3torrent.store.local_file import FileVersion, not_regular, typed
from s3torrent.store.local_many import statuses

if TYPE_CHECKING:
    from pathlib import Path

    from s3torrent.types import ObjectVersion

Identity = tuple[int, int]
"""Device and inode."""


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
    ahead: list[tuple[str, tuple[str, ...], frozenset[Identity]]] = [
        (str(root), (), frozenset({(status.st_dev, status.st_ino)}))
    ]
    while ahead:
        place, folder, above = ahead.pop()
        below = []
        start = place if place.endswith("/") else f"{place}/"
        names = _names(place)
        for name, (mode, size, modified_ns, inode, device) in zip(names, statuses(place, names), strict=True):
            path = start + name  # a Path for each of many files costs more than all else
            if stat.S_ISREG(mode):
                found.append(((*folder, name), FileVersion(path, size, modified_ns, inode)))
            elif not stat.S_ISDIR(mode):
                raise not_regular(path, mode)
            elif (device, inode) in above:
                raise PathConflict(
                    f"{path} leads back to a directory that holds it",
                    hint="remove the symbolic link in that path",
                )
            else:
                below.append((path, (*folder, name), above | {(device, inode)}))
        ahead += reversed(below)
    # UTF-8 sorts as the text does. Folder by folder they come nearly sorted, which is when sorting is quick.
    found.sort(key=itemgetter(0))
    return found


def _names(folder: str) -> list[str]:
    """Sorted. Raises BadName for one that is not UTF-8."""
    with typed(folder):
        names = os.listdir(folder)  # noqa: PTH208 (bare names are what is wanted)
    try:
        "/".join(names).encode()
    except UnicodeEncodeError:
        name = next(name for name in names if not _is_utf8(name))
        raise BadName(f"{folder} holds {os.fsencode(name)!r}, expected a name in UTF-8") from None
    names.sort()
    return names


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
