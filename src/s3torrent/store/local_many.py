"""Many files in one call, by the C extension (native/files.c) where it is built.

It compares and reads as one file is read, without the interpreter; whatever is out of the ordinary it leaves
to be done again, one by one, by what has the words for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from s3torrent.store.local_file import in_our_words

try:
    from s3torrent.store import _files
except ImportError:  # built without a compiler
    _files = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.types import ObjectVersion

MOST_AT_ONCE = 1024
"""Of a list; what is odd in it has the rest of these looked at anew."""

Part = tuple["ObjectVersion", int, int, int]
"""Of a file the bytes from one on, where in the buffer they go, and how many."""
Status = tuple[int, int, int, int, int]
"""Of ``stat``: mode, size, modification time in ns, inode, device."""


def read_most(parts: Sequence[Part], into: memoryview) -> int:
    """How many of them were read, from the first on."""
    return _files.read(list(parts), into) if _files else 0


def statuses(folder: str, names: Sequence[str]) -> list[Status]:
    """Of each, or of what a link leads to. Raises the errors of ``errors`` that name it."""
    start = folder.removesuffix("/")
    if not _files:
        return [_status(f"{start}/{name}") for name in names]
    found: list[Status] = []
    while len(found) < len(names):
        found += _files.stats(folder, list(names[len(found) : len(found) + MOST_AT_ONCE]))
        for name in names[len(found) : len(found) + 1]:
            found.append(_status(f"{start}/{name}"))
    return found


def _status(path: str) -> Status:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each of many files costs more than the call
    except (OSError, ValueError) as error:
        raise in_our_words(path, error) from error
    return found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev
