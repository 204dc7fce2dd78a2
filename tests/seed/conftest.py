"""The seeder's programs on loopback, started as docker/seed/docker-compose.yml starts them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.ministack import ENVIRONMENT, MiniStack
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "docker/seed"
PREFIX = ".s3torrent/watch/"
NOBODY = 65534
SECONDS = 180
PROGRAMS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """Free for TCP and, most likely, UDP."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def require(*programs: str) -> None:
    missing = [name for name in programs if not shutil.which(name, path=PROGRAMS)]
    if missing:
        pytest.skip(
            f"not installed: {', '.join(missing)} (apt: awscli, jq, curl, opentracker, transmission-daemon)"
        )


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program while the block lasts, then asked to end; it sees PATH and ``environment`` alone."""
    with (
        log.open("ab") as told,
        subprocess.Popen(
            command,
            env={"PATH": PROGRAMS, "LANG": "C.UTF-8", **environment},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def unprivileged(command: list[str]) -> list[str]:
    """As in the container: opentracker started by root would lock itself into a folder."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder into which the unprivileged user may write; pytest's own are closed to him."""
    folder = Path(tempfile.mkdtemp(prefix="s3torrent-seed-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Daemon:
    """transmission-daemon."""

    port: int
    content: Path
    log: Path

    @property
    def rpc(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        request = urllib.request.Request(f"http://{self.rpc}/transmission/rpc", body)
        try:
            OPENER.open(request, timeout=10)
        except urllib.error.HTTPError as first:
            request.add_header("X-Transmission-Session-Id", first.headers["X-Transmission-Session-Id"])
            first.close()
        with OPENER.open(request, timeout=10) as answer:
            return json.loads(answer.read())["arguments"]

    def torrents(self) -> dict[str, dict[str, Any]]:
        """Info-hash -> what the daemon has of it."""
        fields = ["hashString", "percentDone", "status", "downloadDir", "downloadedEver", "errorString"]
        return {one["hashString"]: one for one in self.ask("torrent-get", fields=fields)["torrents"]}

    def seeds(self, info_hash: str) -> dict[str, Any]:
        """What it has of this torrent, once it is complete and being seeded."""

        def look() -> dict[str, Any] | None:
            found = self.torrents().get(info_hash, {})
            return found if found.get("percentDone") == 1 and found["status"] == 6 else None

        def found() -> str:
            logs = "\n".join(path.read_text()[-3000:] for path in self.log.parent.glob("*.log"))
            return f"{info_hash} seeded; found {self.torrents()}\n{logs}"

        return until(look, found, seconds=SECONDS)


@pytest.fixture
def daemon(shared: Path) -> Iterator[Daemon]:
    """With the arguments of the compose file, but for ports and folders."""
    require("transmission-daemon")
    (shared / "content").mkdir()
    (shared / "content").chmod(0o777)
    port = free_port()
    services = yaml.safe_load((SEED / "docker-compose.yml").read_text())["services"]
    command = [
        part.replace("/seed/", f"{shared}/").replace("=9091", f"={port}").replace("=51413", f"={free_port()}")
        for part in services["daemon"]["command"]
    ]
    made = Daemon(port, shared / "content", shared / "daemon.log")
    with running(unprivileged([*command, "--bind-address-ipv4=127.0.0.1"]), made.log, HOME=str(shared)):

        def answers() -> bool:
            try:
                return bool(made.ask("session-get"))
            except OSError:
                return False

        until(answers, made.log.read_text)
        yield made


@dataclass(frozen=True)
class Tracker:
    """opentracker under tracker.sh."""

    port: int
    list: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/announce"

    def announce(self, info_hash: bytes) -> bytes:
        """Its answer to a peer that tells it of this torrent; empty while it does not listen."""
        asked = "".join(f"%{byte:02x}" for byte in info_hash)
        try:
            with OPENER.open(
                f"{self.url}?info_hash={asked}&peer_id={'a' * 20}&port=1&left=0", timeout=10
            ) as answer:
                return bytes(answer.read())
        except OSError:
            return b""


@pytest.fixture
def tracker(shared: Path) -> Iterator[Tracker]:
    require("opentracker")
    script = shared / "tracker.sh"
    shutil.copy(SEED / "tracker.sh", script)
    folder = shared / "tracker"
    folder.mkdir()
    folder.chmod(0o777)
    port, list_, log = free_port(), folder / "info-hashes", shared / "tracker.log"
    variables = {"TRACKER_LIST": str(list_), "TRACKER_ADDRESS": "127.0.0.1", "TRACKER_PORT": str(port)}
    with running(unprivileged(["bash", str(script)]), log, **variables) as process:
        made = Tracker(port, list_, process)
        until(lambda: made.announce(bytes(20)), log.read_text)
        yield made


@dataclass(frozen=True)
class Watch:
    """watch.sh on one bucket, with a folder of its own."""

    stack: MiniStack
    bucket: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **ENVIRONMENT,
            "AWS_ENDPOINT_URL": self.stack.endpoint,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "S3_BUCKET": self.bucket,
            "TORRENT_WATCH_PREFIX": PREFIX,
            "WATCH_SECONDS": "1",
            "WATCH_FOLDER": str(self.folder),
            "TRANSMISSION_RPC": "127.0.0.1:1",
        }

    def put(self, name: str, body: bytes) -> None:
        """An object below the prefix."""
        self.stack.client("s3").put_object(Bucket=self.bucket, Key=PREFIX + name, Body=body)

    def once(self, *, code: int = 0, **settings: str) -> str:
        """One round; what it told."""
        done = subprocess.run(
            [SEED / "watch.sh", "--once"],
            env={"PATH": PROGRAMS, "LANG": "C.UTF-8", **self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        return done.stderr

    def copies(self, end: str = ".torrent") -> list[bytes]:
        return sorted(path.read_bytes() for path in self.folder.iterdir() if path.name.endswith(end))


@pytest.fixture
def watch(ministack: MiniStack, bucket: str, shared: Path) -> Watch:
    """It knows of no daemon, unless the test tells it."""
    require("aws", "jq", "curl", "flock")
    folder = shared / "watch"
    folder.mkdir()
    return Watch(ministack, bucket, folder)


@pytest.fixture
def run_watch(watch: Watch) -> Callable[..., Any]:
    """``with run_watch(log, NAME=value)``: watch.sh, round after round."""

    def run(log: Path, **settings: str) -> Any:
        return running([str(SEED / "watch.sh")], log, **{**watch.environment, **settings})

    return run


@pytest.fixture
def seed_script() -> Callable[[str], Path]:
    return SEED.joinpath
