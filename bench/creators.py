"""The programs that make a torrent of local content, each as one command with equal settings."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peers import PROGRAM_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

TORF = """
import sys, torf
content, torrent, piece_length, threads = sys.argv[1:]
made = torf.Torrent(path=content, piece_size=int(piece_length))
made.generate(threads=int(threads))
made.write(torrent)
"""
LIBTORRENT = """
import os, sys, libtorrent
content, torrent, piece_length, version = sys.argv[1:]
flags = {"v1": libtorrent.create_torrent.v1_only, "v2": libtorrent.create_torrent.v2_only}.get(version, 0)
made = libtorrent.create_torrent(libtorrent.list_files(content), int(piece_length), flags)
libtorrent.set_piece_hashes(made, os.path.dirname(content))
with open(torrent, "wb") as out:
    out.write(libtorrent.bencode(made.generate()))
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run took: seconds on the wall, seconds of all cores together, and its peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Creator:
    """One way; ``limit`` is the seconds after which nobody waits for it any more."""

    name: str
    command: tuple[str | Path, ...]
    environment: Mapping[str, str] | None = None
    limit: float = PROGRAM_SECONDS

    def spend(self, torrent: Path) -> Spent | None:
        """None where the limit came first."""
        torrent.unlink(missing_ok=True)
        started = time.perf_counter()
        process = subprocess.Popen(
            [*map(str, self.command)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(self.environment or {})},
        )
        _, status, used = _wait(process, started + self.limit)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == -signal.SIGKILL:
            return None
        if process.returncode or not torrent.stat().st_size:
            raise RuntimeError(f"{self.name} ended with status {process.returncode}")
        return Spent(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _wait(process: subprocess.Popen[bytes], deadline: float) -> tuple[int, int, object]:
    """``wait4``; killed at the deadline, which is looked at seldom enough to cost nothing."""
    handle = os.pidfd_open(process.pid)
    try:
        ready, _, _ = select.select([handle], [], [], max(deadline - time.perf_counter(), 0))
        if not ready:
            process.kill()
        return os.wait4(process.pid, 0)
    finally:
        os.close(handle)


def ours(content: Path, torrent: Path, piece_length: int, version: str, kernel: str | None = None) -> Creator:
    """``kernel`` forces one."""
    command = (
        Path(sys.executable).with_name("s3torrent"),
        *("create", content, "-o", torrent),
        *("--piece-length", str(piece_length), "--torrent-version", version),
    )
    name = "s3torrent create" + (f" ({kernel})" if kernel else "")
    return Creator(name, command, {"S3TORRENT_KERNEL": kernel} if kernel else None)


def peers(
    content: Path, torrent: Path, piece_length: int, version: str, slow_limit: float = PROGRAM_SECONDS
) -> list[Creator]:
    """Those that are installed and write that version."""
    found: list[Creator] = []
    power = str(piece_length.bit_length() - 1)
    if version == "v1":
        kib = str(piece_length // 1024)
        found.append(
            Creator("transmission-create", ("transmission-create", "-s", kib, "-o", torrent, content))
        )
        found += [
            Creator(
                f"mktorrent -t{threads}", ("mktorrent", f"-t{threads}", "-l", power, "-o", torrent, content)
            )
            for threads in (1, 2)
        ]
        arguments = (content, torrent, str(piece_length))
        found += [
            Creator(
                f"torf threads={threads}",
                (sys.executable, "-c", TORF, *arguments, str(threads)),
                limit=slow_limit,
            )
            for threads in (1, 2)
            if importlib.util.find_spec("torf")
        ]
        options = ("-o", torrent, "--pieceLength", str(piece_length))
        found.append(Creator("create-torrent", ("create-torrent", content, *options), limit=slow_limit))
    meta = {"v1": "1", "v2": "2", "hybrid": "3"}[version]
    command: tuple[str | Path, ...] = ("torrentfile", "create", "--prog", "0", "--meta-version", meta)
    command = (*command, "--piece-length", power, "-o", torrent, content)
    found.append(Creator("torrentfile", command, limit=slow_limit))
    if importlib.util.find_spec("libtorrent"):
        command = (sys.executable, "-c", LIBTORRENT, content, torrent, str(piece_length), version)
        found.append(Creator("libtorrent", command))
    return [creator for creator in found if shutil.which(creator.command[0])]
