"""A temporary folder that is known to be in use, so that what a killed process left can be told and removed.

Lambda kills a process that is out of time and may use its /tmp for the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from s3torrent.errors import NoSpace

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "s3torrent-transmission-"
LOCK = "in-use"
"""A file in the folder; whoever lives holds an exclusive flock on it, which ends with the process."""

_MEND = "set TMPDIR to a folder that can be written, or use TORRENT_ENGINE=native, which needs none"


def temporary_folder(given: Path | None) -> Path:
    """``given`` or the system's, absolute. Raises NoSpace where it is not there or cannot be written."""
    try:
        folder = (given or Path(tempfile.gettempdir())).absolute()
    except FileNotFoundError as error:
        raise NoSpace(f"there is no temporary folder: {error.strerror}", hint=_MEND) from error
    if not folder.is_dir():
        raise NoSpace(f"the temporary folder {folder} is not there", hint=_MEND)
    return folder


@contextlib.contextmanager
def scratch_folder(temporary: Path) -> Iterator[Path]:
    """A new folder below ``temporary``, removed at the end. Raises NoSpace where none can be made."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=temporary))
        lock = _lock(folder)
    except OSError as error:
        raise NoSpace(f"no folder can be made in {temporary}: {error.strerror}", hint=_MEND) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(temporary: Path) -> None:
    """Remove the folders of processes that are no more. What is in use, or not of ours, stays."""
    for folder in temporary.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _lock(folder: Path) -> int:
    """Locked under another name first: no sweep sees a lock that nobody holds yet."""
    unseen = folder / f"{LOCK}.new"
    lock = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    unseen.rename(folder / LOCK)
    return lock
