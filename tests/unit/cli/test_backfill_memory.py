"""A backfill of a million objects, by the command itself in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 1_000_000
MIB = 1 << 20

PROGRAM = """
    import sys
    from datetime import UTC, datetime

    import boto3
    from s3torrent.cli import backfill as module
    from s3torrent.cli.main import main
    from s3torrent.types import ObjectRef, ObjectVersion

    NOW = datetime(2026, 11, 24, tzinfo=UTC)
    COUNT = int(sys.argv[1])

    class Lister:
        '''Objects as a listing has them: every third has its torrent beside it.'''

        def list_objects(self, bucket, prefix, *, after=""):
            for number in range(COUNT):
                for key in (f"shows/{number:09}.mkv", f"shows/{number:09}.mkv.torrent")[: 2 if number % 3 == 0 else 1]:
                    yield ObjectVersion(ObjectRef(bucket, key), None, f"{number:032x}", 1000, NOW)

    class Queue:
        sent = 0

        def send(self, refs):
            Queue.sent += len(refs)

    boto3.client("s3", region_name="us-east-1"), boto3.client("sqs", region_name="us-east-1")
    module.s3_store = lambda clients: Lister()
    module.queue_of = lambda clients, url: Queue()
    try:
        main(["backfill", "s3://bucket/", "--queue", "url", "--json", "--resume", sys.argv[2]])
    finally:
        # Of this program alone: ru_maxrss knows what the process held that started it.
        peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
        print(Queue.sent, peak, file=sys.stderr)
"""


def test_memory_does_not_grow_with_the_listing(tmp_path: Path) -> None:
    """A million keys in less than 150 MiB, of which the AWS clients are the most."""
    marker = tmp_path / "marker"
    done = subprocess.run(
        [sys.executable, "-c", dedent(PROGRAM), str(COUNT), str(marker)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    sent, kibibytes = map(int, done.stderr.split())
    assert (told["objects"], told["done"], told["wanted"]) == (COUNT, COUNT // 3 + 1, sent)
    assert json.loads(marker.read_text())["after"] >= f"shows/{COUNT - 3:09}.mkv"
    assert kibibytes * 1024 < 150 * MIB, f"{kibibytes / 1024:.0f} MiB"
