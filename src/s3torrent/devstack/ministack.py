"""MiniStack on loopback: S3, SQS, DynamoDB and Lambda in one process of our own, gone when the block ends."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from s3torrent.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

HOST = "127.0.0.1"
USUAL_PORT = 4566
REGION = "us-east-1"
CREDENTIALS = ("test", "test")
START_SECONDS = 30.0
STOP_SECONDS = 5.0
START_TRIES = 3
PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE")
"""All that MiniStack and its functions see of our environment: no account, no proxy, no setting of theirs."""


class MiniStack:
    """``with MiniStack() as stack: stack.endpoint``; raises StackError where it cannot be had.

    ``port`` None takes 4566, or a free one where that is taken; 0 takes a free one at once. ``extra`` goes
    into the server's environment (``{"AUTH": "true"}``). All it writes, its log included, lies in ``folder``,
    which is removed at the end.
    """

    def __init__(self, port: int | None = None, extra: Mapping[str, str] | None = None) -> None:
        self.port = USUAL_PORT if port is None else port
        self.folder = Path()
        self._may_move = not port
        self._extra = dict(extra or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        return self.folder / "ministack.log"

    @property
    def log(self) -> str:
        """What the server and the functions in it have said so far."""
        return self.log_file.read_text("utf-8", "replace")

    def start(self) -> Self:
        if find_spec("ministack") is None:
            raise StackError("MiniStack is not installed", hint="pip install 's3torrent[stack]'")
        self.folder = Path(tempfile.mkdtemp(prefix="s3torrent-stack-"))
        try:
            self._bring_up()
        except BaseException:
            self.stop()
            raise
        return self

    def check(self) -> None:
        """Raises StackError when the server has died."""
        if self._process and (status := self._process.poll()) is not None:
            raise StackError(f"MiniStack ended with status {status}; the end of its log: {self._log_end()}")

    def stop(self) -> None:
        """End the server and every Lambda worker in it; at most STOP_SECONDS. Safe to call twice."""
        self._end_process()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = Path()

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin:
                process.stdin.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _bring_up(self) -> None:
        for _ in range(START_TRIES):
            self._choose_port()
            if self._started():
                return
            self._end_process()
        raise StackError(
            f"MiniStack did not come up on {self.endpoint}; the end of its log: {self._log_end()}"
        )

    def _choose_port(self) -> None:
        if self.port and _is_free(self.port):
            return
        if not self._may_move:
            raise StackError(
                f"port {self.port} on {HOST} is taken", hint="stop what listens there, or name another port"
            )
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]

    def _started(self) -> bool:
        """One try; False when the server ended, as it does where another took the port in the meantime."""
        token = uuid.uuid4().hex
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "DOCKER_HOST": f"unix://{self.folder}/no-docker",  # or it would sweep the daemon's
            "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
            "AWS_DEFAULT_REGION": REGION,
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": HOST,
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_EDITION": token,  # comes back in its health report: it is our server that answers
            **self._extra,
        }
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "s3torrent.devstack.server"],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.PIPE,  # held open, never written to: server.py ends when it closes
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; its workers share its group
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._edition() == token:
                return True
            time.sleep(0.05)
        if self._process.poll() is None:
            raise StackError(
                f"MiniStack did not answer on {self.endpoint} within {START_SECONDS:g} s;"
                f" the end of its log: {self._log_end()}"
            )
        return False

    def _edition(self) -> str | None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/_ministack/health", timeout=5) as answer:
                return str(json.load(answer).get("edition"))
        except (OSError, ValueError):
            return None

    def _log_end(self, lines: int = 5) -> str:
        return " | ".join(self.log.split("\n")[-lines - 1 :]).strip(" |") or "(empty)"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
