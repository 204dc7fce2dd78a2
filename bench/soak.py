"""``make soak``: thousands of small objects through the queue and the deployed function, several at once.

    soak.py [--objects 3000] [--at-once 4]

On the embedded stack, in a bucket with versions. A tenth of the objects is replaced while the function is at
work, a tenth of the events delivered twice. Reported, and judged: nothing lost (every object COMPLETED, its
torrent that of its bytes), nothing twice (at most one torrent for each version uploaded), no dead letter, the
memory of the function's processes flat. Exit status 1 where that is not so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import md5, sha1
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from row import Row, table
from s3torrent.devstack.deploy import Deployment, Names, deploy
from s3torrent.devstack.ministack import CREDENTIALS, REGION, MiniStack
from s3torrent.devstack.package import build_zip
from s3torrent.devstack.session import terminated_like_interrupted
from s3torrent.metainfo.parse import parse
from s3torrent.wiring import Clients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KIB = 1 << 10
SMALLEST, LARGEST = 1 * KIB, 96 * KIB
ONE_IN = 10
"""Of the objects is replaced; of the events comes twice."""
FUNCTION_SECONDS = 10
"""The function's timeout; a record that failed comes back after six times that."""
BATCH, UPLOADERS = 10, 3
LIMIT_SECONDS = 1500
SAMPLE_SECONDS = 1.0
FLAT, LEAST_SAMPLES = 1.10, 60
"""Most that the last quarter's memory may be of the first's; a run of fewer samples is not judged."""
SERVER, WORKER = "s3torrent.devstack.server", "ministack-lambda"
"""What the command lines of MiniStack and of a function's process name."""


@dataclass
class Soak:
    stack: MiniStack
    clients: Clients
    deployment: Deployment
    bodies: dict[str, bytes] = field(default_factory=dict)
    uploads: Counter[str] = field(default_factory=Counter)

    @property
    def bucket(self) -> str:
        return self.deployment.names.bucket

    def upload(self, number: int) -> None:
        """One object; perhaps its event once more, perhaps another in its place."""
        dice = random.Random(number)
        key = f"soak/{number % 37}/object {number}.bin"
        for _ in range(2 if dice.randrange(ONE_IN) == 0 else 1):
            self.bodies[key] = dice.randbytes(dice.randrange(SMALLEST, LARGEST))
            self.uploads[key] += 1
            s3 = self.clients.client("s3")
            s3.put_object(Bucket=self.bucket, Key=key, Body=self.bodies[key])
            time.sleep(dice.uniform(0, 0.05))
        if dice.randrange(ONE_IN) == 0:
            self._again(key)

    def _again(self, key: str) -> None:
        entity = {"bucket": {"name": self.bucket}, "object": {"key": quote_plus(key)}}
        event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": entity}]}
        self.clients.client("sqs").send_message(
            QueueUrl=self.deployment.queue_url, MessageBody=json.dumps(event)
        )

    def left(self, queue_url: str) -> int:
        """Messages in a queue, waiting or out."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.clients.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def items(self) -> dict[str, dict[str, Any]]:
        pages = self.clients.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.deployment.names.table, ConsistentRead=True)
        return {item["key"]["S"]: item for page in found for item in page["Items"] if "key" in item}

    def torrents(self) -> Counter[str]:
        """How many versions each object's torrent has."""
        pages = self.clients.client("s3").get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        found = (one["Key"] for page in pages for one in page.get("Versions", []))
        return Counter(key.removesuffix(".torrent") for key in found if key.endswith(".torrent"))

    def is_right(self, key: str) -> bool:
        s3 = self.clients.client("s3")
        try:
            metainfo = parse(s3.get_object(Bucket=self.bucket, Key=f"{key}.torrent")["Body"].read())
        except s3.exceptions.NoSuchKey:
            return False
        body, length = self.bodies[key], metainfo.piece_length
        pieces = b"".join(sha1(body[at : at + length]).digest() for at in range(0, len(body), length))
        return metainfo.pieces == pieces


class Memory(threading.Thread):
    """Resident memory in MiB of the function's processes (mean) and of the server, sampled until stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._group, self._done = _group_of_server(), threading.Event()
        self.workers: list[float] = []
        self.server: list[float] = []
        self.most_workers = 0

    def run(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            found = list(_resident(self._group))
            workers = [mib for command, mib in found if WORKER in command]
            self.most_workers = max(self.most_workers, len(workers))
            if workers:
                self.workers.append(statistics.mean(workers))
            self.server += [mib for command, mib in found if WORKER not in command][:1]

    def stop(self) -> None:
        self._done.set()
        self.join()


def _group_of_server() -> int:
    """MiniStack is our child, and leads the group of all that it starts."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and SERVER in (folder / "cmdline").read_text():
                return int(folder.name)
    raise LookupError(f"no child process {SERVER}")


