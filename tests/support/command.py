"""The command line as a user runs it: the console script, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s3torrent.cli.main import main
from support.ministack import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

PROGRAM = Path(sys.executable).with_name("s3torrent")
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    stdout: bytes
    stderr: str


def s3torrent(
    *arguments: str | Path,
    endpoint: str | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> Done:
    """Run ``s3torrent ARGUMENTS``, S3 being at ``endpoint``; of our own environment it sees PATH alone."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **ENVIRONMENT,
        **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}),
        **(env or {}),
    }
    done = subprocess.run(
        [PROGRAM, *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment,
        timeout=SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr.decode())


def in_process(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str | Path) -> Done:
    """The same without a process of its own, a hundred times as quick; for tables of arguments."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = ended.code
    written = capfdbinary.readouterr()
    return Done(int(code or 0), written.out, written.err.decode())
