"""A bar on stderr, only where a person is looking."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.engine.base import Progress


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator[Progress]:
    """Yields the function to call with the bytes done so far; ``total`` None is not known."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _done, _phase="": None
        return
    from rich.console import Console  # noqa: PLC0415 - 40 ms that a script need not pay
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done, _phase="": bar.update(task, completed=done)
