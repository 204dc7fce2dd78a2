"""The recorder killed with SIGKILL at several moments: what it had is kept, and never a torrent of half an object."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from recording.broadcast import FRAMES, Broadcast
from recording.container import KEY, members
from support.meddling_proxy import MeddlingProxy, Moment
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from recording.broadcast import Streams
    from recording.container import Container

pytestmark = pytest.mark.stack
PART = 8 << 20
KILLED = 128 + signal.SIGKILL
REASON = "the recorder was killed by signal 9"
MODES = pytest.mark.parametrize("mode", ["file", "pipe"])


def kill(container: Container) -> None:
    os.kill(container.recorder, signal.SIGKILL)


def killed_at(container: Container, streams: Streams, moment: str, number: int, mode: str) -> int:
    """Record ``big``, and kill the recorder before this request on the object goes on. The recorder's id."""
    path = f"/{container.bucket}/{KEY}"
    with (
        Broadcast(streams.big, ended=True) as source,
        MeddlingProxy(container.deployed.stack.endpoint) as proxy,
    ):
        proxy.at(Moment(moment, path, number), lambda: kill(container))
        container.start(source.url, RECORD_MODE=mode, AWS_ENDPOINT_URL=proxy.endpoint, TORRENT_THREADS="1")
        recorder = container.recorder
        assert container.ended() == KILLED, container.said
        assert proxy.pending == []
    return recorder


@MODES
def test_in_the_middle_of_the_upload(
    container: Container, streams: Streams, tmp_path: Path, mode: str
) -> None:
    """From the file the upload goes on; of a stream the parts that had arrived become the object."""
    recorder = killed_at(container, streams, "PUT", 2, mode)
    found = container.judge(tmp_path / "judge")
    size = len(container.body())
    if mode == "file":
        assert container.body() == container.outfile.read_bytes()
        assert (size > 2 * PART, found["video"]) == (True, 10 * FRAMES)
    else:
        assert size in (PART, 2 * PART)
        assert found["video"] >= 3 * FRAMES
    assert container.unfinished == []
    assert (container.job["status"], container.job["reason"]) == ("COMPLETED", REASON)
    assert members(recorder) == []
    assert [event["event"] for event in container.events] == ["completed"]


@MODES
def test_between_the_object_and_its_torrent(
    container: Container, streams: Streams, tmp_path: Path, mode: str
) -> None:
    """The request that completes the object arrives; nobody is there any more to hear it."""
    killed_at(container, streams, "POST", 2, mode)
    assert container.judge(tmp_path / "judge")["video"] == 10 * FRAMES
    assert container.unfinished == []
    assert (container.job["status"], container.job["reason"]) == ("COMPLETED", REASON)


def test_in_the_middle_of_the_recording(container: Container, streams: Streams, tmp_path: Path) -> None:
    """yt-dlp and its ffmpeg go with it, and what they had written becomes object and torrent."""
    with Broadcast(streams.film, shown=3) as live:
        container.start(live.url)
        container.has_recorded(10_000)
        recorder = container.recorder
        assert len(members(recorder)) >= 3
        kill(container)
        assert container.ended() == KILLED, container.said
    assert container.judge(tmp_path / "judge")["video"] >= 2 * FRAMES
    assert (container.job["status"], container.job["reason"]) == ("COMPLETED", REASON)
    assert members(recorder) == []


def test_before_anything_came(container: Container, streams: Streams) -> None:
    """FAILED, and nothing lies in the bucket."""
    with Broadcast(streams.film, shown=0) as live:
        container.start(live.url, RECORD_MODE="pipe")
        until(lambda: container.job.get("status") == "RECORDING", "the item")
        kill(container)
        assert container.ended() == KILLED, container.said
    assert container.job["status"] == "FAILED"
    assert container.job["reason"].startswith(REASON)
    assert container.deployed.keys(container.bucket) == set()
