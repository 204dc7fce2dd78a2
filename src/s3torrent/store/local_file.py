"""What the file system says about one file, in our words."""

from __future__ import annotations

import contextlib
import errno
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from s3torrent.errors import AccessDenied, BadName, NoSuchObject, PathConflict, SourceError
from s3torrent.types import ObjectVersion

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from s3torrent.types import ObjectRef

_KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def version_of(path: Path, status: os.stat_result, ref: ObjectRef) -> ObjectVersion:
    """Raises BadName for what is not a regular file."""
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special file")
        raise BadName(f"{path} is a {kind}, expected a regular file", hint="name a file, or leave it out")
    return ObjectVersion(
        ref,
        None,
        f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}",
        status.st_size,
        datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, UTC),
    )


@contextlib.contextmanager
def typed(path: Path, absent: type[SourceError] = NoSuchObject) -> Iterator[None]:
    """Whatever the system refuses about ``path`` leaves as one of ``errors``."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise absent(f"{path} does not exist") from error
    except PermissionError as error:
        raise AccessDenied(f"{path}: {error.strerror}", hint=f"give this user access to {path}") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise PathConflict(
                f"{path} is a symbolic link that leads to itself", hint="remove the link"
            ) from error
        raise SourceError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # a NUL, or text that is no name in this file system
        raise absent(f"{str(path)!r} is not a path: {error}") from error
