"""A program run as a stranger: fed nothing, heard in part, bounded in time, and gone at the end."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from s3torrent.errors import ProgramFailed, ProgramMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME = "transmission-create"
LAYER_PATH = "/opt/bin/transmission-create"
TICK_SECONDS = 0.25
TOLD_BYTES = 500
"""How much of what it printed goes into an error; the rest is read and forgotten."""
PIPE_BYTES = 1 << 16
"""All that a pipe holds (Linux): what a program printed last is had in one read."""


def find_program(given: str | None) -> str:
    """``given``, or the one on PATH, or the layer's; absolute. Raises ProgramMissing that says where was
    looked.
    """
    if given:
        if not Path(given).is_file() or not os.access(given, os.X_OK):
            raise ProgramMissing(f"TRANSMISSION_CREATE is {given!r}; no program that can be run is there")
        return str(Path(given).absolute())
    found = shutil.which(NAME) or shutil.which(LAYER_PATH)
    if not found:
        raise ProgramMissing(f"{NAME} is neither on PATH nor at {LAYER_PATH}")
    return str(Path(found).absolute())


def run_program(command: Sequence[str], folder: Path, tick: Callable[[], object]) -> str:
    """Run it to its end and return the end of what it printed, on one line, unprintable characters escaped.

    ``tick`` is called four times a second; when it raises, the program and all it started are killed. It sees
    none of our environment but PATH. Raises ProgramMissing where it cannot be started, ProgramFailed where
    it was killed by a signal. Its exit code says nothing: 3.00 exits 0 whatever happened.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    try:
        process = subprocess.Popen(  # noqa: S603 - a list, no shell; the paths are absolute
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        raise ProgramMissing(f"{command[0]} cannot be run: {error.strerror}") from error
    assert process.stdout
    with process.stdout as output:
        try:
            end = _hear(process, output, tick)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
    said = _one_line(end)
    if code < 0:
        raise ProgramFailed(f"{command[0]} was killed by signal {-code}; it printed: {said}")
    if code in (126, 127):
        raise ProgramMissing(f"{command[0]} cannot be run (exit code {code}); it printed: {said}")
    return said


def _hear(process: subprocess.Popen[bytes], output: IO[bytes], tick: Callable[[], object]) -> bytes:
    """The last TOLD_BYTES that it printed before it ended; what it started may hold the pipe for longer."""
    os.set_blocking(output.fileno(), False)
    end, closed = b"", False
    ticked = time.monotonic()
    while process.poll() is None:
        if closed:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TICK_SECONDS)
        elif select.select([output], [], [], TICK_SECONDS)[0]:
            chunk = output.read(PIPE_BYTES)
            closed = not chunk
            end = (end + chunk)[-TOLD_BYTES:]
        if time.monotonic() - ticked >= TICK_SECONDS:
            ticked = time.monotonic()
            tick()
    return (end + (output.read(PIPE_BYTES) or b""))[-TOLD_BYTES:]


def _one_line(end: bytes) -> str:
    words = " ".join(end.decode("utf-8", "replace").split())
    escaped = (one if one.isprintable() else one.encode("unicode_escape").decode() for one in words)
    return "".join(escaped) or "nothing"
