"""The file by which an edit can be undone, written and read; a line for each torrent (docs/json.md)."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import click

from s3torrent.cli.output import visible
from s3torrent.errors import OutputExists, UsageError
from s3torrent.pipeline.edit import Undo
from s3torrent.wiring import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINE = 32 << 20
"""Bytes: a torrent has 10,000,000 at most, and Base64 makes four of three."""


class UndoFile:
    """Being written. Without a ``path`` it gets a name of the time that nobody has yet. When it is left, it
    is named to the user, whatever ended the edit; with no line in it, it is gone.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self._file = _named(path) if path else _new()
        self.lines = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:  # who comes later fails, before it has changed anything
            self._file.close()
        if self.lines:
            click.echo(visible(f"to undo it: s3torrent edit --restore {self.path}"), err=True)
        else:
            self.path.unlink(missing_ok=True)

    def write(self, line: str) -> None:
        with self._lock:
            self.lines += not self._file.closed
            self._file.write(line)
            self._file.flush()


class Undos:
    """An undo file, read: each time it is gone through, the lines that are whole. ``cut``: the last is not.

    Raises UsageError for a line that is none.
    """

    def __init__(self, path: Path) -> None:
        self.cut = False
        self._path = path
        try:
            self._file: IO[bytes] = path.open("rb")
            if not self._file.seekable():  # a pipe
                with self._file as pipe:
                    self._file = tempfile.TemporaryFile()  # noqa: SIM115 - close closes it
                    shutil.copyfileobj(pipe, self._file)
        except OSError as error:
            raise UsageError(f"--restore {path} cannot be read: {error.strerror}") from None

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Undo]:
        self._file.seek(0)
        number = 0
        while line := self._file.readline(MOST_LINE):
            number += 1
            self.cut = not line.endswith(b"\n") and len(line) < MOST_LINE
            if self.cut:
                break
            yield Undo.of(line, f"line {number:,} of the undo file {self._path}")
        if number == self.cut:
            raise UsageError(
                f"the undo file {self._path} has no whole line; expected one for each edited torrent",
                hint="an edit that was ended before its first whole line has changed nothing",
            )


def _named(path: Path) -> tuple[Path, IO[str]]:
    try:
        return path, path.open("x", encoding="utf-8")
    except FileExistsError:
        raise OutputExists(f"{path} is there already", hint="name another file for --undo") from None
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise UsageError(f"--undo {path} cannot be written: {told}") from None


def _new() -> tuple[Path, IO[str]]:
    stem, number = f"s3torrent-undo-{clock():%Y%m%dT%H%M%SZ}", 1
    while True:
        try:
            return _named(Path(f"{stem}.jsonl" if number == 1 else f"{stem}-{number}.jsonl"))
        except OutputExists:
            number += 1
