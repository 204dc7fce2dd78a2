"""A bucket that is already full, through the function's queue and on this machine; killed, and gone on."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from s3torrent.metainfo.parse import parse
from support.backfilling import COUNT, command, environment, fill, killed_at, run, told, torrents
from support.meddling_proxy import MeddlingProxy
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.deployed import Deployed
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

MANY = int(os.environ.get("S3TORRENT_TEST_BACKFILL_OBJECTS", "2500"))
"""Objects of the largest test, ten times those that are made: 20,000 take some minutes."""


@pytest.fixture
def full(ministack: MiniStack, bucket: str) -> str:
    fill(ministack, bucket)
    return bucket


class Counting(MeddlingProxy):
    """Every request to S3, by method."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.asked: Counter[str] = Counter()

    def came(self, method: str, path: str) -> None:
        with self._lock:
            self.asked[method] += path.startswith("/test-") and not path.startswith("/test-table")


def test_the_estimate_is_what_then_happens(ministack: MiniStack, full: str, table_name: str) -> None:
    """Objects and bytes exactly, requests within a fifth; afterwards all is done."""
    place = f"s3://{full}/x/"
    estimate = told(run(ministack.endpoint, place, "--dry-run", "--json"))
    assert (estimate["objects"], estimate["wanted"], estimate["leftOut"]) == (COUNT + 1, COUNT, 1)
    assert estimate["bytes"] == sum(1000 + number for number in range(COUNT))
    assert not torrents(ministack, full)
    with Counting(ministack.endpoint) as proxy:
        made = told(run(proxy.endpoint, place, "--inline", "--json", DDB_TABLE=table_name))
    assert (made["wanted"], made["failed"]) == (COUNT, 0)
    requests = sum(proxy.asked[method] for method in ("GET", "HEAD", "PUT")) - 1  # the listing
    assert requests * 0.8 <= estimate["requests"] <= requests * 1.2, proxy.asked
    assert len(torrents(ministack, full)) == COUNT
    again = told(run(ministack.endpoint, place, "--dry-run", "--json"))
    assert (again["done"], again["wanted"], again["dollars"]) == (COUNT, 0, 0)


def test_through_the_queue_each_gets_its_torrent(deployed: Deployed, ministack: MiniStack, full: str) -> None:
    queue = deployed.deployment.queue_url
    sent = told(run(ministack.endpoint, f"s3://{full}/x/", "--queue", queue, "--json"))
    assert sent["wanted"] == COUNT
    until(lambda: len(torrents(ministack, full)) == COUNT, "a torrent of each", seconds=120)


@pytest.fixture
def own_queue(ministack: MiniStack) -> str:
    """One that nobody takes from."""
    return str(ministack.client("sqs").create_queue(QueueName=f"own-{os.urandom(6).hex()}")["QueueUrl"])


