"""Read and hash a layout in parallel ranges.

Memory: threads x (READ_CHUNK + one range's digests); object size does not enter but for the digests
(20 to 52 bytes a piece). Nothing is written to disk.
"""

from __future__ import annotations

import os
import threading
from itertools import islice
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

from s3torrent.engine.cut import cut
from s3torrent.errors import ObjectChanged, S3TorrentError
from s3torrent.hashing.hasher import RangeHasher
from s3torrent.hashing.lanes import lanes_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from s3torrent.engine.base import Progress
    from s3torrent.hashing.lanes import Lanes
    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import PieceRange, RangeHashes

HEARTBEAT_SECONDS = 0.5


File_contra = TypeVar("File_contra", contravariant=True)


class Reader(Protocol[File_contra]):
    """All that hashing needs of a store: the bytes [start, end) of a file, in chunks."""

    def read(self, version: File_contra, start: int, end: int) -> Iterator[memoryview | bytes]: ...


@runtime_checkable
class FileReader(Reader[File_contra], Protocol[File_contra]):
    """What a store of this machine's files offers besides. ``read_parts`` and ``opened`` compare and raise as
    ``read`` does.
    """

    def read_parts(self, parts: Sequence[tuple[File_contra, int, int, int]], into: memoryview) -> None:
        """Of each file the bytes from one on, to their place in the buffer, as many as that."""
        ...

    def opened(self, version: File_contra, start: int, end: int) -> AbstractContextManager[int] | None:
        """A descriptor to read the bytes [start, end) by; None where they do not all lie in one file.

        An EOFError inside says that they ended early.
        """
        ...

    def buffer(self, size: int) -> memoryview:
        """Memory that ``read_parts`` fills quickly."""
        ...


class Keep(Protocol):
    """Told all that is hashed so far; with ``now``, for the last time."""

    def __call__(self, results: Sequence[RangeHashes], *, now: bool = False) -> object: ...


class Stopped(Exception):
    """Another range failed; this one need not go on."""


class RangeWork(Generic[File_contra]):
    """What the threads share: the source, the count of bytes, and the order to stop."""

    def __init__(
        self, layout: Layout, files: Sequence[File_contra], reader: Reader[File_contra], lanes: Lanes
    ) -> None:
        self.layout, self.files, self.reader, self.lanes = layout, files, reader, lanes
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self.hashed = 0

    def hash(self, piece_range: PieceRange) -> RangeHashes:
        with self.lanes.stream():
            return self._hash(piece_range)

    def _hash(self, piece_range: PieceRange) -> RangeHashes:
        hasher = RangeHasher(self.layout, piece_range, self.lanes)
        for extent in self.layout.extents(piece_range):
            if extent.file is None:
                hasher.pad(extent.length)
                continue
            end = extent.offset + extent.length
            for chunk in self.reader.read(self.files[extent.file], extent.offset, end):
                hasher.update(chunk)
                with self._lock:
                    self.hashed += len(chunk)
                if self.stop.is_set():
                    raise Stopped
            hasher.end_extent()
        return hasher.result()


def hash_layout(
    layout: Layout,
    files: Sequence[File_contra],
    reader: Reader[File_contra],
    *,
    threads: int,
    progress: Progress,
    done: Sequence[RangeHashes] = (),
    keep: Keep | None = None,
    ranges: Iterable[PieceRange] | None = None,
) -> list[RangeHashes]:
    """Hash every range of the layout, or ``ranges`` of its ``cut``; ``files[i]`` is the version behind the
    layout's file i.

    What is ``done`` is not read again. The first error of any range stops the others and is raised; so does
    one that ``progress`` raises. One of ours tells ``bytes_read``. ``keep`` is called as ranges finish, and
    once more (``now``) where the work is broken off and a later try may succeed.
    """
    if isinstance(reader, FileReader) and not (done or keep or ranges):
        from s3torrent.engine.files import hash_files  # noqa: PLC0415 - the function reads no files

        return hash_files(layout, files, reader, threads=threads, progress=progress)
    work = RangeWork(layout, files, reader, lanes_for(threads, os.cpu_count() or 1))
    results = list(done)
    known = {result.range for result in results}
    work.hashed = recalled = sum(one.end - one.start for one in known)
    wanted_ranges = cut(layout) if ranges is None else ranges
    waiting = (wanted for wanted in wanted_ranges if wanted not in known)
    try:
        for result in _in_threads(work, waiting, threads, progress):
            results.append(result)
            if keep:
                keep(results)
    except S3TorrentError as error:
        error.bytes_read = work.hashed - recalled
        if keep and error.retryable and not isinstance(error, ObjectChanged):
            keep(results, now=True)
        raise
    return results


def _in_threads(
    work: RangeWork[File_contra], waiting: Iterator[PieceRange], threads: int, progress: Progress
) -> Iterator[RangeHashes]:
    """The results as they come."""
    from concurrent.futures import (  # noqa: PLC0415 - 10 ms that local files need not wait for
        FIRST_COMPLETED,
        ThreadPoolExecutor,
        wait,
    )

    pool = ThreadPoolExecutor(threads, thread_name_prefix="range")
    try:
        running: set[Future[RangeHashes]] = set()
        while True:
            # Only as many are queued as run: 48.8 TiB is six million ranges.
            running |= {pool.submit(work.hash, item) for item in islice(waiting, threads - len(running))}
            if not running:
                return
            done, running = wait(running, HEARTBEAT_SECONDS, FIRST_COMPLETED)
            for future in done:
                yield future.result()
            progress(work.hashed)
    finally:
        work.stop.set()
        # Nobody waits for a connection that stalls: it ends at its next chunk or its time-out.
        pool.shutdown(wait=False, cancel_futures=True)
