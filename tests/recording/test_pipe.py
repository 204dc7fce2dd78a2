"""What docs/recording.md shows of a pipe, run as it stands."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recording.broadcast import Broadcast
from s3torrent.devstack.recheck import recheck
from support.command import PROGRAM
from support.ministack import ENVIRONMENT

if TYPE_CHECKING:
    from recording.broadcast import Streams
    from support.deployed import Deployed

pytestmark = pytest.mark.stack

PAGE = Path(__file__).resolve().parents[2] / "docs/recording.md"


@pytest.mark.parametrize("whole", [True, False])
def test_the_pipe_of_the_docs(deployed: Deployed, streams: Streams, tmp_path: Path, whole: bool) -> None:
    """The recording and its torrent; and the exit code tells of a sender that failed."""
    bucket = deployed.bucket(versioned=False)
    (block,) = re.findall(r"```sh\n(set -o pipefail\n.*?)```", PAGE.read_text(), re.DOTALL)
    with Broadcast(streams.film, shown=6) as live:
        live.ended = True
        url = live.url if whole else "http://127.0.0.1:1/gone.m3u8"
        script = block.replace("https://live.example.org/stream.m3u8", shlex.quote(url))
        done = subprocess.run(
            ["bash", "-ec", script.replace("s3://bucket/", f"s3://{bucket}/")],
            env={
                **ENVIRONMENT,
                "PATH": f"{PROGRAM.parent}:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "AWS_ENDPOINT_URL": deployed.stack.endpoint,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
    if not whole:
        assert done.returncode != 0
        assert deployed.keys(bucket) == set()
        return
    assert done.returncode == 0, done.stderr
    body = deployed.client("s3").get_object(Bucket=bucket, Key="live/today.ts")["Body"].read()
    (tmp_path / "today.ts").write_bytes(body)
    assert recheck(deployed.torrent(bucket, "live/today.ts"), tmp_path) == 1
    probe = [
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "format=duration",
        "-of",
        "csv=p=0",
        tmp_path / "today.ts",
    ]
    assert float(subprocess.run(probe, capture_output=True, check=True, timeout=60).stdout) > 5
