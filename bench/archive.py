"""The Lambda zip: its size, and what a cold start pays for it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from row import Row
from s3torrent.devstack.package import build_zip
from scratch import scratch
from timing import interleaved, wall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MB = 1_000_000
REPETITIONS = 15
OURS = """
import s3torrent.lambda_handler as handler, os
assert os.path.dirname(handler.__file__) == os.path.join(os.getcwd(), "s3torrent"), handler.__file__
handler.function()
"""
PEER = "import boto3; boto3.client('s3'); boto3.client('dynamodb')"
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "DDB_TABLE": "bench",
    "PYTHONDONTWRITEBYTECODE": "1",  # as in Lambda: the zip holds source, and its folder is read-only
}


def measure(_large: int) -> Iterator[Row]:
    with scratch(0) as folder:
        archive = build_zip(folder / "function.zip")
        yield Row.of_limit("zip: size", archive.stat().st_size / MB, 3, "MB")
        code = folder / "code"
        with zipfile.ZipFile(archive) as unpacked:
            unpacked.extractall(code)
        times = interleaved(
            REPETITIONS,
            {
                "ours": lambda: wall(lambda: _python(OURS, code)),
                "peer": lambda: wall(lambda: _python(PEER, folder)),
            },
        )
    name = "zip: start Python, import the handler, build its clients"
    yield Row.of_times(name, times["ours"], "import boto3, s3 and dynamodb clients", times["peer"], 1.5)


def _python(code: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=ENVIRONMENT, timeout=60, check=True)
