"""Does a web seed bring the torrent's content? Its first and last piece, read and hashed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from s3torrent.engine.ranges import hash_layout
from s3torrent.errors import UrlError
from s3torrent.hashing.assemble import piece_roots
from s3torrent.hashing.ranges import PieceRange
from s3torrent.hashing.verify import bad_pieces
from s3torrent.metainfo.webseed import check_web_seed
from s3torrent.pipeline.verify import layout_of
from s3torrent.webseeds.base import Problem, SeedFault, WebFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.hashing.layout import Layout
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.webseeds.base import WebReader

MOST_SEEDS, MOST_TOLD = 10, 2000
"""Of a status item: web seeds, and characters of each."""
MOST_FILES = 100
"""Of a piece that is read: each file is a request."""


@dataclass(frozen=True, slots=True)
class SeedCheck:
    """``pieces`` are those that were compared."""

    url: str
    pieces: tuple[int, ...]
    problems: tuple[Problem, ...]

    @property
    def good(self) -> bool:
        return not any(problem.fatal for problem in self.problems)

    def as_dict(self) -> dict[str, Any]:
        """docs/json.md has the schema."""
        return {
            "webSeed": self.url,
            "good": self.good,
            "pieces": list(self.pieces),
            "problems": [problem.as_dict() for problem in self.problems],
        }


def check_seed(metainfo: Metainfo, url: str, reader: WebReader) -> SeedCheck:
    """``url``: one of the torrent's web seeds. Memory: a chunk."""
    try:
        check_web_seed(url, single_file=False)
    except UrlError as error:
        return SeedCheck(url, (), (Problem.of("invalid", error.message),))
    layout = layout_of(metainfo)
    pieces = tuple(_sample(layout))
    ranges = [_range(layout, piece) for piece in pieces]
    v2 = piece_roots(layout, metainfo.file_roots, metainfo.piece_layers) if metainfo.has_v2 else b""
    try:
        found = hash_layout(
            layout, files_at(metainfo, url), reader, threads=1, progress=_silent, ranges=ranges
        )
    except SeedFault as fault:
        return SeedCheck(url, pieces, (fault.problem, *reader.noticed))
    bad = sorted(piece for result in found for piece in bad_pieces(layout, result, v1=metainfo.pieces, v2=v2))
    wrong = [Problem("wrong-content", _told(piece, layout)) for piece in bad[:1]]
    return SeedCheck(url, pieces, (*wrong, *reader.noticed))


def seed_checks(metainfo: Metainfo, reader: Callable[[float], WebReader]) -> dict[str, Any] | None:
    """What a status item tells of the torrent's web seeds, by URL; None where it has none.

    ``reader`` makes one for that share of the time there is. What is wrong with one is told, not raised.
    """
    urls = metainfo.web_seeds[:MOST_SEEDS]
    told: dict[str, Any] = {}
    for url in urls:
        try:
            with contextlib.closing(reader(1 / len(urls))) as one:
                found = check_seed(metainfo, url, one)
            good = found.good
            problems = "; ".join(f"{problem.code}: {problem.detail}" for problem in found.problems)
        except Exception as error:  # noqa: BLE001 - a torrent is published, whatever its web seeds do
            good, problems = False, f"unreachable: could not be tried: {type(error).__name__}: {error}"
        told[url[:MOST_TOLD]] = {"good": good, "problems": problems[:MOST_TOLD]}
    return told or None


def files_at(metainfo: Metainfo, url: str) -> list[WebFile]:
    """The URL that clients ask for each file (BEP 19): of a single file the web seed itself, or that and the
    file's name where it ends in ``/``; of a folder the name and the path behind it, encoded.
    """
    if metainfo.single_file and not url.endswith("/"):
        return [WebFile(url, metainfo.files[0].length)]
    base = url if url.endswith("/") else f"{url}/"
    if metainfo.single_file:
        return [WebFile(base + _encoded((metainfo.name,)), metainfo.files[0].length)]
    return [WebFile(base + _encoded((metainfo.name, *entry.path)), entry.length) for entry in metainfo.files]


def _encoded(path: tuple[str, ...]) -> str:
    return "/".join(quote(component, safe="") for component in path)


def _sample(layout: Layout) -> Iterator[int]:
    """The first and the last piece that do not lie in too many files; where all do, none."""
    first = next(_of_few(layout, range(layout.piece_count)), None)
    if first is None:
        return
    yield first
    last = next(_of_few(layout, range(layout.piece_count - 1, first, -1)), None)
    if last is not None:
        yield last


def _of_few(layout: Layout, pieces: range) -> Iterator[int]:
    for piece in pieces[:1000]:
        if len(layout.files_of_piece(piece)) <= MOST_FILES:
            yield piece


def _range(layout: Layout, piece: int) -> PieceRange:
    start = piece * layout.piece_length
    return PieceRange(start, min(start + layout.piece_length, layout.size))


def _told(piece: int, layout: Layout) -> str:
    return f"piece {piece:,} of {layout.piece_count:,} has another hash than the torrent says"


def _silent(_done: int, _phase: str = "") -> None:
    """Progress that nobody is told."""