def messages(ministack: MiniStack, queue: str) -> Counter[str]:
    """The keys that are in it, which is empty afterwards: what is only received comes back in 30 s."""
    found: Counter[str] = Counter()
    client = ministack.client("sqs")
    while batch := client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        found.update(json.loads(one["Body"])["key"] for one in batch)
        client.delete_message_batch(
            QueueUrl=queue,
            Entries=[
                {"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(batch)
            ],
        )
    return found


@pytest.mark.timeout(900)
def test_killed_and_gone_on_no_page_is_sent_more_than_twice(
    ministack: MiniStack, bucket: str, own_queue: str, tmp_path: Path
) -> None:
    """Many objects, and a SIGKILL after some requests, twice: each is in the queue, few are so twice."""
    client = ministack.client("s3")
    for number in range(MANY):
        client.put_object(Bucket=bucket, Key=f"{number:06}", Body=b"x")
    arguments = [f"s3://{bucket}/", "--queue", own_queue, "--resume", str(tmp_path / "marker")]
    for part in (0.48, 0.36):
        kill_at = int(MANY / 10 * part)
        assert killed_at(ministack.endpoint, kill_at, *arguments) == -signal.SIGKILL
    assert run(ministack.endpoint, *arguments).returncode == 0
    found = messages(ministack, own_queue)
    print(f"{MANY:,} objects, {found.total() - MANY:,} messages more")  # for -rP
    assert set(found) == {f"{number:06}" for number in range(MANY)}
    assert max(found.values()) <= 3
    assert sum(found.values()) <= MANY + 2 * 1000
    assert run(ministack.endpoint, *arguments).returncode == 0
    assert not messages(ministack, own_queue)


@pytest.mark.timeout(1800)
def test_killed_and_gone_on_each_object_has_one_right_torrent(
    deployed: Deployed, ministack: MiniStack, tmp_path: Path
) -> None:
    """Through the function's own queue, though some objects come twice: each torrent is written once."""
    client, count = ministack.client("s3"), MANY // 10
    bucket = deployed.bucket(versioned=True)
    bodies = {f"{number:06}": f"content {number}".encode() * 99 for number in range(count)}
    for key, body in bodies.items():
        client.put_object(Bucket=bucket, Key=key, Body=body)
    queue = deployed.deployment.queue_url
    arguments = [f"s3://{bucket}/", "--queue", queue, "--resume", str(tmp_path / "marker")]
    for part in (0.6, 0.4):
        assert killed_at(ministack.endpoint, int(count / 10 * part), *arguments) == -signal.SIGKILL
    assert run(ministack.endpoint, *arguments).returncode == 0
    pages = client.get_paginator("list_objects_v2")
    until(
        lambda: sum(page["KeyCount"] for page in pages.paginate(Bucket=bucket)) == 2 * count,
        "a torrent of each",
        seconds=30 + count / 2,
    )
    for key, body in bodies.items():
        metainfo = parse(deployed.torrent(bucket, key))
        assert (metainfo.name, metainfo.size) == (key, len(body))
        assert bytes(metainfo.pieces or b"") == hashlib.sha1(body, usedforsecurity=False).digest()
        assert len(deployed.writes_of_torrent(bucket, key)) == 1


def test_an_interrupted_one_writes_down_where_it_was(
    ministack: MiniStack, full: str, own_queue: str, tmp_path: Path
) -> None:
    """Slowed down to two objects a second, and stopped by Ctrl-C: nothing is sent twice afterwards."""
    arguments = [f"s3://{full}/x/", "--queue", own_queue, "--resume", str(tmp_path / "marker")]
    process = subprocess.Popen(command(*arguments, "--rate", "2"), env=environment(ministack.endpoint))
    size = {"QueueUrl": own_queue, "AttributeNames": ["ApproximateNumberOfMessages"]}
    sqs = ministack.client("sqs")
    until(
        lambda: int(sqs.get_queue_attributes(**size)["Attributes"]["ApproximateNumberOfMessages"]),
        "a message",
    )
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert run(ministack.endpoint, *arguments).returncode == 0
    assert set(messages(ministack, own_queue).values()) == {1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["s3://b/"], "expected one of --dry-run, --queue, --inline and --batch-manifest"),
        (["s3://b/", "--dry-run", "--inline"], "expected one of"),
        (["b", "--dry-run"], "is no place in S3"),
        (["s3://b/", "--dry-run", "--min-size", "much"], "is no size"),
        (["s3://b/", "--dry-run", "--keys", "-", "--inventory", "s3://b/m"], "were both given"),
        (
            ["s3://b/", "--dry-run", "--keys", "no-such-file"],
            "--keys no-such-file cannot be read: No such file",
        ),
        (["s3://b/", "--dry-run", "--inventory", "manifest.json"], "is no place in S3"),
        (["s3://b/", "--dry-run", "--batch-role", "x"], "without --batch-manifest"),
        (["s3://b/", "--batch-manifest", "f"], "needs --batch-function and --batch-role"),
    ],
)
def test_wrong_use(ministack: MiniStack, arguments: list[str], said: str) -> None:
    done = run(ministack.endpoint, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_is_not_there(ministack: MiniStack, full: str) -> None:
    assert "does not exist" in run(ministack.endpoint, "s3://no-such-bucket-here/", "--dry-run").stderr
    done = run(ministack.endpoint, f"s3://{full}/", "--queue", f"{ministack.endpoint}/000000000000/none")
    assert done.returncode == 4
    assert "sqs:SendMessage" in done.stderr
