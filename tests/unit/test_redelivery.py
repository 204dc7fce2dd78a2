"""A record that another worker holds comes back when that worker's lease ends, and not much later."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import HeldByAnother, OutOfTime
from s3torrent.intake.delivery import Ticket
from s3torrent.intake.rules import Rules
from s3torrent.lambda_handler import Function
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.make import Maker
from s3torrent.redelivery import Redelivery
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef

NOW = datetime(2026, 11, 23, 14, 0, 0, tzinfo=UTC)
ARN = "arn:aws:sqs:eu-central-1:123456789012:events"
REF = ObjectRef("bucket", "a.mkv")


class Client:
    class meta:  # noqa: N801 - boto3's own name
        endpoint_url = "https://sqs.eu-central-1.amazonaws.com/"

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def change_message_visibility(self, **arguments: Any) -> None:
        self.calls.append(arguments)


@pytest.fixture
def client() -> Client:
    return Client()


def hasten(client: Client, seconds: float | None, received: int = 1) -> int | None:
    until = None if seconds is None else NOW + timedelta(seconds=seconds)
    error = HeldByAnother("held", until=until)
    return Redelivery(lambda: client, lambda: NOW).hasten(Ticket(ARN, "handle", received), error)


@pytest.mark.parametrize(("left", "seconds"), [(59.2, 61), (0.0, 1), (-5.0, 1), (4000.0, 900)])
def test_it_comes_back_a_moment_after_the_lease(client: Client, left: float, seconds: int) -> None:
    assert hasten(client, left) == seconds
    assert client.calls == [
        {
            "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/events",
            "ReceiptHandle": "handle",
            "VisibilityTimeout": seconds,
        }
    ]


def test_the_second_time_it_waits_as_the_queue_has_it(client: Client) -> None:
    """A holder that lives on must not use up the message's tries."""
    assert hasten(client, 59, received=2) is None
    assert client.calls == []


def test_an_unknown_end_is_not_guessed(client: Client) -> None:
    assert hasten(client, None) is None
    assert client.calls == []


def event(**changes: Any) -> dict[str, Any]:
    body = {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "bucket"}, "object": {"key": "a.mkv", "size": 4}},
            }
        ]
    }
    record = {
        "messageId": "m1",
        "eventSource": "aws:sqs",
        "eventSourceARN": ARN,
        "receiptHandle": "handle",
        "attributes": {"ApproximateReceiveCount": "1"},
        "body": json.dumps(body),
    }
    return {"Records": [record | changes]}


def held_function(client: Client) -> Function:
    store, status = MemoryStore(), MemoryStatus(lambda: NOW)
    store.create_bucket("bucket")
    store.upload(REF, b"body")
    status.reserve(str(REF), owner="recorder", lease_seconds=30)
    maker = Maker(store, status, NativeEngine(1), TorrentPolicy(), "function", 60, lambda: 0.0)
    return Function(Rules(bucket="bucket"), maker, Redelivery(lambda: client, lambda: NOW))


def test_the_function_asks_for_it(client: Client) -> None:
    answer = held_function(client).handle(event(), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [call["VisibilityTimeout"] for call in client.calls] == [31]


@pytest.mark.parametrize(
    "changes",
    [
        {"receiptHandle": None},
        {"eventSourceARN": 7},
        {"attributes": []},
        {"attributes": {"ApproximateReceiveCount": "x"}},
    ],
)
def test_a_message_without_a_ticket_comes_back_in_its_time(client: Client, changes: dict[str, Any]) -> None:
    assert held_function(client).handle(event(**changes), None)["batchItemFailures"]
    assert client.calls == []


def test_where_it_cannot_be_asked_the_record_still_fails(client: Client) -> None:
    def refuses(**_: Any) -> None:
        raise OSError("no network")

    client.change_message_visibility = refuses  # type: ignore[method-assign]
    assert held_function(client).handle(event(), None)["batchItemFailures"]


def out_of_time(progressed: int | None) -> OutOfTime:
    error = OutOfTime("time is up")
    error.progressed = progressed
    return error


class Refusing:
    """A maker whose time is up."""

    engine = NativeEngine(1)

    def __init__(self, error: OutOfTime) -> None:
        self.error = error

    def make(self, *_: object) -> None:
        raise self.error


@pytest.mark.parametrize(("progressed", "handed_on"), [(8 << 20, True), (None, True), (0, False)])
def test_work_that_got_on_is_put_on_the_queue_anew(
    client: Client, progressed: int | None, handed_on: bool
) -> None:
    """With all its tries before it; what did not get on uses them up."""
    sent: list[dict[str, Any]] = []
    client.send_message = lambda **arguments: sent.append(arguments)
    redelivery = Redelivery(lambda: client, lambda: NOW)
    function = Function(Rules(bucket="bucket"), Refusing(out_of_time(progressed)), redelivery)
    answer = function.handle(event(), None)
    if handed_on:
        assert answer == {"batchItemFailures": []}
        url = "https://sqs.eu-central-1.amazonaws.com/123456789012/events"
        assert sent == [{"QueueUrl": url, "MessageBody": event()["Records"][0]["body"]}]
    else:
        assert (len(answer["batchItemFailures"]), sent) == (1, [])


def test_what_cannot_be_put_there_has_failed(client: Client) -> None:
    """No send_message, as with a permission that is missing: nothing is lost."""
    redelivery = Redelivery(lambda: client, lambda: NOW)
    function = Function(Rules(bucket="bucket"), Refusing(out_of_time(1)), redelivery)
    assert function.handle(event(), None)["batchItemFailures"]
