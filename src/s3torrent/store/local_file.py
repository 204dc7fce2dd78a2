"""What the file system says about one file, in our words."""

from __future__ import annotations

import contextlib
import errno
import mmap
import stat
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from s3torrent.errors import AccessDenied, BadName, NoSuchObject, ObjectChanged, PathConflict, SourceError
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

STILL = "wait until nobody writes to it, then try again"

EARLIEST, LATEST = -62_135_596_800, 253_402_300_799
"""Seconds since 1970: the years 1 to 9999."""

_KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class FileVersion(ObjectVersion):
    """A file as ``stat`` found it; what only S3's words need is worked out when asked for.

    A folder may hold hundreds of thousands, of which hardly more than the size is ever asked.
    """

    __slots__ = ("inode", "modified_ns", "path")

    path: str
    modified_ns: int
    inode: int
    version_id = None
    sha1 = None
    sha1_told = False

    def __init__(self, path: str, size: int, modified_ns: int, inode: int) -> None:
        put = object.__setattr__  # it is frozen
        put(self, "path", path)
        put(self, "size", size)
        put(self, "modified_ns", modified_ns)
        put(self, "inode", inode)

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef("", self.path)

    @property
    def etag(self) -> str:
        return f"{self.size:x}-{self.modified_ns:x}-{self.inode:x}"

    @property
    def last_modified(self) -> datetime:
        return _moment(self.modified_ns // 1_000_000_000)


@lru_cache(1024)
def _moment(seconds: int) -> datetime:
    """Files that came together share it. A file system knows times that no calendar has."""
    return datetime.fromtimestamp(min(max(seconds, EARLIEST), LATEST), UTC)


def version_of(path: str, status: os.stat_result) -> FileVersion:
    """Raises BadName for what is not a regular file."""
    if not stat.S_ISREG(status.st_mode):
        raise not_regular(path, status.st_mode)
    return FileVersion(path, status.st_size, status.st_mtime_ns, status.st_ino)


def not_regular(path: str, mode: int) -> BadName:
    kind = _KINDS.get(stat.S_IFMT(mode), "special file")
    return BadName(f"{path} is a {kind}, expected a regular file", hint="name a file, or leave it out")


def require_same(version: ObjectVersion, status: os.stat_result) -> None:
    """Raises ObjectChanged where ``status`` is not that of ``version``: size, modification time and inode."""
    if (
        isinstance(version, FileVersion)
        and status.st_mtime_ns == version.modified_ns
        and status.st_size == version.size
        and status.st_ino == version.inode
        and stat.S_ISREG(status.st_mode)
    ):
        return
    now = version_of(version.ref.key, status)
    if now.etag != version.etag:
        found = f"{now.size} bytes of {now.last_modified:%Y-%m-%d %H:%M:%SZ}"
        expected = f"{version.size} bytes of {version.last_modified:%Y-%m-%d %H:%M:%SZ}"
        raise ObjectChanged(f"{version.ref} is another file now: {found}; expected {expected}", hint=STILL)


@contextlib.contextmanager
def typed(path: str | os.PathLike[str], absent: type[SourceError] = NoSuchObject) -> Iterator[None]:
    """Whatever the system refuses about ``path`` leaves as one of ``errors``."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise in_our_words(path, error, absent) from error


def in_our_words(
    path: str | os.PathLike[str], error: OSError | ValueError, absent: type[SourceError] = NoSuchObject
) -> SourceError | PathConflict:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return absent(f"{path} does not exist")
    if isinstance(error, PermissionError):
        return AccessDenied(f"{path}: {error.strerror}", hint=f"give this user access to {path}")
    if isinstance(error, ValueError):  # a NUL, or text that is no name in this file system
        return absent(f"{str(path)!r} is not a path: {error}")
    if error.errno == errno.ELOOP:
        return PathConflict(f"{path} is a symbolic link that leads to itself", hint="remove the link")
    return SourceError(f"{path}: {error.strerror}")


def pages(size: int) -> memoryview:
    """A buffer that begins a page, for what is read into.

    The system copies page by page, and some processors (AMD's ``rep movsb``) do so three to four times slower
    to a place a few bytes past the start of a page, which is where every large bytearray begins.
    """
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)
