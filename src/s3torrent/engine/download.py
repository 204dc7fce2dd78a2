"""One object to a file, without ever waiting longer for its bytes than the caller's own beat."""

from __future__ import annotations

import os
import threading
from typing import IO, TYPE_CHECKING

from s3torrent.engine.base import DOWNLOADING
from s3torrent.errors import NoSpace

if TYPE_CHECKING:
    from pathlib import Path

    from s3torrent.engine.base import Progress
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectVersion

TICK_SECONDS = 0.25


def download(version: ObjectVersion, reader: ObjectReader, target: Path, progress: Progress) -> None:
    """Write the object to ``target`` in a thread; ``progress`` is called here, four times a second.

    The first error ends it: the thread's, which is raised here, or one that ``progress`` raises. Then a
    thread that hangs in a read is left behind, and writes nothing more. Raises NoSpace, and whatever the
    reader raises.
    """
    work = _Download(version, reader, target)
    try:
        target.parent.mkdir()
        file = target.open("xb")  # here, so that a thread left behind makes no file in a folder that goes
    except OSError as error:
        raise work.no_space(error) from error
    thread = threading.Thread(target=work.run, args=(file,), name="download", daemon=True)
    thread.start()
    try:
        while not work.ended.wait(TICK_SECONDS):
            progress(work.done, DOWNLOADING)
    except BaseException:
        work.abandon()
        raise
    if work.error:
        raise work.error
    progress(work.done, DOWNLOADING)


class _Download:
    def __init__(self, version: ObjectVersion, reader: ObjectReader, target: Path) -> None:
        self._version, self._reader, self._target = version, reader, target
        self._writing = threading.Lock()
        self._abandoned = False
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.done = 0

    def run(self, file: IO[bytes]) -> None:
        try:
            with file:
                self._copy(file)
        except OSError as error:
            self.error = self.no_space(error)
            self.error.__cause__ = error
        except BaseException as error:  # noqa: BLE001 - raised by the one who waits
            self.error = error
        finally:
            self.ended.set()

    def _copy(self, file: IO[bytes]) -> None:
        for chunk in self._reader.read(self._version, 0, self._version.size):
            with self._writing:
                if self._abandoned:
                    return
                file.write(chunk)
            self.done += len(chunk)

    def abandon(self) -> None:
        """The space is had back at once, and not when the thread lets go of a file that was removed."""
        with self._writing:
            self._abandoned = True
            os.truncate(self._target, 0)

    def no_space(self, error: OSError) -> NoSpace:
        where = f"below {self._target.parent}"
        return NoSpace(f"{self._version} could not be written {where}: {error.strerror}")
