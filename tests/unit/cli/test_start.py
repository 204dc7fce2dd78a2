"""What a start of the program loads: nobody waits for what his command does not use."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from s3torrent.cli.main import SUMMARIES, cli

HEAVY = {"boto3", "botocore", "rich", "ministack", "s3torrent.wiring", "s3torrent.pipeline.make"}
AWS = {"boto3", "botocore", "rich"}


def loaded(*arguments: str) -> set[str]:
    """The modules that the command has loaded when it ends."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sys.modules, sep='\\n', file=sys.stderr))\n"
        "from s3torrent.cli.main import main\n"
        f"main({list(arguments)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_no_command(arguments: list[str]) -> None:
    assert not loaded(*arguments) & HEAVY


def test_local_work_loads_no_client(tmp_path) -> None:
    source, torrent = tmp_path / "film.mkv", tmp_path / "film.torrent"
    source.write_bytes(b"x" * 100_000)
    assert not loaded("create", str(source), "-o", str(torrent)) & AWS
    assert not loaded("verify", str(torrent), str(source)) & AWS
    assert not loaded("magnet", str(torrent)) & AWS


@pytest.mark.parametrize("name", SUMMARIES)
def test_each_command_of_the_help_is_there(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"Usage: cli {name}")
