"""``put`` beside uploading and reading again, and how fast ``record`` takes what a pipe gives."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from peers import PROGRAM_SECONDS, require
from row import Row
from s3torrent.devstack.ministack import CREDENTIALS, REGION
from scratch import in_words, scratch, write_content
from sink import sink
from timing import Times, interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUCKET, TARGET = "bench", "TARGET"
REPETITIONS = 3
LARGER = 4
"""Times what the other measurements take: 4 GiB."""
PEAK_MIB = 200
LEAST_MB_PER_SECOND = 200
MB = 1_000_000
TWICE = "aws s3 cp, then transmission-create"


def measure(large: int) -> Iterator[Row]:
    size = LARGER * large
    with scratch(2 * size) as folder, sink() as endpoint:
        content = write_content(folder / "content", size)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
            "AWS_DEFAULT_REGION": REGION,
            "LANG": "C.UTF-8",
        }
        cpu: dict[str, Times] = {"put": Times(), "twice": Times()}
        peak: list[float] = []

        keys = (f"s3://{BUCKET}/content-{number}" for number in count())

        def spent(name: str, *commands: list[str | Path]) -> Callable[[], float]:
            def once() -> float:
                target = next(keys)  # a fresh one: put replaces nothing
                before, started = _cpu(), time.perf_counter()
                for command in commands:
                    used = _run([target if word == TARGET else word for word in command], environment)
                    if name == "put":
                        peak.append(used)
                seconds = time.perf_counter() - started
                cpu[name].append(_cpu() - before)
                (folder / "content.torrent").unlink(missing_ok=True)
                return seconds

            return once

        ways = {
            "put": spent("put", ["s3torrent", "put", content, TARGET]),
            "twice": spent(
                "twice",
                ["aws", "s3", "cp", "--only-show-errors", content, TARGET],
                [require("transmission-create"), "-o", folder / "content.torrent", content],
            ),
        }
        times = interleaved(REPETITIONS, ways)
        what = f"put {in_words(size)}"
        yield Row.of_times(f"{what}: time", times["put"], TWICE, times["twice"], None)
        yield Row.of_times(f"{what}: CPU time", cpu["put"], TWICE, cpu["twice"], None)
        yield Row.of_limit(f"{what}: peak memory", max(peak), PEAK_MIB, "MiB")
        rates = [size / MB / _record(content, next(keys), environment) for _ in range(REPETITIONS)]
        yield Row.at_least(
            f"record {in_words(size)} from a pipe",
            sorted(rates)[len(rates) // 2],
            LEAST_MB_PER_SECOND,
            "MB/s",
        )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(command: list[str | Path], environment: dict[str, str]) -> float:
    """Its peak memory, MiB."""
    process = subprocess.Popen([*map(str, command)], env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}")
    return used.ru_maxrss / 1024


def _record(content: Path, target: str, environment: dict[str, str]) -> float:
    """Seconds, start-up included; ``cat`` writes the pipe."""
    started = time.perf_counter()
    with subprocess.Popen(["cat", content], stdout=subprocess.PIPE) as feed:
        done = subprocess.run(
            ["s3torrent", "record", target],
            env=environment,
            stdin=feed.stdout,
            stdout=subprocess.DEVNULL,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"s3torrent record ended with status {done.returncode}")
    return time.perf_counter() - started
