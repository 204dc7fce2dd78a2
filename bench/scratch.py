"""Where the measurements put their files, and the content they are made of."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 20
SHARED_MEMORY = Path("/dev/shm")


@contextlib.contextmanager
def scratch(room: int) -> Iterator[Path]:
    """An empty folder, gone at the end; in memory where ``room`` bytes fit, lest a disk slow the peer."""
    in_memory = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > room
    with tempfile.TemporaryDirectory(
        prefix="s3torrent-bench-", dir=SHARED_MEMORY if in_memory else None
    ) as folder:
        yield Path(folder)


def write_content(path: Path, size: int) -> Path:
    """Pseudo-random bytes, the same at every run; no two blocks are alike."""
    rng = random.Random(size)
    with path.open("wb") as out:
        for _ in range(size // BLOCK):
            out.write(rng.randbytes(BLOCK))
        out.write(rng.randbytes(size % BLOCK))
    return path


def in_words(size: int) -> str:
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"
