"""An object larger than one run may read, through the real state machine and the packaged function."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from s3torrent.engine.cut import cut
from s3torrent.engine.native import NativeEngine
from s3torrent.hashing.layout import Layout
from s3torrent.metainfo.piece_length import choose
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef
from support.deployed import Deployed, deployed_on, fresh
from support.machine import arn_of, definition, ended, make_machine
from support.meddling_proxy import MeddlingProxy
from support.uploading import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.ministack import MiniStack

pytestmark = pytest.mark.stack

MIB = 1 << 20
SIZE = int(os.environ.get("S3TORRENT_TEST_FANOUT_BYTES", 300 * MIB + 777))
"""``S3TORRENT_TEST_FANOUT_BYTES=2147483648`` for 16 slices; here there are three."""
PART = 64 * MIB
THREADS, AT_ONCE = 2, 4
KEY = "films/é+ü & 100%.mkv"


class Watching(MeddlingProxy):
    """Between the function and S3: counts the GETs of the object, and does something before one of them."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.gets = 0
        self.does: dict[int, Callable[[], object]] = {}

    def came(self, method: str, path: str) -> None:
        with self._lock:
            if method == "GET" and path.endswith(KEY):
                self.gets += 1
                self.does.pop(self.gets, lambda: None)()


@pytest.fixture(scope="module")
def proxy(ministack: MiniStack) -> Iterator[Watching]:
    with Watching(ministack.endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def spread(ministack: MiniStack, proxy: Watching) -> Iterator[Deployed]:
    name = fresh("fanout")
    made = deployed_on(
        ministack,
        S3_BUCKET="",
        AWS_ENDPOINT_URL=proxy.endpoint,
        TORRENT_FANOUT_STATE_MACHINE=arn_of(name),
        TORRENT_FANOUT_THRESHOLD="64MiB",
        TORRENT_CHECKPOINT_SECONDS="0",
        TORRENT_THREADS=str(THREADS),
    )
    make_machine(ministack, name, definition(made.deployment.function_arn, AT_ONCE, retry_seconds=1))
    yield made
    ministack.client("stepfunctions").delete_state_machine(stateMachineArn=arn_of(name))


def machine_of(spread: Deployed) -> str:
    found = spread.client("lambda").get_function_configuration(FunctionName=spread.function)
    return str(found["Environment"]["Variables"]["TORRENT_FANOUT_STATE_MACHINE"])


def upload(spread: Deployed, bucket: str) -> None:
    client = spread.client("s3")
    begun = client.create_multipart_upload(Bucket=bucket, Key=KEY)["UploadId"]
    parts = []
    for number, start in enumerate(range(0, SIZE, PART), 1):
        body = (number.to_bytes(4) * (PART // 4))[: min(PART, SIZE - start)]
        etag = client.upload_part(Bucket=bucket, Key=KEY, UploadId=begun, PartNumber=number, Body=body)[
            "ETag"
        ]
        parts.append({"PartNumber": number, "ETag": etag})
    client.complete_multipart_upload(Bucket=bucket, Key=KEY, UploadId=begun, MultipartUpload={"Parts": parts})


def one_stream(spread: Deployed, bucket: str) -> bytes:
    """The torrent that one run makes."""
    store = S3Store(spread.client("s3"))
    head = store.head(ObjectRef(bucket, KEY))
    return build_object(head, TorrentPolicy(), NativeEngine(4), store, silent).metainfo.encode()


@pytest.fixture
def bucket(spread: Deployed) -> Iterator[str]:
    name = spread.bucket(versioned=False)
    upload(spread, name)
    yield name
    for key in spread.keys(name):
        spread.client("s3").delete_object(Bucket=name, Key=key)


@pytest.fixture(autouse=True)
def _from_the_first(proxy: Watching) -> None:
    proxy.gets = 0
    proxy.does.clear()


def begin(spread: Deployed, bucket: str) -> str:
    """The name of the execution that was started."""
    [result] = spread.invoke({"bucket": bucket, "key": KEY})["results"]
    said, _, name = result["reason"].rpartition(", execution ")
    assert (result["status"], said) == ("CREATING_TORRENT", "the state machine is at it")
    return str(name)


def test_the_same_torrent_as_of_one_stream(spread: Deployed, bucket: str) -> None:
    name = begin(spread, bucket)
    assert (
        spread.invoke({"bucket": bucket, "key": KEY})["results"][0]["reason"] == "the state machine is at it"
    )
    execution = ended(spread.stack, machine_of(spread), name)
    assert execution["status"] == "SUCCEEDED", execution
    item = spread.status(bucket, KEY)
    assert (item["status"], item["bytesHashed"]) == ("COMPLETED", SIZE)
    assert spread.torrent(bucket, KEY) == one_stream(spread, bucket)
    assert spread.keys(bucket) == {KEY, KEY + ".torrent"}


def workers(spread: Deployed) -> list[int]:
    """Processes that run the function."""
    found = subprocess.run(
        ["pgrep", "-f", f"{spread.function}-.*_worker.py"], capture_output=True, check=False
    )
    return [int(line) for line in found.stdout.split()]


def kill(spread: Deployed) -> None:
    for worker in workers(spread):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def test_children_that_are_killed_repeat_only_what_was_not_done(
    spread: Deployed, bucket: str, proxy: Watching
) -> None:
    ranges = len(list(cut(Layout.of_files([SIZE], choose(SIZE, version="v1").piece_length, "v1"))))
    kills = [ranges // 4, ranges // 2, ranges - 2]
    for number in kills:
        proxy.does[number] = lambda: kill(spread)
    execution = ended(spread.stack, machine_of(spread), begin(spread, bucket))
    assert execution["status"] == "SUCCEEDED", execution
    assert not proxy.does
    assert ranges < proxy.gets <= ranges + len(kills) * THREADS * AT_ONCE
    assert spread.status(bucket, KEY)["status"] == "COMPLETED"
    assert spread.torrent(bucket, KEY) == one_stream(spread, bucket)


def test_an_object_that_is_replaced_ends_it_with_the_reason(
    spread: Deployed, bucket: str, proxy: Watching
) -> None:
    """The claim is free at once: the event of the new content makes its torrent."""
    proxy.does[5] = lambda: spread.client("s3").put_object(Bucket=bucket, Key=KEY, Body=b"another")
    execution = ended(spread.stack, machine_of(spread), begin(spread, bucket))
    item = spread.status(bucket, KEY)
    assert (execution["status"], item["status"]) == ("FAILED", "FAILED")
    assert item["error"]["type"] == "ObjectChanged"
    assert item["reason"].startswith("slice ")
    assert "leaseExpiresAt" not in item
    [result] = spread.invoke({"bucket": bucket, "key": KEY})["results"]
    assert result["status"] == "COMPLETED"


def test_a_range_that_fails_to_the_last_try_is_named(spread: Deployed, bucket: str, proxy: Watching) -> None:
    """Its child is killed at every try; the state machine then has it told."""
    machine = machine_of(spread)
    for number in range(1, 1000):
        proxy.does[number] = lambda: kill(spread)
    execution = ended(spread.stack, machine, begin(spread, bucket))
    item = spread.status(bucket, KEY)
    assert (execution["status"], item["status"]) == ("FAILED", "FAILED")
    assert re.match(r"slice [012]: ", item["reason"])
    assert "leaseExpiresAt" not in item
