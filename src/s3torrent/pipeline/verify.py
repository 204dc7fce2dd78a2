"""Content against a torrent: which pieces are bad, and which files they touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.engine.ranges import FileReader, hash_layout
from s3torrent.errors import Mismatch
from s3torrent.hashing.assemble import piece_roots
from s3torrent.hashing.hasher import ZEROS
from s3torrent.hashing.layout import Layout, Run
from s3torrent.hashing.verify import bad_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from s3torrent.engine.base import Progress
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectVersion


@dataclass(frozen=True, slots=True)
class WrongSize:
    path: str
    expected: int
    found: int


@dataclass(frozen=True, slots=True)
class Verification:
    """``bad_pieces`` are indices; ``bad_files`` the paths they touch; a missing or short file's absent
    bytes make their pieces bad, a file that is too long makes none bad but is a problem all the same.
    """

    piece_count: int
    bad_pieces: tuple[int, ...]
    bad_files: tuple[str, ...]
    missing: tuple[str, ...]
    wrong_size: tuple[WrongSize, ...]

    @property
    def good(self) -> bool:
        return not (self.bad_pieces or self.missing or self.wrong_size)

    def error(self, content: str) -> Mismatch:
        """The mismatch in one line."""
        parts = []
        if self.bad_pieces:
            parts.append(f"{len(self.bad_pieces):,} of {self.piece_count:,} pieces differ")
        if self.missing:
            parts.append(f"missing files: {len(self.missing):,}")
        if self.wrong_size:
            parts.append(f"files of another size: {len(self.wrong_size):,}")
        return Mismatch(f"{content} is not the torrent's content: {', '.join(parts)}")


class PresentBytes:
    """A reader over what is there: bytes past a file's end, or of a missing file, come as zeros."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    def read(self, version: ObjectVersion | None, start: int, end: int) -> Iterator[memoryview | bytes]:
        present = min(end, version.size) if version else 0
        if version and start < present:
            yield from self._reader.read(version, start, present)
        absent = end - max(start, present)
        while absent > 0:
            zeros = ZEROS[:absent]
            absent -= len(zeros)
            yield zeros


class PresentFiles(PresentBytes):
    """The same over files of this machine."""

    def __init__(self, reader: ObjectReader, files: FileReader[ObjectVersion]) -> None:
        super().__init__(reader)
        self._files = files
        self.buffer = files.buffer

    def read_parts(
        self, parts: Sequence[tuple[ObjectVersion | None, int, int, int]], into: memoryview
    ) -> None:
        there: list[tuple[ObjectVersion, int, int, int]] = []
        for version, start, place, length in parts:
            present = min(max(version.size - start, 0), length) if version else 0
            if version and present:
                there.append((version, start, place, present))
            for at in range(place + present, place + length, len(ZEROS)):
                absent = into[at : min(at + len(ZEROS), place + length)]
                absent[:] = ZEROS[: len(absent)]
        self._files.read_parts(there, into)

    def opened(
        self, version: ObjectVersion | None, start: int, end: int
    ) -> AbstractContextManager[int] | None:
        if version is None or version.size < end:
            return None
        return self._files.opened(version, start, end)


def present_bytes(reader: ObjectReader) -> PresentBytes:
    return PresentFiles(reader, reader) if isinstance(reader, FileReader) else PresentBytes(reader)


def verify(
    metainfo: Metainfo,
    content: Mapping[tuple[str, ...], ObjectVersion],
    reader: ObjectReader,
    *,
    threads: int,
    progress: Progress,
) -> Verification:
    """``content`` maps each file's path, as in ``metainfo.files``, to what lies there."""
    layout = layout_of(metainfo)
    versions = [content.get(entry.path) for entry in metainfo.files]
    missing: list[str] = []
    wrong_size: list[WrongSize] = []
    for entry, found in zip(metainfo.files, versions, strict=True):
        if found is None:
            missing.append(str(entry))
        elif found.size != entry.length:
            wrong_size.append(WrongSize(str(entry), entry.length, found.size))
    v2 = piece_roots(layout, metainfo.file_roots, metainfo.piece_layers) if metainfo.has_v2 else b""
    bad = set(_absent_pieces(layout, [found.size if found else 0 for found in versions]))
    for result in hash_layout(layout, versions, present_bytes(reader), threads=threads, progress=progress):
        bad.update(bad_pieces(layout, result, v1=metainfo.pieces, v2=v2))
    touched = sorted({file for piece in bad for file in layout.files_of_piece(piece)})
    return Verification(
        layout.piece_count,
        tuple(sorted(bad)),
        tuple(str(metainfo.files[file]) for file in touched),
        tuple(missing),
        tuple(wrong_size),
    )


def layout_of(metainfo: Metainfo) -> Layout:
    """The stream the torrent's pieces were cut from; its own list of files and pads, where it has one."""
    if not metainfo.has_v1:
        return Layout.of_files([entry.length for entry in metainfo.files], metainfo.piece_length, "v2")
    runs: list[Run] = []
    files = 0
    for entry, is_pad in metainfo.v1_layout:
        runs.append(Run(None if is_pad else files, entry.length))
        files += not is_pad
    return Layout(tuple(runs), metainfo.piece_length, metainfo.torrent_version)


def _absent_pieces(layout: Layout, present: Sequence[int]) -> Iterator[int]:
    """Pieces that hold a byte past ``present[file]``."""
    at = 0
    for run in layout.runs:
        if run.file is not None and present[run.file] < run.length:
            first = (at + present[run.file]) // layout.piece_length
            yield from range(first, (at + run.length - 1) // layout.piece_length + 1)
        at += run.length
