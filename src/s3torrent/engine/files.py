"""Files of this machine, read and hashed by all its cores.

Memory: a buffer of LEAST_BUFFER to MOST_BUFFER bytes a thread, BUFFERS in all where that is more, and the
digests. Nothing is kept for a later try, so the ranges may depend on the number of threads.
"""

from __future__ import annotations

import resource
import threading
import time
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar

from s3torrent.engine.file_hasher import FileHasher
from s3torrent.engine.ranges import HEARTBEAT_SECONDS, Stopped
from s3torrent.hashing.kernel import LEAF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from s3torrent.engine.base import Progress
    from s3torrent.engine.ranges import FileReader
    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import RangeHashes

LANES = 16
"""Pieces that the widest kernel hashes side by side."""
SHARES = 8
"""Ranges a thread, where there is enough: the last ones end nearly together."""
LEAST_RANGE, USUAL_RANGE, MOST_RANGE = 1 << 20, 16 << 20, 128 << 20
"""Bytes; longer than usual are those of LANES long pieces. What is read in one call neither progress nor an
interruption gets through: 0.1 s.
"""
SMALL = 256 << 10
"""Bytes of a file up to which finding and opening it takes longer than reading it."""
LARGE = 1 << 20
"""Bytes of a file from which on it is worth a call of its own in v2."""
BUFFERS, LEAST_BUFFER, MOST_BUFFER = 96 << 20, 1 << 20, 16 << 20
WAITING_THREADS = 8
"""At small files that are not in memory yet, however few the cores."""
PATIENCE_SECONDS = 2.0
"""How long an error waits for the threads that it stops."""
_HERE = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)

File_contra = TypeVar("File_contra", contravariant=True)


def hash_files(
    layout: Layout,
    files: Sequence[File_contra],
    reader: FileReader[File_contra],
    *,
    threads: int,
    progress: Progress,
) -> list[RangeHashes]:
    """As ``hash_layout``. The calling thread is one of the ``threads``, and tells the progress."""
    work = FileWork(layout, files, reader, threads)
    try:
        work.hire(threads)
        for _ in work.go():
            progress(work.hashed)
        waiting = True
        while waiting:
            waiting = work.wait(HEARTBEAT_SECONDS)
            progress(work.hashed)
    except Stopped:
        pass
    finally:
        work.stop.set()
        work.wait(PATIENCE_SECONDS)
    if work.error:
        raise work.error
    return work.results


class FileWork(Generic[File_contra]):
    """What the threads share: the source, the ranges that are left, the results.

    ``room``: bytes of a thread's buffer, whole pieces or at least leaves; ``large``: those of a file that has
    a call of its own, at least; ``stretch``: what one call reads, at most.
    """

    def __init__(
        self, layout: Layout, files: Sequence[File_contra], reader: FileReader[File_contra], threads: int
    ) -> None:
        self.layout, self.files, self.reader, self.threads = layout, files, reader, threads
        self.ends = list(accumulate(run.length for run in layout.runs))
        self.stop = threading.Event()
        self.results: list[RangeHashes] = []
        self.error: BaseException | None = None
        self.hashed = 0
        self.helpers: list[threading.Thread] = []
        self._lock = threading.Lock()
        piece = layout.piece_length
        room = min(max(BUFFERS // max(threads, WAITING_THREADS), LEAST_BUFFER), MOST_BUFFER)
        self.room = room // piece * piece or room // LEAF * LEAF
        self.large = LARGE if layout.version == "v2" else min(LANES * piece, self.room)
        self.stretch = max(MOST_RANGE // piece, 1) * piece
        self.range_length = self._range_length()
        self._waiting = layout.split(self.range_length)

    def hire(self, threads: int) -> None:
        """Have as many at it, the calling one included, or as there are ranges."""
        with self._lock:
            for number in range(
                len(self.helpers) + 1, min(threads, -(-self.layout.size // self.range_length))
            ):
                helper = threading.Thread(target=self.help, name=f"files-{number}", daemon=True)
                helper.start()
                self.helpers.append(helper)

    def wait(self, seconds: float) -> bool:
        """Wait for the other threads; whether one is still at it then."""
        end = time.monotonic() + seconds
        for helper in self.helpers:  # one that is hired meanwhile comes behind
            helper.join(max(end - time.monotonic(), 0))
        return any(helper.is_alive() for helper in self.helpers)

    def go(self) -> Iterator[None]:
        """Hash range after range; come up for air after each stretch."""
        hasher = FileHasher(self)
        while True:
            with self._lock:
                piece_range = next(self._waiting, None)
            if piece_range is None:
                return
            yield from hasher.hash(piece_range)

    def help(self) -> None:
        try:
            for _ in self.go():
                pass
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised by the calling thread
            with self._lock:
                self.error = self.error or error
            self.stop.set()

    def go_on(self) -> None:
        """Raises Stopped where another thread failed."""
        if self.stop.is_set():
            raise Stopped

    @contextmanager
    def reading(self, files: int, length: int) -> Iterator[None]:
        """Around the reading of so many files: what comes from a disk or a network is worth waiting for in
        many places at once.
        """
        if self.threads >= WAITING_THREADS or length >= files * SMALL:
            yield
            return
        before = resource.getrusage(_HERE)
        yield
        after = resource.getrusage(_HERE)
        # A read that finds its bytes in memory neither reads blocks nor gives up its core.
        read, waits = (after.ru_inblock - before.ru_inblock) * 512, after.ru_nvcsw - before.ru_nvcsw
        if read > length // 8 or waits > max(files, 16):
            self.hire(WAITING_THREADS)

    def count(self, length: int) -> None:
        with self._lock:
            self.hashed += length

    def _range_length(self) -> int:
        """Whole pieces, at least one: as many as lanes if all threads have that, and shares to level out."""
        work = size = self.layout.size
        if self.layout.version == "v2":  # padding costs nothing
            work = sum(run.length for run in self.layout.runs if run.file is not None) or 1
        piece = self.layout.piece_length
        pieces = -(-work // piece)
        usual = max(
            min(LANES, -(-pieces // self.threads)), pieces // (self.threads * SHARES), LEAST_RANGE // piece
        )
        most = min(max(LANES * piece, USUAL_RANGE), MOST_RANGE) // piece
        return max(min(usual, most), 1) * piece * size // work
