"""A program run as a stranger: fed nothing, heard in part, bounded in time, and gone at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from s3torrent.errors import ProgramFailed, ProgramMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NAME = "transmission-create"
LAYER_PATH = "/opt/bin/transmission-create"
TICK_SECONDS = 0.25
TOLD_BYTES = 500
"""How much of what it printed goes into an error."""


def find_program(given: str | None) -> str:
    """``given``, or the one on PATH, or the layer's. Raises ProgramMissing that says where was looked."""
    if given:
        if not os.access(given, os.X_OK):
            raise ProgramMissing(f"TRANSMISSION_CREATE is {given!r}; no program that can be run is there")
        return given
    found = shutil.which(NAME) or shutil.which(LAYER_PATH)
    if not found:
        raise ProgramMissing(f"{NAME} is neither on PATH nor at {LAYER_PATH}")
    return found


def run_program(command: Sequence[str], folder: Path, tick: Callable[[], object]) -> str:
    """Run it to its end and return the end of what it printed, on one line.

    ``tick`` is called four times a second; when it raises, the program and all it started are killed. It sees
    none of our environment but PATH. Raises ProgramMissing where it cannot be started, ProgramFailed where
    it was killed by a signal. Its exit code says nothing: 3.00 exits 0 whatever happened.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryFile(dir=folder) as output:
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, no shell; the paths are absolute
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramMissing(f"{command[0]} cannot be run: {error.strerror}") from error
        try:
            code = _wait(process, tick)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said = _end_of(output)
    if code < 0:
        raise ProgramFailed(f"{command[0]} was killed by signal {-code}; it printed: {said}")
    if code in (126, 127):
        raise ProgramMissing(f"{command[0]} cannot be run (exit code {code}); it printed: {said}")
    return said


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], object]) -> int:
    while True:
        try:
            return process.wait(TICK_SECONDS)
        except subprocess.TimeoutExpired:
            tick()


def _end_of(output: IO[bytes]) -> str:
    output.seek(0, os.SEEK_END)
    output.seek(max(0, output.tell() - TOLD_BYTES))
    text = output.read().decode("utf-8", "replace")
    return " ".join(text.split()) or "nothing"
