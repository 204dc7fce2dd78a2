"""A bucket that is already full, through the function's queue and on this machine; killed, and gone on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.meddling_proxy import MeddlingProxy
from support.ministack import ENVIRONMENT
from support.waiting import until

if TYPE_CHECKING:
    from support.deployed import Deployed
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

COUNT = 45
HARD = "x/a b+c & é%25 \u202e.bin"


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("s3torrent")), "backfill", *arguments]


def environment(endpoint: str, **more: str) -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint, **more}


def run(endpoint: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environment(endpoint, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def full(ministack: MiniStack, bucket: str) -> str:
    """45 objects of 1,000 to 1,044 bytes, one of them with a hard key; and what is none of ours."""
    client = ministack.client("s3")
    keys = [*(f"x/{number:03}.bin" for number in range(COUNT - 1)), HARD]
    for number, key in enumerate(keys):
        client.put_object(Bucket=bucket, Key=key, Body=bytes(1000 + number))
    for key in ("x/folder/", "y/other.bin", ".s3torrent/checkpoints/1"):
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    return bucket


def torrents(ministack: MiniStack, bucket: str) -> set[str]:
    listed = ministack.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    return {one["Key"] for one in listed if one["Key"].endswith(".torrent")}


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
    """The keys that are in it."""
    found: Counter[str] = Counter()
    client = ministack.client("sqs")
    while batch := client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        found += Counter(json.loads(one["Body"])["key"] for one in batch)
    return found


def test_killed_and_gone_on_no_page_is_sent_more_than_twice(
    ministack: MiniStack, bucket: str, own_queue: str, tmp_path: Path
) -> None:
    """2,500 objects, and a SIGKILL after some requests, twice: each is in the queue, few are so twice."""
    client, count = ministack.client("s3"), 2500
    for number in range(count):
        client.put_object(Bucket=bucket, Key=f"{number:05}", Body=b"x")
    arguments = [f"s3://{bucket}/", "--queue", own_queue, "--resume", str(tmp_path / "marker")]
    for kill_at in (120, 90):
        with Killing(ministack.endpoint, kill_at) as proxy:
            process = subprocess.Popen(command(*arguments), env=environment(proxy.endpoint))
            proxy.process = process
            process.wait(60)
        assert process.returncode == -signal.SIGKILL
    assert run(ministack.endpoint, *arguments).returncode == 0
    found = messages(ministack, own_queue)
    assert set(found) == {f"{number:05}" for number in range(count)}
    assert max(found.values()) <= 3
    assert sum(found.values()) <= count + 2 * 1000
    assert run(ministack.endpoint, *arguments).returncode == 0
    assert not messages(ministack, own_queue)


class Killing(MeddlingProxy):
    """Kills its client at a request to SQS."""

    process: subprocess.Popen[bytes]

    def __init__(self, upstream: str, number: int) -> None:
        super().__init__(upstream)
        self._left = number

    def came(self, method: str, path: str) -> None:
        with self._lock:
            self._left -= method == "POST"
            if not self._left:
                self.process.kill()


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
        (["s3://b/"], "expected one of --dry-run, --queue and --inline"),
        (["s3://b/", "--dry-run", "--inline"], "expected one of"),
        (["b", "--dry-run"], "is no place in S3"),
        (["s3://b/", "--dry-run", "--min-size", "much"], "is no size"),
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
