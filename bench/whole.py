"""A torrent of an object, the whole process: ``s3torrent create s3://...`` beside the ways in two steps."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import fileserver
from peers import PROGRAM_SECONDS, require
from row import Row
from s3torrent.devstack.ministack import CREDENTIALS, REGION, MiniStack
from s3torrent.wiring import Clients
from scratch import in_words, scratch, write_content
from timing import interleaved, wall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUCKET, KEY = "bench", "object.bin"
REPETITIONS = 5
TIMES_LARGER = 4
LATENCY_SECONDS = 0.05
PEAK_MIB = 200
HERE, BIN = Path(__file__).parent, Path(sys.executable).parent
AWS_AND_TRANSMISSION, CURL_AND_MKTORRENT = "aws s3 cp, then transmission-create", "curl, then mktorrent -t2"
AT_MOST = {AWS_AND_TRANSMISSION: 1 / 5, CURL_AND_MKTORRENT: 1 / 3.5}
LATENCY_AT_MOST = 1 / 0.9
MKTORRENT_POWER = 22  # 4 MiB


def measure(large: int) -> Iterator[Row]:
    """Over nginx alone: an S3 that is short of CPU time would be what is measured."""
    if not fileserver.installed():
        sys.stderr.write("  nginx is not installed: left out\n")
        return
    with scratch(4 * TIMES_LARGER * large) as folder, contextlib.ExitStack() as cleanup:
        content = write_content(folder / "content", TIMES_LARGER * large)
        stack = cleanup.enter_context(MiniStack(0))
        clients = Clients(stack.endpoint, REGION, CREDENTIALS)
        cleanup.callback(clients.close)
        clients.client("s3").create_bucket(Bucket=BUCKET)
        for tls in (False, True):
            files = folder / ("tls" if tls else "plain")
            server = fileserver.nginx(content, BUCKET, KEY, stack.endpoint, files, tls=tls)
            yield from _beside(cleanup.enter_context(server), folder, content.stat().st_size, files, tls=tls)


def _beside(endpoint: str, folder: Path, size: int, files: Path, *, tls: bool) -> Iterator[Row]:
    url, copy, torrent = f"{endpoint}/{BUCKET}/{KEY}", folder / "copy", folder / "out.torrent"
    certificate = files / fileserver.CERTIFICATE
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **({"AWS_CA_BUNDLE": str(certificate)} if tls else {}),
    }

    def run(*command: str | Path) -> None:
        subprocess.run(
            [*map(str, command)], env=environment, check=True, capture_output=True, timeout=PROGRAM_SECONDS
        )

    def timed(*commands: tuple[str | Path, ...]) -> Callable[[], float]:
        def way() -> float:
            seconds = wall(lambda: [run(*command) for command in commands])
            assert torrent.stat().st_size
            copy.unlink(missing_ok=True)
            torrent.unlink()
            return seconds

        return way

    create = ("create", f"s3://{BUCKET}/{KEY}", "-o", torrent)
    curl = ("curl", "-s", "-f", *(("--cacert", certificate) if tls else ()), "-o", copy, url)
    ways = {
        "ours": timed((BIN / "s3torrent", *create)),
        "ours, far away": timed((sys.executable, HERE / "delayed.py", str(LATENCY_SECONDS), *create)),
        AWS_AND_TRANSMISSION: timed(
            (BIN / "aws", "s3", "cp", "--quiet", f"s3://{BUCKET}/{KEY}", copy),
            (require("transmission-create"), "-o", torrent, copy),
        ),
        CURL_AND_MKTORRENT: timed(
            curl, (require("mktorrent"), "-t2", "-l", str(MKTORRENT_POWER), "-o", torrent, copy)
        ),
    }
    times = interleaved(REPETITIONS, ways)
    what = f"object {in_words(size)} from nginx{' over TLS' if tls else ''}"
    for peer, most in AT_MOST.items():
        yield Row.of_times(what, times["ours"], peer, times[peer], None if tls else most)
    if not tls:
        yield Row.of_times(
            f"{what}, {LATENCY_SECONDS * 1000:.0f} ms more a request",
            times["ours, far away"],
            "without",
            times["ours"],
            LATENCY_AT_MOST,
        )
        yield Row.of_limit(f"{what}: peak memory (ru_maxrss)", _peak(environment, create), PEAK_MIB, "MiB")
        torrent.unlink()


def _peak(environment: dict[str, str], create: tuple[str | Path, ...]) -> float:
    """MiB of one more run: of all children only one that waits for this alone knows which it was."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=-3, stderr=-3);"
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", code, str(BIN / "s3torrent"), *map(str, create)]
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=PROGRAM_SECONDS
    )
    return int(done.stdout) / 1024
