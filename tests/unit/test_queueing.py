"""Objects into a queue: what SQS does not take at once is sent again, and never lost without a word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from s3torrent.errors import EndpointUnreachable
from s3torrent.queueing import TRIES, Queue
from s3torrent.types import ObjectRef

REFS = [ObjectRef("bucket", f"é {number}") for number in range(3)]


class Sqs:
    def __init__(self, *failing: set[str]) -> None:
        self.failing = list(failing)
        self.taken: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "url"
        failing = self.failing.pop(0) if self.failing else set()
        self.taken += [json.loads(one["MessageBody"])["key"] for one in Entries if one["Id"] not in failing]
        return (
            {"Failed": [{"Id": one, "Code": "InternalError"} for one in sorted(failing)]} if failing else {}
        )


def test_what_was_not_taken_is_sent_again() -> None:
    sqs = Sqs({"1", "2"}, {"2"})
    Queue(sqs, "url").send(REFS)
    assert sqs.taken == [ref.key for ref in REFS]


def test_what_is_never_taken_is_an_error() -> None:
    with pytest.raises(EndpointUnreachable, match="sqs:SendMessage to url: InternalError"):
        Queue(Sqs(*[{"1"}] * TRIES), "url").send(REFS)


def test_a_queue_that_is_not_there_is_an_error_with_its_name() -> None:
    class Broken:
        def send_message_batch(self, **_: Any) -> None:
            raise RuntimeError("no such queue")

    with pytest.raises(EndpointUnreachable, match="to url: no such queue"):
        Queue(Broken(), "url").send(REFS)
