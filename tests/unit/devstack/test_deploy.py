"""Deploying makes what is missing, mends what differs, and leaves alone what others have put there."""

from __future__ import annotations

import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.devstack.deploy import EVENTS, Names, deploy
from s3torrent.devstack.ministack import CREDENTIALS, REGION
from s3torrent.errors import StackError
from s3torrent.wiring import Clients

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.ministack import MiniStack

pytestmark = pytest.mark.stack


@pytest.fixture
def clients(ministack: MiniStack) -> Iterator[Clients]:
    clients = Clients(ministack.endpoint, REGION, CREDENTIALS)
    yield clients
    clients.close()


@pytest.fixture
def names() -> Names:
    own = f"test-{uuid.uuid4().hex[:12]}"
    return Names(own, own, own, f"{own}-dlq", own)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return _archive(tmp_path / "one.zip", "first")


def _archive(path: Path, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("s3torrent/__init__.py", "")
        out.writestr("s3torrent/lambda_handler.py", f"def handler(event, context):\n    return {text!r}\n")
    return path


def _state(clients: Clients, names: Names) -> dict[str, Any]:
    """All that deploying sets, as the services tell it."""
    s3, sqs, functions = (clients.client(name) for name in ("s3", "sqs", "lambda"))
    url = sqs.get_queue_url(QueueName=names.queue)["QueueUrl"]
    attributes = ["RedrivePolicy", "VisibilityTimeout", "Policy", "QueueArn"]
    function = functions.get_function_configuration(FunctionName=names.function)
    mappings = functions.list_event_source_mappings(FunctionName=names.function)["EventSourceMappings"]
    role = clients.client("iam").get_role_policy(RoleName=names.function, PolicyName="s3torrent")
    table = clients.client("dynamodb").describe_table(TableName=names.table)["Table"]
    return {
        "versioning": s3.get_bucket_versioning(Bucket=names.bucket).get("Status"),
        "notification": s3.get_bucket_notification_configuration(Bucket=names.bucket)["QueueConfigurations"],
        "queue": sqs.get_queue_attributes(QueueUrl=url, AttributeNames=attributes)["Attributes"],
        "function": {
            name: function[name]
            for name in (
                "Runtime",
                "Handler",
                "Timeout",
                "Environment",
                "CodeSha256",
                "State",
                "LastModified",
            )
        },
        "mappings": [(m["UUID"], m["BatchSize"], m["FunctionResponseTypes"]) for m in mappings],
        "role": role["PolicyDocument"],
        "table": table["KeySchema"],
    }


def test_everything_is_made_and_wired(clients: Clients, names: Names, archive: Path) -> None:
    made = deploy(clients, names, archive, environment={"TORRENT_SOURCE": "here"}, timeout=20)
    state = _state(clients, names)
    assert state["versioning"] == "Enabled"
    assert state["table"] == [{"AttributeName": "jobId", "KeyType": "HASH"}]
    assert state["function"]["State"] == "Active"
    assert state["function"]["Handler"] == "s3torrent.lambda_handler.handler"
    assert state["function"]["Environment"]["Variables"] == {
        "DDB_TABLE": names.table,
        "S3_BUCKET": names.bucket,
        "TORRENT_SOURCE": "here",
    }
    queue = state["queue"]
    assert queue["VisibilityTimeout"] == "120"
    redrive = json.loads(queue["RedrivePolicy"])
    assert (redrive["maxReceiveCount"], redrive["deadLetterTargetArn"].split(":")[-1]) == (
        5,
        names.dead_letter_queue,
    )
    assert [(one["QueueArn"], one["Events"]) for one in state["notification"]] == [
        (queue["QueueArn"], EVENTS)
    ]
    assert [mapping[1:] for mapping in state["mappings"]] == [(1, ["ReportBatchItemFailures"])]
    assert made.queue_url.endswith(names.queue)
    assert made.function_arn.endswith(names.function)


def test_a_second_run_changes_nothing(clients: Clients, names: Names, archive: Path) -> None:
    first = deploy(clients, names, archive, environment={})
    before = _state(clients, names)
    assert deploy(clients, names, archive, environment={}) == first
    assert _state(clients, names) == before


def test_a_second_run_mends_what_differs(
    clients: Clients, names: Names, archive: Path, tmp_path: Path
) -> None:
    deploy(clients, names, archive, environment={"TORRENT_SOURCE": "old"})
    before = _state(clients, names)
    other = _archive(tmp_path / "two.zip", "second")
    deploy(clients, names, other, environment={"TORRENT_SOURCE": "new"}, timeout=30, batch_size=2)
    after = _state(clients, names)
    assert after["function"]["CodeSha256"] != before["function"]["CodeSha256"]
    assert after["function"]["Environment"]["Variables"]["TORRENT_SOURCE"] == "new"
    assert after["queue"]["VisibilityTimeout"] == "180"
    assert [mapping[:2] for mapping in after["mappings"]] == [(before["mappings"][0][0], 2)]
    answer = clients.client("lambda").invoke(FunctionName=names.function, Payload=b"{}")
    assert json.load(answer["Payload"]) == "second"


def test_notifications_and_statements_of_others_stay(clients: Clients, names: Names, archive: Path) -> None:
    s3, sqs = clients.client("s3"), clients.client("sqs")
    s3.create_bucket(Bucket=names.bucket)
    url = sqs.create_queue(QueueName=f"{names.queue}-theirs")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    theirs = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    statement = {"Sid": "theirs", "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": arn}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    )
    s3.put_bucket_notification_configuration(
        Bucket=names.bucket, NotificationConfiguration={"QueueConfigurations": [theirs]}
    )
    queue = sqs.create_queue(QueueName=names.queue)["QueueUrl"]
    sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    )
    for _ in range(2):
        deploy(clients, names, archive, environment={})
        state = _state(clients, names)
        assert sorted(one["Id"] for one in state["notification"]) == ["s3torrent", "theirs"]
        statements = json.loads(state["queue"]["Policy"])["Statement"]
        assert sorted(one["Sid"] for one in statements) == ["s3torrent", "theirs"]


def test_versioning_is_left_alone_where_it_is_not_asked_for(
    clients: Clients, names: Names, archive: Path
) -> None:
    deploy(clients, names, archive, environment={}, versioned=False)
    assert _state(clients, names)["versioning"] is None


def test_what_cannot_be_made_is_named(clients: Clients, archive: Path) -> None:
    with pytest.raises(StackError, match=r"^bucket Not_A_Bucket: .*InvalidBucketName"):
        deploy(clients, Names(bucket="Not_A_Bucket"), archive, environment={})
