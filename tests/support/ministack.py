"""A MiniStack of one's own: S3, SQS, DynamoDB, Lambda on a free loopback port, gone when the block ends."""

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
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types import TracebackType

REGION = "us-east-1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
START_TRIES = 3

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
"""What a process needs besides ``AWS_ENDPOINT_URL`` to talk to MiniStack; also the keys that ``client`` uses."""

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"total_max_attempts": 2, "mode": "standard"},
    max_pool_connections=64,
    proxies={},  # loopback must never go through this machine's proxy
    s3={"addressing_style": "path"},
)


class MiniStack:
    """``with MiniStack() as stack: stack.client("s3")``; the log is ``stack.folder / "ministack.log"``.

    ``extra`` goes into the environment of the server (``{"AUTH": "true"}``).
    """

    def __init__(self, extra: dict[str, str] | None = None) -> None:
        self._extra = dict(extra or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, Any] = {}
        self._session = boto3.session.Session(
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        self.folder = Path()
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "ministack.log").read_text(errors="replace")

    def client(self, service: str) -> Any:
        """A boto3 client, made once a service, closed with the stack."""
        if service not in self._clients:
            self._clients[service] = self.new_client(service)
        return self._clients[service]

    def new_client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of the caller's own, who closes it; ``config`` is merged over the test defaults."""
        merged = _CONFIG.merge(config) if config else _CONFIG
        return self._session.client(service, endpoint_url=self.endpoint, config=merged)

    def start(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="s3torrent-ministack-"))
        started = False
        try:
            started = any(self._started() for _ in range(START_TRIES))
            log = self.log
        finally:
            if not started:
                self.stop()
        if not started:
            raise RuntimeError(f"MiniStack did not start in {START_TRIES} tries; its log:\n{log}")
        return self

    def stop(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._end_process()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = Path()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _started(self) -> bool:
        """One try on one port; False when the server ended, as it does where another took the port first."""
        self.port = _free_port()
        token = uuid.uuid4().hex
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            **ENVIRONMENT,
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "S3_PERSIST": "0",
            "TMPDIR": str(temporary),
            "MINISTACK_EDITION": token,  # comes back in /health: it is our server that answers
            **self._extra,
        }
        with (self.folder / "ministack.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its Lambda workers share its group and end with it
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._edition() == token:
                return True
            time.sleep(0.05)
        self._end_process()
        return False

    def _edition(self) -> str | None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/_ministack/health", timeout=5) as answer:
                return json.load(answer).get("edition")
        except (OSError, ValueError):
            return None

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
