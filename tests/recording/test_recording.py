"""A stream on loopback, recorded by the entrypoint of the container, the function live and woken by its upload."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from recording.broadcast import FRAMES, Broadcast
from recording.container import KEY, members
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from recording.broadcast import Streams
    from recording.container import Container

pytestmark = pytest.mark.stack
MODES = pytest.mark.parametrize("mode", ["file", "pipe"])


@MODES
def test_a_live_stream_is_recorded_to_its_end(
    container: Container, streams: Streams, tmp_path: Path, mode: str
) -> None:
    """Picture and sound come in playlists of their own; every packet of both is there.

    One torrent, COMPLETED in both items, made by the recorder: the function read nothing of the object.
    """
    with Broadcast(streams.apart, shown=3) as live:
        container.start(live.url, RECORD_MODE=mode, TTL_DAYS="2")
        container.has_recorded(1)
        assert container.job["status"] == "RECORDING"
        live.shown, live.ended = 6, True
        assert container.ended() == 0, container.said
    found = container.judge(tmp_path / "judge")
    assert found["video"] == 6 * FRAMES
    assert found["audio"] >= 6 * 43
    job, item = container.job, container.deployed.status(container.bucket, KEY)
    assert (job["status"], job["key"], job["recordMode"]) == ("COMPLETED", KEY, mode)
    assert job["url"].endswith("/master.m3u8?***")
    assert "leaseExpiresAt" not in job
    assert job["expiresAt"] > 0
    assert job["infoHashV1"] == item["infoHashV1"]
    assert job["magnet"] == item["magnet"]
    assert item["leaseOwner"] == job["leaseOwner"]
    assert item["bytesRead"] == 0
    until(lambda: function_found_it_done(container), "the function sees that the work is done")
    assert [event["event"] for event in container.events] == ["completed"]
    assert "secret" not in container.said
    assert container.outfile.exists() == (mode == "file")


def function_found_it_done(container: Container) -> bool:
    name = json.dumps(f"s3://{container.bucket}/{KEY}")
    lines = [line for line in container.deployed.stack.log.splitlines() if name in line]
    return any('"reason": "done before"' in line for line in lines)


@MODES
def test_sigterm_in_the_middle_leaves_a_film_with_its_torrent(
    container: Container, streams: Streams, tmp_path: Path, mode: str
) -> None:
    """The stream stands still as it comes, so ffmpeg waits for the network. A second signal changes nothing."""
    with Broadcast(streams.film, shown=3) as live:
        container.start(live.url, RECORD_MODE=mode)
        container.has_recorded(10_000)
        recorder = container.recorder
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            container.process.send_signal(number)
        assert container.ended() == 0, container.said
    found = container.judge(tmp_path / "judge")
    assert 2 * FRAMES <= found["video"] <= 3 * FRAMES
    assert found["audio"] > 43
    assert container.job["status"] == "COMPLETED"
    assert {"event": "stopping", "signal": "SIGTERM"} in container.events
    assert members(recorder) == []


@MODES
def test_a_source_that_goes_away_leaves_what_came(
    container: Container, streams: Streams, tmp_path: Path, mode: str
) -> None:
    """COMPLETED, and the reason tells of it."""
    with Broadcast(streams.film, shown=3) as live:
        container.start(live.url, RECORD_MODE=mode)
        container.has_recorded(10_000)
    assert container.ended() == 0, container.said
    assert container.judge(tmp_path / "judge")["video"] == 3 * FRAMES
    assert container.job["status"] == "COMPLETED"
    assert container.job["reason"].startswith("the source had errors, the last: ")
