"""SQS messages, as the event source mapping hands them to Lambda.

Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS" (with-sqs). A message that cannot be
understood must not take the rest of its batch with it, so its fault stays in its own parcel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from s3torrent.errors import EventError
from s3torrent.intake.delivery import Parcel, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.intake.payload import Payload

SOURCE = "aws:sqs"


def read(payload: Payload, read_body: Callable[[Payload], Parcel]) -> tuple[Parcel, ...]:
    """One parcel a message, in order. ``read_body`` reads the JSON object of a body.

    Raises EventError only where a message has no ``messageId``, for then it cannot be given back alone.
    """
    return tuple(_parcel(record, read_body) for record in payload.children("Records"))


def _parcel(record: Payload, read_body: Callable[[Payload], Parcel]) -> Parcel:
    message_id = record.text("messageId")
    try:
        return replace(read_body(record.embedded("body")), message_id=message_id, ticket=_ticket(record))
    except EventError as error:
        return Parcel(message_id, (), (), error)


def _ticket(record: Payload) -> Ticket | None:
    """None where the message does not say what it takes: it then comes back when the queue lets it."""
    arn, handle = record.get("eventSourceARN"), record.get("receiptHandle")
    attributes = record.get("attributes")
    received = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    if not (isinstance(arn, str) and isinstance(handle, str) and isinstance(received, str)):
        return None
    body = str(record.get("body"))
    # Python reads no number of more than 4,300 digits, and no queue counts past a few.
    countable = received.isdecimal() and len(received) < 10
    return Ticket(arn, handle, int(received), body) if countable else None
