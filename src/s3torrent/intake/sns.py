"""SNS messages: the envelope around another payload, in an SQS body or in a record given to Lambda.

Source: Amazon SNS Developer Guide, "Parsing message formats" (sns-message-and-json-formats), and AWS Lambda
Developer Guide, "Invoking Lambda functions with Amazon SNS" (with-sns). With raw message delivery there is no
envelope, and nothing for us to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import EventError
from s3torrent.intake.payload import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.intake.delivery import Parcel
    from s3torrent.intake.payload import Payload

SOURCE = "aws:sns"


def read(payload: Payload, read_message: Callable[[Payload], Parcel]) -> tuple[Parcel, ...]:
    """One parcel a record (SNS sends one), each without message id: single ones cannot be given back."""
    return tuple(read_message(unwrap(record.child("Sns"))) for record in payload.children("Records"))


def is_envelope(payload: Payload) -> bool:
    return "Type" in payload and "TopicArn" in payload


def unwrap(envelope: Payload) -> Payload:
    """The payload that was published: ``Message`` of a Notification."""
    found = envelope.text("Type")
    if found != "Notification":
        raise EventError(
            f"{envelope.place}: found an SNS message of type {shown(found)}, expected 'Notification'",
            hint="confirm the topic's subscription; its notifications follow then",
        )
    return envelope.embedded("Message")
