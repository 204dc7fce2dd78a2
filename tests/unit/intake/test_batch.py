"""The protocol of S3 Batch Operations, driven as AWS documents it: tasks in, a result of each out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import AccessDenied, EventError, Throttled
from s3torrent.intake.rules import Rules
from s3torrent.lambda_handler import Function
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.make import Maker
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef

HARD = "a b+c/é ü & 100%25.mkv"


class Stand:
    """Stands in for the service: calls the function with a task for each key, and checks that it is answered."""

    def __init__(self, *faults: Fault, version: str = "1.0") -> None:
        self.store, self.version = MemoryStore(), version
        self.store.create_bucket("bucket", versioned=True)
        maker = Maker(
            store=FailingStore(self.store, faults),
            status=MemoryStatus(lambda: datetime.now(UTC)),
            engine=NativeEngine(1),
            policy=TorrentPolicy(),
            owner="test",
            lease_seconds=60,
            monotonic=lambda: 0.0,
        )
        self.function = Function(Rules(bucket="bucket", exclude=("*.tmp",)), maker)

    def upload(self, *keys: str) -> None:
        for key in keys:
            self.store.upload(ObjectRef("bucket", key), b"content of " + key.encode())

    def task(self, key: str, version_id: str | None = None, bucket: str = "bucket") -> dict[str, Any]:
        # AWS's documentation shows the ARN of schema 1.0 with region and account, other events without.
        arn = "arn:aws:s3:us-east-1:0123456788:" if len(key) % 2 else "arn:aws:s3:::"
        where = {"s3BucketArn": f"{arn}{bucket}"} if self.version == "1.0" else {"s3Bucket": bucket}
        return {"taskId": f"task of {key}", "s3Key": quote(key), "s3VersionId": version_id, **where}

    def run(self, *tasks: dict[str, Any]) -> list[tuple[str, str]]:
        event = {
            "invocationSchemaVersion": self.version,
            "invocationId": "invocation",
            "job": {"id": "job", **({"userArguments": {"a": "b"}} if self.version == "2.0" else {})},
            "tasks": list(tasks),
        }
        answer = json.loads(json.dumps(self.function.handle(event, None)))
        assert answer["invocationSchemaVersion"] == self.version
        assert answer["invocationId"] == "invocation"
        assert answer["treatMissingKeysAs"] == "TemporaryFailure"
        assert [one["taskId"] for one in answer["results"]] == [task["taskId"] for task in tasks]
        return [(one["resultCode"], one["resultString"]) for one in answer["results"]]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_each_object_gets_its_torrent(version: str) -> None:
    stand = Stand(version=version)
    stand.upload("one", HARD)
    assert stand.run(stand.task("one"), stand.task(HARD)) == [("Succeeded", "COMPLETED")] * 2
    for key in ("one", HARD):
        assert stand.store.head(ObjectRef("bucket", key + ".torrent"))
    assert stand.run(stand.task("one")) == [("Succeeded", "COMPLETED done before")]


def test_what_there_is_nothing_to_do_for_has_succeeded_and_says_why() -> None:
    stand = Stand()
    stand.upload("a.tmp", "old")
    old = stand.store.head(ObjectRef("bucket", "old")).version.version_id
    stand.store.upload(ObjectRef("bucket", "old"), b"new")
    stand.store.upload(ObjectRef("bucket", "empty"), b"")
    tasks = [stand.task("a.tmp"), stand.task("old", old), stand.task("empty"), stand.task("gone")]
    found = stand.run(*tasks, stand.task("x", bucket="another"))
    assert {code for code, _ in found} == {"Succeeded"}
    assert [told.split()[0] for _, told in found] == ["DROPPED", "SKIPPED", "SKIPPED", "SKIPPED", "DROPPED"]
    assert "is not the current one" in found[1][1]
    assert "is empty" in found[2][1]


def test_what_may_pass_is_to_be_tried_again_and_what_will_not_is_final() -> None:
    stand = Stand(
        Fault("read", error=Throttled("503 SlowDown")), Fault("read", call=2, error=AccessDenied("no\nway"))
    )
    stand.upload("one", "two", "three")
    found = stand.run(*map(stand.task, ("one", "two", "three")))
    assert found == [
        ("TemporaryFailure", "Throttled: 503 SlowDown"),
        ("PermanentFailure", "AccessDenied: no way"),
        ("Succeeded", "COMPLETED"),
    ]
    assert stand.run(stand.task("one")) == [("Succeeded", "COMPLETED")]


def test_a_task_that_is_not_understood_fails_alone() -> None:
    stand = Stand()
    stand.upload("one")
    broken = [
        {"taskId": "a", "s3Key": "%ff", "s3BucketArn": "arn:aws:s3:::bucket"},
        {"taskId": "b", "s3Key": "x"},
    ]
    found = stand.run(*broken, stand.task("one"))
    assert [code for code, _ in found] == ["PermanentFailure", "PermanentFailure", "Succeeded"]
    assert "not UTF-8" in found[0][1]


@pytest.mark.parametrize(
    "change", [{"invocationSchemaVersion": "3.0"}, {"invocationId": None}, {"tasks": []}, {"tasks": [{}]}]
)
def test_what_cannot_be_answered_is_refused(change: dict[str, Any]) -> None:
    stand = Stand()
    event = {"invocationSchemaVersion": "1.0", "invocationId": "i", "tasks": [stand.task("one")]}
    with pytest.raises(EventError):
        stand.function.handle(event | change, None)
