"""docker/ecs/entrypoint.sh at work, as a container would run it, without Docker: PATH holds the programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from s3torrent.devstack.recheck import recheck
from support.ministack import ENVIRONMENT
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.deployed import Deployed

ENTRYPOINT = Path(__file__).resolve().parents[2] / "docker/ecs/entrypoint.sh"
PREFIX = "shows"
NAME = "é show & 100%.mkv"
KEY = f"{PREFIX}/{NAME}"
JOB = "job-7"
SECONDS = 60.0


@dataclass
class Container:
    """One run of the entrypoint for ``bucket``; ``files`` is its disk, of which nothing is shared."""

    deployed: Deployed
    bucket: str
    files: Path
    environment: dict[str, str] = field(default_factory=dict)
    before: Sequence[str] = ()
    """A command that runs the entrypoint."""

    def start(self, url: str, **environment: str) -> None:
        """``environment`` is added to the least that there must be."""
        least = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "TMPDIR": str(self.files),
            "S3TORRENT_PYTHON": sys.executable,
            **ENVIRONMENT,
            "AWS_ENDPOINT_URL": self.deployed.stack.endpoint,
            "S3_BUCKET": self.bucket,
            "S3_KEY": PREFIX,
            "DDB_TABLE": self.deployed.table,
            "JOB_ID": self.job_id,
            "RECORD_HEARTBEAT_SECONDS": "0.2",
            "TORRENT_LEASE_SECONDS": "5",
            "TORRENT_WEB_SEEDS": f"{self.deployed.stack.endpoint}/{{bucket}}/{{key}}",
        }
        with (self.files / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [*self.before, str(ENTRYPOINT), url, str(self.outfile.relative_to(self.files))],
                env=least | self.environment | environment,
                cwd=self.files,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def job_id(self) -> str:
        """The tests share the table."""
        return f"{self.bucket}-{JOB}"

    @property
    def outfile(self) -> Path:
        return self.files / NAME

    @property
    def recorder(self) -> int:
        """Process id of the recorder; its session has the same number."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(until(lambda: children.read_text().split(), "the recorder")[0])

    def ended(self) -> int:
        """The exit code; that nothing was printed is checked, too."""
        try:
            printed, _ = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still at work\n{self.said}") from None
        assert printed == b""
        return self.process.returncode

    def clear(self) -> None:
        """Nothing of it is left when a test fails."""
        if self.process.poll() is None:
            for session in {self.process.pid, *sessions_of_children(self.process.pid)}:
                for pid in members(session):
                    os.kill(pid, signal.SIGKILL)
        self.process.communicate()

    @property
    def said(self) -> str:
        return (self.files / "stderr").read_text("utf-8", "replace")

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its standard error; every line is JSON."""
        return [json.loads(line) for line in self.said.splitlines()]

    @property
    def job(self) -> dict[str, Any]:
        """The recording's own item."""
        answer = self.deployed.client("dynamodb").get_item(
            TableName=self.deployed.table, Key={"jobId": {"S": self.job_id}}, ConsistentRead=True
        )
        plain = TypeDeserializer().deserialize
        return {name: plain(value) for name, value in answer.get("Item", {}).items()}

    def has_recorded(self, least: int) -> None:
        """Waits until the item tells of so many bytes."""
        until(
            lambda: self.job.get("bytesHashed", 0) >= least,
            lambda: f"{least} bytes of {self.job}\n{self.said}",
        )

    def body(self) -> bytes:
        return self.deployed.client("s3").get_object(Bucket=self.bucket, Key=KEY)["Body"].read()

    @property
    def unfinished(self) -> list[Any]:
        return self.deployed.client("s3").list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])

    def judge(self, folder: Path) -> Counter[str]:
        """Object and torrent are there, each once; libtorrent finds the one good by the other, and ffmpeg can
        play it. How many packets each kind of track has.
        """
        item = self.deployed.ended(self.bucket, KEY, "COMPLETED")
        assert self.deployed.keys(self.bucket) == {KEY, f"{KEY}.torrent"}
        assert len(self.deployed.writes_of_torrent(self.bucket, KEY)) == 1
        folder.mkdir()
        (folder / NAME).write_bytes(self.body())
        assert item["size"] == (folder / NAME).stat().st_size
        assert recheck(self.deployed.torrent(self.bucket, KEY), folder) == item["pieceCount"]
        return packets(folder / NAME)


def packets(file: Path) -> Counter[str]:
    """How many each kind of track has; all of it can be decoded, and it is Matroska."""
    assert file.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    decode = ["ffmpeg", "-nostdin", "-v", "fatal", "-xerror", "-i", file, "-f", "null", "-"]
    assert subprocess.run(decode, capture_output=True, text=True, timeout=60).returncode == 0
    entries = ["-count_packets", "-show_entries", "stream=codec_type,nb_read_packets"]
    probe = ["ffprobe", "-v", "error", *entries, "-of", "json", file]
    found = json.loads(subprocess.run(probe, capture_output=True, check=True, timeout=60).stdout)
    return Counter({one["codec_type"]: int(one["nb_read_packets"]) for one in found["streams"]})


def members(session: int) -> list[int]:
    """The processes of a session that still do something."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(path.parent.name))
    return found


def sessions_of_children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
