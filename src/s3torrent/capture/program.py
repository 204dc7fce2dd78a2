"""A program at work for a recording: heard in part, asked to stop, and never left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from s3torrent.capture.said import Said
from s3torrent.errors import ProgramMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

TICK_SECONDS = 0.25
AGAIN_SECONDS = 2.0
"""After one SIGINT ffmpeg ends at its next packet; a second one also ends its waiting for that packet."""
KILL_SECONDS = 3.0
LAST_WORDS_SECONDS = 2.0
PIPE_BYTES = 1 << 20
PASSED_ON = (
    "PATH",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    *(f"{name}_proxy" for name in ("http", "https", "no", "all")),
    *(f"{name}_PROXY" for name in ("HTTP", "HTTPS", "NO", "ALL")),
)
"""All that it sees of our environment: no credentials, no settings."""


@dataclass(frozen=True)
class Surroundings:
    """What every program of one recording is given.

    Once ``stop`` is set it is asked to end; ``hear`` is called with each line it prints, from a thread;
    ``folder`` is where it works, and its home.
    """

    stop: threading.Event
    hear: Callable[[str], object] = lambda _: None
    folder: Path = Path("/")

    @property
    def unstopped(self) -> Surroundings:
        """For what is to be done to the end even so."""
        return replace(self, stop=threading.Event())


def find_program(name: str) -> str:
    """Its path. Raises ProgramMissing."""
    found = shutil.which(name)
    if not found:
        raise ProgramMissing(
            f"{name} is not on PATH; recording needs it",
            hint=f"install {name} (the image of docker/ecs has it), or add its folder to PATH",
        )
    return found


class Program:
    """``with Program(...) as program: program.wait(tick)``; after the block it is gone, and all it started.

    With ``output``, its standard output is ``stdout``, unbuffered; without, it is heard like its standard
    error. Raises ProgramMissing where it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        around: Surroundings,
        *,
        output: bool = False,
        reads: IO[bytes] | None = None,
    ) -> None:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a list, no shell; its path is absolute
                command,
                cwd=around.folder,
                env=environment | {"HOME": str(around.folder), "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL if reads is None else reads,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if output else subprocess.STDOUT,
                bufsize=0,
                process_group=0,  # to be signalled whole; in our session, so that whoever ends that ends it
            )
        except OSError as error:
            raise ProgramMissing(
                f"{command[0]} cannot be run: {error.strerror}", hint="install it anew"
            ) from error
        self.stdout = self._process.stdout
        assert self.stdout
        if output:
            with contextlib.suppress(OSError):  # a larger one is a favour
                fcntl.fcntl(self.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        heard = self._process.stderr if output else self.stdout
        assert heard
        self.said = Said(heard, around.hear)
        self._stop = around.stop
        threading.Thread(target=self._watch, daemon=True, name="stop").start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()
        self.said.finish(LAST_WORDS_SECONDS)
        if self._process.stderr and self.stdout:
            self.stdout.close()

    def wait(self, tick: Callable[[], object] = lambda: None) -> int:
        """Its exit code, negative for the signal that killed it. ``tick`` is called four times a second."""
        while True:
            try:
                code = self._process.wait(TICK_SECONDS)
            except subprocess.TimeoutExpired:
                tick()
            else:
                self._signal(signal.SIGKILL)  # what it started and left behind holds its pipes
                self.said.finish(LAST_WORDS_SECONDS)
                return code

    def _watch(self) -> None:
        """Ends it once ``stop`` is set; in a thread, as whoever reads from it may be waiting."""
        while not self._stop.wait(TICK_SECONDS):
            if self._process.poll() is not None:
                return
        for patience in (AGAIN_SECONDS, KILL_SECONDS):
            if self._process.poll() is not None:
                return
            self._signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
