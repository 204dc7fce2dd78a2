"""Where each byte of the content lies in the stream that is cut into pieces (BEP 3, 47, 52)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from s3torrent.hashing.ranges import PieceRange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Run:
    """``length`` consecutive stream bytes of one file (its index), or of padding (``file`` None)."""

    file: int | None
    length: int


@dataclass(frozen=True, slots=True)
class Extent:
    """A piece of a run inside a range: bytes [offset, offset + length) of ``file``, or padding."""

    file: int | None
    offset: int
    length: int


@dataclass(frozen=True)
class Layout:
    """The stream: its runs in order, the piece length, and what is hashed ("v1", "v2", "hybrid").

    In v2 and hybrid every file starts on a piece boundary; the padding between is zeros to v1 and
    nothing to v2, so piece k is the same place in the stream for both.
    """

    runs: tuple[Run, ...]
    piece_length: int
    version: str

    @classmethod
    def of_files(
        cls, lengths: Sequence[int], piece_length: int, version: str, *, pad_files: bool = False
    ) -> Layout:
        """The layout of a new torrent; ``pad_files`` pads v1, too. Hybrid pads the last file as well, where
        there is more than one.
        """
        aligned = version != "v1" or pad_files
        runs: list[Run] = []
        filled = [index for index, length in enumerate(lengths) if length]
        for index, length in enumerate(lengths):
            runs.append(Run(index, length))
            gap = -length % piece_length
            last = not filled or index == filled[-1]
            if aligned and gap and (not last or (version == "hybrid" and len(lengths) > 1)):
                runs.append(Run(None, gap))
        return cls(tuple(runs), piece_length, version)

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(run.length for run in self.runs))

    @property
    def size(self) -> int:
        """Length of the stream, padding included."""
        return self._ends[-1] if self._ends else 0

    @property
    def piece_count(self) -> int:
        return -(-self.size // self.piece_length)

    @cached_property
    def file_lengths(self) -> dict[int, int]:
        return {run.file: run.length for run in self.runs if run.file is not None}

    def extents(self, piece_range: PieceRange) -> Iterator[Extent]:
        """What lies in the range, in order."""
        position = piece_range.start
        index = bisect_right(self._ends, position)
        while position < piece_range.end:
            run, run_end = self.runs[index], self._ends[index]
            length = min(run_end, piece_range.end) - position
            if length:
                yield Extent(run.file, position - (run_end - run.length), length)
            position += length
            index += 1

    def file_of_piece(self, piece: int) -> int:
        """The one file in an aligned piece (v2, hybrid)."""
        file = self.runs[bisect_right(self._ends, piece * self.piece_length)].file
        assert file is not None
        return file

    def files_of_piece(self, piece: int) -> list[int]:
        """Every file that has a byte in the piece."""
        start = piece * self.piece_length
        inside = PieceRange(start, min(start + self.piece_length, self.size))
        return [extent.file for extent in self.extents(inside) if extent.file is not None]

    def split(self, target: int, first: int = 0, end: int | None = None) -> Iterator[PieceRange]:
        """Ranges of about ``target`` bytes, at least a piece each, that cover the stream; of these the ones
        that begin in [first, end), where ``first`` is the begin of one.
        """
        step = max(1, target // self.piece_length) * self.piece_length
        for start in range(first, self.size if end is None else min(end, self.size), step):
            yield PieceRange(start, min(start + step, self.size))
