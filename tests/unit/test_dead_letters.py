"""Dead letters on their way back, against a queue that fails, or is left, where it is told to."""

from __future__ import annotations

import importlib
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.dead_letters import DeadLetters
from s3torrent.errors import EndpointUnreachable, UsageError
from support.command import in_process

if TYPE_CHECKING:
    from collections.abc import Callable

OWN, OTHER, DEAD = (f"arn:aws:sqs:eu-central-1:123456789012:{name}" for name in ("own", "other", "dead"))
ATTRIBUTES = {"title": {"StringValue": "Ü", "DataType": "String"}}


class Client:
    """Two queues as SQS has them; ``hidden`` are letters that somebody received."""

    def __init__(self, *letters: dict[str, Any]) -> None:
        self.there = [
            {"MessageId": str(n), "ReceiptHandle": f"h{n}", "Body": f"body {n}", **letter}
            for n, letter in enumerate(letters)
        ]
        self.hidden: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.refused: set[str] = set()
        self.before: dict[str, Callable[[], None]] = {}

    def get_queue_attributes(self, **_arguments: Any) -> dict[str, Any]:
        policy = json.dumps({"deadLetterTargetArn": DEAD})
        there = {
            "ApproximateNumberOfMessages": len(self.there),
            "ApproximateNumberOfMessagesNotVisible": len(self.hidden),
        }
        return {"Attributes": {"RedrivePolicy": policy, "QueueArn": OWN, **there}}

    def get_queue_url(self, **_arguments: Any) -> dict[str, Any]:
        return {"QueueUrl": "https://sqs/dead"}

    def receive_message(self, **arguments: Any) -> dict[str, Any]:
        assert "DeadLetterQueueSourceArn" in arguments["AttributeNames"]
        assert arguments["MessageAttributeNames"] == ["All"]
        most = arguments["MaxNumberOfMessages"]
        given = self.there[:most]
        if arguments["VisibilityTimeout"]:
            self.hidden += given
            self.there = self.there[most:]
        return {"Messages": given}

    def send_message_batch(self, **arguments: Any) -> dict[str, Any]:
        self.before.get("send", lambda: None)()
        assert arguments["QueueUrl"] == "https://sqs/own"
        failed = [one for one in arguments["Entries"] if one["MessageBody"] in self.refused]
        self.sent += [one for one in arguments["Entries"] if one not in failed]
        return {"Failed": [{"Id": one["Id"], "Code": "Overload"} for one in failed]}

    def delete_message_batch(self, **arguments: Any) -> dict[str, Any]:
        self.before.get("delete", lambda: None)()
        gone = {one["ReceiptHandle"] for one in arguments["Entries"]}
        self.hidden = [one for one in self.hidden if one["ReceiptHandle"] not in gone]
        return {}

    def change_message_visibility_batch(self, **arguments: Any) -> dict[str, Any]:
        assert len(arguments["Entries"]) <= 10
        assert {one["VisibilityTimeout"] for one in arguments["Entries"]} == {0}
        seen = {one["ReceiptHandle"] for one in arguments["Entries"]}
        self.there += [one for one in self.hidden if one["ReceiptHandle"] in seen]
        self.hidden = [one for one in self.hidden if one["ReceiptHandle"] not in seen]
        return {}


def letter(source: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "Attributes": {"SentTimestamp": "1", **({"DeadLetterQueueSourceArn": source} if source else {})}
    } | more


def moved(client: Client, most: int = 100) -> tuple[int, int]:
    """How many were moved, and how many of other queues were met."""
    letters = DeadLetters(client, "https://sqs/own")
    with closing(letters.moved(most)) as batches:
        return sum(map(len, batches)), letters.others


def test_what_failed_in_another_queue_stays_and_is_visible_again() -> None:
    client = Client(letter(OTHER), *[letter(OWN), letter(OTHER), letter()] * 8)
    assert moved(client) == (16, 9)
    assert (len(client.sent), len(client.there), client.hidden) == (16, 9, [])
    assert {one["Attributes"]["DeadLetterQueueSourceArn"] for one in client.there} == {OTHER}


def test_of_others_none_counts_among_those_that_may_be_moved() -> None:
    client = Client(*[letter(OTHER)] * 12, *[letter(OWN)] * 3)
    assert moved(client, 2) == (2, 12)
    assert len(client.there) == 13


def test_one_that_comes_back_meanwhile_is_counted_once_and_does_not_hold_it_up() -> None:
    client = Client(letter(OTHER))
    again = client.receive_message

    def received(**arguments: Any) -> dict[str, Any]:
        told = again(**arguments)
        client.there, client.hidden = [*client.hidden], []
        return told

    client.receive_message = received  # type: ignore[method-assign]
    assert moved(client) == (0, 1)


def test_looking_shows_none_of_them() -> None:
    letters = DeadLetters(Client(letter(OTHER), letter(OWN)), "https://sqs/own")
    assert [one.body for one in letters.look()] == ["body 1"]
    assert letters.others == 1


def test_its_attributes_go_with_the_body() -> None:
    client = Client(letter(OWN, MessageAttributes=ATTRIBUTES), letter(OWN))
    assert moved(client) == (2, 0)
    assert client.sent[0]["MessageAttributes"] == ATTRIBUTES
    assert "MessageAttributes" not in client.sent[1]


def test_what_was_not_taken_is_visible_again() -> None:
    client = Client(letter(OWN), letter(OWN))
    client.refused = {"body 1"}
    with pytest.raises(EndpointUnreachable, match="Overload for 1 of 2"):
        moved(client)
    assert ([one["Body"] for one in client.there], client.hidden) == (["body 1"], [])


def interrupted() -> None:
    raise KeyboardInterrupt


def test_interrupted_before_it_is_sent_it_is_visible_again() -> None:
    client = Client(letter(OWN), letter(OTHER))
    client.before["send"] = interrupted
    with pytest.raises(KeyboardInterrupt):
        moved(client)
    assert (len(client.there), client.hidden, client.sent) == (2, [], [])


def test_interrupted_after_it_was_sent_it_is_deleted_all_the_same() -> None:
    client = Client(letter(OWN), letter(OTHER))
    presses = [interrupted]
    client.before["delete"] = lambda: presses.pop()() if presses else None
    with pytest.raises(KeyboardInterrupt):
        moved(client)
    assert [one["Body"] for one in client.there] == ["body 1"]
    assert (client.hidden, len(client.sent)) == ([], 1)


def test_a_fifo_queue_is_none_of_ours() -> None:
    with pytest.raises(UsageError, match="FIFO") as refused:
        DeadLetters(Client(), "https://sqs/own.fifo")
    assert "S3" in refused.value.hint


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_interrupted_it_says_what_was_moved_until_then(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    client = Client(*[letter(OWN)] * 40)
    client.before["send"] = lambda: interrupted() if len(client.sent) == 20 else None
    module = importlib.import_module("s3torrent.cli.redrive")
    monkeypatch.setattr(module, "dead_letters", lambda _clients, url: DeadLetters(client, url))
    done = in_process(capfdbinary, "redrive", "https://sqs/own", *words)
    assert (done.code, done.stderr.splitlines()[-1]) == (130, "interrupted")
    said = done.stdout.decode()
    assert json.loads(said)["moved"] == 20 if words else said.endswith("\n20 of 40 sent again\n")
    assert (len(client.there), client.hidden) == (20, [])
