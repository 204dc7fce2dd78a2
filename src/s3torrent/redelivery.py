"""When a message that could not be done comes back.

A failed record stays out of sight for the queue's visibility timeout, six times the function's timeout:
right for a crash, far too long to wait for a lease that ends in a minute.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from s3torrent.errors import HeldByAnother
    from s3torrent.intake.delivery import Ticket

SPARE_SECONDS = 1
LONGEST_SECONDS = 900


class Redelivery:
    """``client`` makes the SQS client, which is seldom needed; ``clock`` gives the aware present instant."""

    def __init__(self, client: Callable[[], Any], clock: Callable[[], datetime]) -> None:
        self._client, self._clock = client, clock

    def hasten(self, ticket: Ticket, error: HeldByAnother) -> int | None:
        """Let the message come back when the other's lease ends; the seconds until then.

        Only the first time: a holder that lives on after that would use up the message's tries, so it then
        comes back as the queue has it. Raises what the client raises.
        """
        if ticket.received > 1 or error.until is None:
            return None
        left = (error.until - self._clock()).total_seconds()
        seconds = min(LONGEST_SECONDS, max(0, math.ceil(left)) + SPARE_SECONDS)
        client = self._client()
        client.change_message_visibility(
            QueueUrl=_url(client, ticket.queue_arn),
            ReceiptHandle=ticket.receipt_handle,
            VisibilityTimeout=seconds,
        )
        return seconds

    def later(self, ticket: Ticket, body: str, seconds: float) -> None:
        """A message of our own into the same queue, to be read in so many seconds, or the longest that SQS
        waits. Raises what the client raises.
        """
        client = self._client()
        delay = min(LONGEST_SECONDS, max(0, math.ceil(seconds)))
        client.send_message(QueueUrl=_url(client, ticket.queue_arn), MessageBody=body, DelaySeconds=delay)

    def hand_on(self, ticket: Ticket) -> None:
        """The same message anew, at once: work that got on and is not done. It has its whole number of tries
        again, so that the largest object ends in no dead-letter queue. Raises what the client raises.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
        """
        client = self._client()
        client.send_message(QueueUrl=_url(client, ticket.queue_arn), MessageBody=ticket.body)


def _url(client: Any, arn: str) -> str:
    """``arn:aws:sqs:REGION:ACCOUNT:NAME`` -> the URL at the client's own endpoint."""
    account, name = arn.split(":")[4:6]
    return f"{client.meta.endpoint_url.rstrip('/')}/{account}/{name}"
