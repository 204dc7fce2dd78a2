"""``s3torrent create`` of local content beside the other creators."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import creators
from creators import Creator, Spent
from row import Row
from scratch import in_words, scratch, write_content
from timing import Times, interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KIB, MIB = 1 << 10, 1 << 20
REPETITIONS = 5
LARGER = 4
"""Times what the other measurements take: 4 GiB."""
SMALL_FILES, QUICK_FILES = 20_000, 1_000
LARGE_PIECE, SMALL_PIECE = 4 * MIB, MIB
PEAK_MIB = 200
AS_FAST, WITHOUT_KERNEL = 1.0, 1.1
"""The most that our time may be of a peer's; with hashlib, of those that use all cores."""
ALL_CORES = ("mktorrent -t2", "torf threads=2")
LIMIT_SECONDS = 20
"""torf's time grows with the square of the number of files: minutes, which nobody waits for."""


def measure(large: int) -> Iterator[Row]:
    """All with the same piece length, start-up included; the content is in the page cache. Targets are those
    of the full size: of little content, start-up is most of the time.
    """
    size, full = LARGER * large, large >= 1 << 30
    as_fast, without_kernel = (AS_FAST, WITHOUT_KERNEL) if full else (None, None)
    with scratch(2 * size) as folder:
        content, torrent = write_content(folder / "content", size), folder / "out.torrent"
        for version in ("v1", "v2", "hybrid"):
            arguments = (content, torrent, LARGE_PIECE, version)
            yield from _rows(
                f"cli {in_words(size)} {version}",
                creators.ours(*arguments),
                creators.peers(*arguments),
                torrent,
                as_fast,
            )
        arguments = (content, torrent, LARGE_PIECE, "v1")
        peers = [peer for peer in creators.peers(*arguments) if peer.name in ALL_CORES]
        name = f"cli {in_words(size)} v1, hashlib"
        yield from _rows(name, creators.ours(*arguments, kernel="hashlib"), peers, torrent, without_kernel)
    count = SMALL_FILES if full else QUICK_FILES
    with scratch(count * 128 * KIB) as folder:
        content, torrent = write_small(folder / "content", count), folder / "out.torrent"
        for version in ("v1", "v2"):
            arguments = (content, torrent, SMALL_PIECE, version)
            peers = creators.peers(*arguments, slow_limit=LIMIT_SECONDS)
            name = f"cli {count:,} files of 1 to 64 KiB {version}"
            yield from _rows(name, creators.ours(*arguments), peers, torrent, as_fast)


def _rows(
    name: str, ours: Creator, peers: list[Creator], torrent: Path, target: float | None
) -> Iterator[Row]:
    """Time and CPU time beside each peer, and our memory."""
    spent: dict[str, list[Spent]] = {creator.name: [] for creator in (ours, *peers)}
    never: set[str] = set()

    def way(creator: Creator) -> Callable[[], float]:
        def once() -> float:
            used = None if creator.name in never else creator.spend(torrent)
            if used is None:
                never.add(creator.name)  # once is enough
                return creator.limit
            spent[creator.name].append(used)
            return used.wall

        return once

    times = interleaved(REPETITIONS, {creator.name: way(creator) for creator in (ours, *peers)})
    cpu = {told: Times(one.cpu for one in used) for told, used in spent.items()}
    for peer in peers:
        wall, reached = times[peer.name], peer.name not in never
        told = peer.name if reached else f"{peer.name} (not done by then)"
        yield Row.of_times(f"{name}: time", times[ours.name], told, wall, target)
        if reached:
            yield Row.of_times(f"{name}: CPU time", cpu[ours.name], told, cpu[peer.name], None)
    yield Row.of_limit(f"{name}: peak memory", max(used.peak for used in spent[ours.name]), PEAK_MIB, "MiB")


def write_small(folder: Path, count: int) -> Path:
    """Pseudo-random files of 1 to 64 KiB in 200 folders, the same at every run."""
    rng = random.Random(count)
    for number in range(count):
        place = folder / f"{number % 200:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:05}.bin").write_bytes(rng.randbytes(rng.randint(KIB, 64 * KIB)))
    return folder
