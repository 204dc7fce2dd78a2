"""``s3torrent backfill`` as a process of its own, against MiniStack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.meddling_proxy import MeddlingProxy
from support.ministack import ENVIRONMENT

if TYPE_CHECKING:
    from support.ministack import MiniStack

COUNT = 45
HARD = "x/a b+c & é%25 \u202e.bin"


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("s3torrent")), "backfill", *arguments]


def environment(endpoint: str, **more: str) -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint, **more}


def run(
    endpoint: str, *arguments: str, given: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """``given`` on standard input; ``more`` in the environment."""
    return subprocess.run(
        command(*arguments),
        env=environment(endpoint, **more),
        input=given,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    return dict(json.loads(done.stdout))


def fill(ministack: MiniStack, bucket: str) -> None:
    """45 objects of 1,000 to 1,044 bytes, one of them with a hard key; and what is none of ours."""
    client = ministack.client("s3")
    keys = [*(f"x/{number:03}.bin" for number in range(COUNT - 1)), HARD]
    for number, key in enumerate(keys):
        client.put_object(Bucket=bucket, Key=key, Body=bytes(1000 + number))
    for key in ("x/folder/", "y/other.bin", ".s3torrent/checkpoints/1"):
        client.put_object(Bucket=bucket, Key=key, Body=b"")


def torrents(ministack: MiniStack, bucket: str) -> set[str]:
    listed = ministack.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    return {one["Key"] for one in listed if one["Key"].endswith(".torrent")}


class Killing(MeddlingProxy):
    """Kills its client at a POST, to SQS or DynamoDB: the ``number``-th."""

    process: subprocess.Popen[bytes]

    def __init__(self, upstream: str, number: int) -> None:
        super().__init__(upstream)
        self._left = number

    def came(self, method: str, path: str) -> None:
        with self._lock:
            self._left -= method == "POST"
            if not self._left:
                self.process.kill()


def killed_at(endpoint: str, number: int, *arguments: str, **more: str) -> int:
    """Runs until that request, and is killed; the exit code."""
    with Killing(endpoint, number) as proxy:
        process = subprocess.Popen(command(*arguments), env=environment(proxy.endpoint, **more))
        proxy.process = process
        return process.wait(240)
