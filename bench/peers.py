"""The way without s3torrent: download the object, run transmission-create on the file."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM_SECONDS = 300
DOWNLOAD_NAME = "boto3 download_file, then transmission-create"


def require(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        sys.exit(
            f"bench: {program} is not installed; the comparison needs it (apt-get install transmission-cli)"
        )
    return path


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: {done.stderr.strip()}")


def download_then_create(s3: Any, bucket: str, key: str, folder: Path, upload_to: str | None = None) -> float:
    """Seconds; with ``upload_to`` (a bucket) the .torrent is uploaded, too. Cleaning up is not timed."""
    copy, torrent = folder / key, folder / f"{key}.torrent"
    started = time.perf_counter()
    s3.download_file(bucket, key, str(copy))
    run(require("transmission-create"), "-o", torrent, copy)
    if upload_to:
        s3.put_object(Bucket=upload_to, Key=torrent.name, Body=torrent.read_bytes())
    seconds = time.perf_counter() - started
    if not torrent.stat().st_size:
        raise RuntimeError("transmission-create left an empty file")
    copy.unlink()
    torrent.unlink()
    return seconds
