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
    leaf_digests_of_files,
)
from s3torrent.hashing.ranges import RangeHashes
from s3torrent.hashing.trees import roots, trees_of
from s3torrent.hashing.v1 import PieceHasher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.engine.files import FileWork
    from s3torrent.hashing.ranges import PieceRange

File_contra = TypeVar("File_contra", contravariant=True)


Part = tuple[int, int, int, int]
"""Of a file (its index) the bytes from one on, where in the buffer they lie, and how many."""

MOST_PARTS = 4096
"""Files read in one call: neither progress nor an interruption gets through before its end."""


class FileHasher(Generic[File_contra]):
    """One thread's: its buffer, which the first small file asks for, and what it found in its range."""

    def __init__(self, work: FileWork[File_contra]) -> None:
        self._work, self._layout = work, work.layout
        self._v1, self._v2 = work.layout.version != "v2", work.layout.version != "v1"
        self._buffer: memoryview | None = None
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
            at, filled, parts = self._plan(at, end)
            with self._work.reading(len(parts), filled):
                self._fill(buffer, filled, parts)
            if self._v2:
                self._hash_leaves(buffer, filled, parts)
            if self._v1:
                pieces.update(buffer[:filled])
            self._work.count(sum([length for *_, length in parts]))
        if self._v1:
            self._pieces.append(pieces.digests())
        return at

    def _plan(self, start: int, end: int) -> tuple[int, int, list[Part]]:
        """What of ``start`` on goes into the buffer: where that ends, how much it is, and of which files.

        Padding is zeros; in v2 it is left out.
        """
        runs, ends, room = self._layout.runs, self._work.ends, self._work.room
        parts: list[Part] = []
        index = bisect_right(ends, start)
        at, filled = start, 0
        while at < end and filled < room and len(parts) < MOST_PARTS:
            run, run_end = runs[index], ends[index]
            length = min(run_end, end) - at
            if run.file is not None and length:
                if not self._v1 and length >= self._work.large and at > start:
                    break
                if length > room - filled:
                    length = room - filled if self._v1 else (room - filled) // LEAF * LEAF
                if not length:
                    break
                parts.append((run.file, at - (run_end - run.length), filled, length))
                filled += length
            elif self._v1:
                length = min(length, room - filled)
                filled += length
            at += length
            if at == run_end:
                index += 1
        return at, filled, parts

    def _fill(self, buffer: memoryview, filled: int, parts: list[Part]) -> None:
        files, at = self._work.files, 0
        for _, _, place, length in parts:
            _clear(buffer[at:place])
            at = place + length
        _clear(buffer[at:filled])
        wanted = [(files[file], start, place, length) for file, start, place, length in parts]
        self._work.reader.read_parts(wanted, buffer)

    def _hash_leaves(self, buffer: memoryview, filled: int, parts: list[Part]) -> None:
        if self._v1:  # with padding between them
            for file, _, place, length in parts:
                self._add_leaves(file, leaf_digests(buffer[place : place + length]))
            return
        leaves = leaf_digests_of_files(buffer[:filled], [length for *_, length in parts])
        at = 0
        for file, _, _, length in parts:
            end = at + -(-length // LEAF) * 32
            self._add_leaves(file, leaves[at:end])
            at = end

    def _add_leaves(self, file: int, leaves: bytes) -> None:
        self._leaves[file] = self._leaves.get(file, b"") + leaves


def _clear(part: memoryview) -> None:
    for at in range(0, len(part), len(ZEROS)):
        rest = part[at : at + len(ZEROS)]
        rest[:] = ZEROS[: len(rest)]
