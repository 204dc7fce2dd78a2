"""What one invocation brought: parcels of requests, and what was dropped on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from s3torrent.errors import EventError
    from s3torrent.intake.batch import Results
    from s3torrent.types import ObjectRef, TorrentRequest

Kind = Literal["sqs", "s3", "sns", "eventbridge", "direct", "test", "batch"]
"""Who invoked us. What an SQS message or an SNS message wraps makes no difference to the kind."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something there is nothing to do for; ``ref`` is None where no object was named (a test event)."""

    ref: ObjectRef | None
    reason: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """By which a message of a queue can be asked to come back at another time; ``received`` counts from 1."""

    queue_arn: str
    receipt_handle: str
    received: int
    body: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One SQS message, or one task of S3 Batch Operations (``message_id`` is the task's id); else the whole
    payload (``message_id`` None).

    ``requests`` stand in order of arrival, repeats included. A parcel with an ``error`` was not
    understood: it holds no requests, and its message must be reported as failed. Only a message of a
    queue can be so; outside a queue ``parse`` raises instead.
    """

    message_id: str | None
    requests: tuple[TorrentRequest, ...]
    dropped: tuple[Dropped, ...]
    error: EventError | None
    ticket: Ticket | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything one invocation brought."""

    kind: Kind
    parcels: tuple[Parcel, ...]
    results: Results | None = field(default=None, compare=False)

    @property
    def is_queue(self) -> bool:
        """Whether single messages can be given back: the answer is then a batch response."""
        return self.kind == "sqs"
