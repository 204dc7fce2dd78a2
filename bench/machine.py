"""What was measured on, with what."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("s3torrent", "boto3", "ministack", "awslambdaric", "torf", "libtorrent")


def description() -> list[str]:
    """Lines of Markdown."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    return [
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {load:.1f} before the start",
        f"- {_processor()}, {cores} cores, {_memory() >> 30} GiB of memory, Linux {platform.release()}",
        f"- Python {platform.python_version()}, {packages}",
        f"- {_first_line('transmission-create', '--version')}; {_first_line('mktorrent', '-h')}",
    ]


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _first_line(program: str, *arguments: str) -> str:
    if not shutil.which(program):
        return f"{program} not installed"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout + done.stderr).strip().split("\n")[0]
