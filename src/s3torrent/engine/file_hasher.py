"""One thread's part in hashing files of this machine: a range, worked through in stretches.

Where one file fills a stretch, the kernel reads and hashes it in one call; small files are read into a
buffer, one after the other, and hashed there.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from typing import TYPE_CHECKING, Generic, TypeVar

from s3torrent.hashing.hasher import ZEROS
from s3torrent.hashing.kernel import (
    LEAF,
    file_hybrid_digests,
    file_leaf_digests,
    file_piece_digests,
    leaf_digests,
)
from s3torrent.hashing.ranges import RangeHashes
from s3torrent.hashing.trees import roots, trees_of
from s3torrent.hashing.v1 import PieceHasher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.engine.files import FileWork
    from s3torrent.hashing.ranges import PieceRange

File_contra = TypeVar("File_contra", contravariant=True)


class FileHasher(Generic[File_contra]):
    """One thread's: its buffer, which the first small file asks for, and what it found in its range."""

    def __init__(self, work: FileWork[File_contra]) -> None:
        self._work, self._layout = work, work.layout
        self._v1, self._v2 = work.layout.version != "v2", work.layout.version != "v1"
        self._buffer: memoryview | None = None
        self._filled = 0
        self._pieces: list[bytes] = []
        self._leaves: dict[int, bytes] = {}

    def hash(self, piece_range: PieceRange) -> Iterator[None]:
        """Yields after each stretch; at the end the result is with the others."""
        self._pieces, self._leaves = [], {}
        at = piece_range.start
        while at < piece_range.end:
            at = self._one_file(at, piece_range.end) or self._files(at, piece_range.end)
            yield
        lengths, piece = self._layout.file_lengths, self._layout.piece_length
        trees = [
            tree for file, leaves in self._leaves.items() for tree in trees_of(leaves, lengths[file], piece)
        ]
        self._work.results.append(RangeHashes(piece_range, b"".join(self._pieces), roots(trees)))

    def _one_file(self, start: int, end: int) -> int:
        """Hash what a large file fills from ``start`` on, and say where that ends; 0: it does not."""
        index = bisect_right(self._work.ends, start)
        run, run_end = self._layout.runs[index], self._work.ends[index]
        piece = self._layout.piece_length
        stop = min(run_end, end, start + self._work.stretch)
        if self._v1 and stop != self._layout.size:
            stop -= stop % piece
        if run.file is None or stop - start < self._work.large:
            return 0
        self._work.go_on()
        first = start - (run_end - run.length)
        last = first + stop - start
        opened = self._work.reader.opened(self._work.files[run.file], first, last)
        if opened is None:
            return 0
        with opened as handle:
            if not self._v2:
                self._pieces.append(file_piece_digests(handle, first, last, piece, os.pread))
            elif not self._v1:
                self._add_leaves(run.file, file_leaf_digests(handle, first, last, os.pread))
            else:
                pieces, leaves = file_hybrid_digests(handle, first, last, piece, os.pread)
                self._pieces.append(pieces)
                self._add_leaves(run.file, leaves)
        self._work.count(last - first)
        return stop

    def _files(self, start: int, end: int) -> int:
        """Hash what files and padding hold from ``start`` on, and say where that ends: when the buffer is
        full, but in v1 and hybrid at the end of a piece; in v2 before a large file.
        """
        buffer = self._buffer = self._buffer or self._work.reader.buffer(self._work.room)
        if self._v1:
            end = min(end, start + max(self._work.room, self._layout.piece_length))
        pieces = PieceHasher(self._layout.piece_length)
        at = start
        while at == start or (self._v1 and at < end):
            self._work.go_on()
            with self._work.turn(at, min(at + self._work.room, end)):
                at, parts = self._fill(buffer, at, end)
            for file, place, length in parts if self._v2 else ():
                self._add_leaves(file, leaf_digests(buffer[place : place + length]))
            if self._v1:
                pieces.update(buffer[: self._filled])
            self._work.count(sum([length for _, _, length in parts]))
        if self._v1:
            self._pieces.append(pieces.digests())
        return at

    def _fill(self, buffer: memoryview, start: int, end: int) -> tuple[int, list[tuple[int, int, int]]]:
        """Read what comes from ``start`` on; where that ends, and of each file its place and length in the
        buffer. Padding is zeros; in v2 it is left out, and each file begins a leaf.
        """
        runs, ends, files = self._layout.runs, self._work.ends, self._work.files
        read_into, room = self._work.reader.read_into, self._work.room
        parts: list[tuple[int, int, int]] = []
        index = bisect_right(ends, start)
        at, filled = start, 0
        while at < end and filled < room:
            run, run_end = runs[index], ends[index]
            length = min(run_end, end) - at
            if run.file is not None and length:
                if not self._v1 and length >= self._work.large and at > start:
                    break
                length = min(length, room - filled)
                read_into(files[run.file], at - (run_end - run.length), buffer[filled : filled + length])
                parts.append((run.file, filled, length))
                filled += length if self._v1 else length + -length % LEAF
            elif self._v1:
                length = min(length, room - filled)
                _clear(buffer[filled : filled + length])
                filled += length
            at += length
            if at == run_end:
                index += 1
        self._filled = filled
        return at, parts

    def _add_leaves(self, file: int, leaves: bytes) -> None:
        self._leaves[file] = self._leaves.get(file, b"") + leaves


def _clear(part: memoryview) -> None:
    for at in range(0, len(part), len(ZEROS)):
        rest = part[at : at + len(ZEROS)]
        rest[:] = ZEROS[: len(rest)]
