"""``s3torrent create`` of a local file beside the other creators: for information."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from peers import run
from row import Row
from scratch import in_words, scratch, write_content
from timing import interleaved, wall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPETITIONS = 5
PIECE_KIB, MKTORRENT_POWER = 1024, 20
TORF = f"""
import sys, torf
torrent = torf.Torrent(path=sys.argv[1], piece_size={PIECE_KIB * 1024})
torrent.generate(threads=2)
torrent.write(sys.argv[2])
"""


def measure(large: int) -> Iterator[Row]:
    """All with the same piece length, start-up included; the file is in the page cache."""
    with scratch(2 * large) as folder:
        content = write_content(folder / "content", large)
        commands: dict[str, list[str | Path]] = {
            "s3torrent create": [
                Path(sys.executable).with_name("s3torrent"),
                "create", content, "--piece-length", f"{PIECE_KIB}KiB", "-o",
            ],
            "transmission-create": ["transmission-create", content, "-s", str(PIECE_KIB), "-o"],
            "mktorrent -t2": ["mktorrent", "-t2", "-l", str(MKTORRENT_POWER), content, "-o"],
            "torf threads=2": [sys.executable, "-c", TORF, content],
        }  # fmt: skip

        def way(command: list[str | Path]) -> Callable[[], float]:
            def once() -> float:
                torrent = folder / "out.torrent"
                torrent.unlink(missing_ok=True)
                seconds = wall(lambda: run(*command, torrent))
                assert torrent.stat().st_size
                return seconds

            return once

        present = {name: way(command) for name, command in commands.items() if shutil.which(command[0])}
        times = interleaved(REPETITIONS, present)
    ours = times.pop("s3torrent create")
    for name, peer in times.items():
        yield Row.of_times(f"cli {in_words(large)}: s3torrent create", ours, name, peer, None)
