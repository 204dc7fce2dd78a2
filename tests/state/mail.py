"""A queue as SQS has it: visibility, tries, a dead-letter queue; and the events that S3 sends into it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from datetime import datetime

    from state.dice import Dice

VISIBILITY_SECONDS = 360
MOST_RECEIVES = 5
LARGEST_BATCH = 3


@dataclass(slots=True)
class Message:
    number: int
    body: str
    due: datetime
    received: int = 0

    @property
    def id(self) -> str:
        return f"m{self.number}"


@dataclass
class Queue:
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    """Every body ever sent: any of them may be delivered once more."""

    def send(self, body: str, now: datetime) -> None:
        self.sent.append(body)
        self.messages.append(Message(len(self.sent), body, now))

    def receive(self, now: datetime, until: datetime, dice: Dice | None) -> list[Message]:
        """Some of what is visible (without ``dice`` the oldest), out of sight ``until`` then."""
        visible = self._visible(now)
        batch: list[Message] = []
        for _ in range(LARGEST_BATCH if dice is None else dice.pick((1, 1, 1, 2, 3))):
            if visible:
                message = visible.pop(0) if dice is None else visible.pop(dice.pick(range(len(visible))))
                message.received += 1
                message.due = until
                batch.append(message)
        return batch

    def _visible(self, now: datetime) -> list[Message]:
        """What was received often enough goes to the dead instead."""
        visible = [message for message in self.messages if message.due <= now]
        for message in [message for message in visible if message.received >= MOST_RECEIVES]:
            visible.remove(message)
            self.messages.remove(message)
            self.dead.append(message)
        return visible

    def delete(self, message: Message) -> None:
        if message in self.messages:
            self.messages.remove(message)

    def redrive(self, now: datetime) -> None:
        for message in self.dead:
            self.messages.append(Message(message.number, message.body, now))
        self.dead.clear()


def s3_event(bucket: str, key: str, name: str, version_id: str | None, sequencer: str) -> str:
    found: dict[str, Any] = {"key": quote_plus(key), "sequencer": sequencer}
    if version_id:
        found["versionId"] = version_id
    entity = {"bucket": {"name": bucket}, "object": found}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": entity}]})


def direct_call(bucket: str, key: str) -> str:
    return json.dumps({"bucket": bucket, "key": key})


def batch_event(batch: list[Message]) -> dict[str, Any]:
    """What Lambda's poller hands to the function."""
    return {
        "Records": [
            {
                "messageId": message.id,
                "receiptHandle": message.id,
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
                "attributes": {"ApproximateReceiveCount": str(message.received)},
                "body": message.body,
            }
            for message in batch
        ]
    }
