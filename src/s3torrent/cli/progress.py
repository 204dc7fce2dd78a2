"""A bar on stderr, only where a person is looking."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@contextmanager
def objects_bar(label: str, total: int | None) -> Iterator[Callable[[int, int], None]]:
    """Yields the function to call with the objects so far, and how much of ``total`` is behind them.

    ``total`` None is not known: then there is no time left to tell, but the time that went by.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _objects, _read: None
        return
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[objects]:,} objects"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn() if total is None else TimeRemainingColumn(),
    )
    begun = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, objects=0, rate=0.0)

        def moved(objects: int, read: int) -> None:
            rate = objects / max(time.monotonic() - begun, 0.1)
            bar.update(task, completed=read if total else 0, objects=objects, rate=rate)

        yield moved