def _resident(group: int) -> Iterator[tuple[str, float]]:
    """Command line and MiB of each process of a process group."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(stat[2]) == group:
                command = (folder / "cmdline").read_text().replace("\0", " ")
                yield command, int(stat[21]) * 4 / KIB


def quarters(samples: list[float]) -> tuple[float, float]:
    """Medians of the first and the last quarter; without the first tenth, while processes start."""
    settled = samples[len(samples) // 10 :]
    quarter = max(1, len(settled) // 4)
    return statistics.median(settled[:quarter]), statistics.median(settled[-quarter:])


@contextlib.contextmanager
def soaking(at_once: int) -> Iterator[Soak]:
    with contextlib.ExitStack() as cleanup:
        stack = cleanup.enter_context(MiniStack(0))
        clients = Clients(stack.endpoint, REGION, CREDENTIALS, connections=UPLOADERS + 2)
        cleanup.callback(clients.close)
        archive = build_zip(stack.folder / "s3torrent-lambda.zip")
        deployment = deploy(
            clients,
            Names(),
            archive,
            environment={"AWS_ENDPOINT_URL": stack.endpoint, "TORRENT_LEASE_SECONDS": "5"},
            versioned=True,
            timeout=FUNCTION_SECONDS,
            batch_size=BATCH,
            concurrency=at_once,
        )
        yield Soak(stack, clients, deployment)


def measure(objects: int, at_once: int) -> Iterator[Row]:
    with soaking(at_once) as soak:
        memory = Memory()
        memory.start()
        started = time.monotonic()
        with ThreadPoolExecutor(UPLOADERS) as pool:
            for _ in pool.map(soak.upload, range(objects)):
                soak.stack.check()
        uploaded = time.monotonic() - started
        _wait(lambda: soak.left(soak.deployment.queue_url) == 0, started, soak)
        seconds = time.monotonic() - started
        memory.stop()
        yield from _judged(soak, memory, seconds, uploaded)


def _wait(done: Callable[[], bool], started: float, soak: Soak) -> None:
    """Until the queue stays empty for two looks, since a record is in neither count as it changes hands."""
    seen = 0
    while seen < 2:
        soak.stack.check()
        seen = seen + 1 if done() else 0
        if time.monotonic() - started > LIMIT_SECONDS:
            sys.stderr.write(f"not at rest after {LIMIT_SECONDS} s\n{soak.stack.log[-3000:]}\n")
            return
        time.sleep(SAMPLE_SECONDS)


def _judged(soak: Soak, memory: Memory, seconds: float, uploaded: float) -> Iterator[Row]:
    items, torrents, keys = soak.items(), soak.torrents(), list(soak.bodies)
    completed = [
        key
        for key in keys
        if items.get(key, {}).get("status", {}).get("S") == "COMPLETED"
        and items[key]["etag"]["S"] == md5(soak.bodies[key], usedforsecurity=False).hexdigest()
    ]
    with ThreadPoolExecutor(UPLOADERS) as pool:
        right = sum(pool.map(soak.is_right, keys))
    more = sum(1 for key in keys if torrents[key] > soak.uploads[key])
    superseded = sum(1 for count in soak.uploads.values() if count > 1)
    log = soak.stack.log
    name = f"soak, {len(keys):,} objects, {superseded:,} of them replaced"
    yield Row(
        f"{name}: throughput",
        f"{len(keys) / seconds:.1f} objects/s ({seconds:.0f} s, uploading {uploaded:.0f} s)",
        "", "", "", None,
    )  # fmt: skip
    yield _exactly("COMPLETED, of the bytes that lie there", len(completed), len(keys))
    yield _exactly("with the right torrent", right, len(keys))
    yield _exactly("with more torrents than uploads", more, 0)
    yield _exactly("dead letters", soak.left(soak.deployment.dead_letter_queue_url), 0)
    yield _exactly("messages left", soak.left(soak.deployment.queue_url), 0)
    failed = log.count('"event": "record failed"')
    yield Row("records that failed and came back", f"{failed:,}", "", "", "", None)
    first, last = quarters(memory.workers)
    yield Row(
        f"memory of the {memory.most_workers} processes of the function, mean",
        f"{last:.1f} MiB (last quarter)", f"{first:.1f} MiB (first)", f"{last / first:.2f}",
        f"at most {FLAT:g}", last / first <= FLAT if len(memory.workers) >= LEAST_SAMPLES else None,
    )  # fmt: skip
    first, last = quarters(memory.server)
    yield Row("memory of MiniStack, which keeps it all", f"{last:.0f} MiB", f"{first:.0f} MiB", "", "", None)


def _exactly(name: str, found: int, expected: int) -> Row:
    return Row(name, f"{found:,}", "", "", f"{expected:,}", found == expected)


def main() -> int:
    parser = argparse.ArgumentParser(description="Thousands of small objects through queue and function.")
    parser.add_argument("--objects", type=int, default=3000)
    parser.add_argument("--at-once", type=int, default=4, help="invocations, at least 2")
    options = parser.parse_args()
    with terminated_like_interrupted():
        rows = list(measure(options.objects, options.at_once))
    print(table(rows), end="")
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
