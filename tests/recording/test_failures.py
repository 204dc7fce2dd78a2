"""What goes wrong for real: FAILED with its reason in the item and on standard error, and nothing lost."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from recording.broadcast import FRAMES, Broadcast
from recording.container import KEY
from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recording.broadcast import Streams
    from recording.container import Container

pytestmark = pytest.mark.stack
MODES = pytest.mark.parametrize("mode", ["file", "pipe"])
ON_A_SMALL_DISK = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=5m none "$0" && exec "$@"']


@MODES
def test_a_url_at_which_nobody_answers(container: Container, mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    container.start(f"http://me:hunter2@127.0.0.1:{port}/live.m3u8?token=abc", RECORD_MODE=mode)
    assert container.ended() == 4
    job = container.job
    assert (job["status"], job["error"]["type"]) == ("FAILED", "ProgramFailed")
    assert "Connection refused" in job["reason"]
    assert "Connection refused" in job["logTail"]
    assert job["error"]["hint"]
    assert container.events[-1] == {"event": "failed", **job["error"]}
    assert container.deployed.keys(container.bucket) == set()
    assert "hunter2" not in container.said + str(job)
    assert "abc" not in container.said + str(job)


def test_a_disk_that_is_full_in_the_middle(container: Container, streams: Streams, tmp_path: Path) -> None:
    """What fitted is there, with its torrent, and the item is FAILED and names it."""
    container.before = [*ON_A_SMALL_DISK, str(container.files)]
    if subprocess.run([*container.before, "true"], capture_output=True).returncode:
        pytest.skip("needs root, or a mount namespace of its own, for a small disk")
    with Broadcast(streams.big, ended=True) as source:
        container.start(source.url)
        assert container.ended() == 4, container.said
    job = container.job
    assert (job["status"], job["error"]["type"]) == ("FAILED", "NoSpace")
    assert f"what was recorded until then is s3://{container.bucket}/{KEY}, with its torrent" in job["reason"]
    assert "RECORD_MODE=pipe" in job["error"]["hint"]
    assert container.judge(tmp_path / "judge")["video"] >= FRAMES
    assert len(container.body()) < 5 << 20


class _NoTable(Handler):
    """DynamoDB with no table, and no permission to make one."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        wanted = self.headers["X-Amz-Target"].partition(".")[2]
        kind = "AccessDeniedException" if wanted == "CreateTable" else "ResourceNotFoundException"
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": wanted}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def no_table() -> Iterator[str]:
    with Loopback(_NoTable) as server:
        yield server.endpoint


def test_a_table_that_is_missing_and_must_not_be_made(
    container: Container, streams: Streams, no_table: str
) -> None:
    """Nothing is recorded that could not be told of."""
    with Broadcast(streams.film, ended=True) as source:
        container.start(source.url, AWS_ENDPOINT_URL=no_table)
        assert container.ended() == 4
        assert source.asked == []
    [event] = container.events
    assert (event["event"], event["type"], event["retryable"]) == ("failed", "TableMissing", False)
    assert "dynamodb:CreateTable" in event["hint"]
    assert not container.outfile.with_name(f"{container.outfile.name}.recording").exists()
