"""Messages that failed for good, on their way back into the queue they came from (Amazon SQS).

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.errors import AccessDenied, EndpointUnreachable, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AT_ONCE = 10
"""What SQS gives and takes in one request."""
HIDDEN_SECONDS = 60
"""How long a message that is being moved is kept from others."""


ABSENT = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"}
DENIED = {"AccessDenied", "AccessDeniedException", "403", "KMS.AccessDeniedException"}
NO_ANSWER = {"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"}
NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}
"""Names of what boto3 raises. Its own texts speak of things nobody has asked about ("this wsdl version")."""
QUEUE_HINT = "give the queue of terraform output queue_url"


@dataclass(frozen=True, slots=True)
class Letter:
    """``sent``: epoch milliseconds at which it first came into the queue."""

    body: str
    handle: str
    sent: int


class DeadLetters:
    """Of the queue ``url``, the function's own. Raises UsageError where it has none, EndpointUnreachable."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url
        told = self._call("get_queue_attributes", QueueUrl=url, AttributeNames=["RedrivePolicy"])
        policy = told.get("Attributes", {}).get("RedrivePolicy")
        if not policy:
            raise UsageError(
                f"{url} has no dead-letter queue",
                hint="give the function's queue (terraform output queue_url), not its dead letters'; with "
                'event_source = "s3" run: eval "$(terraform output -raw redrive_command)"',
            )
        try:
            account, name = str(json.loads(policy)["deadLetterTargetArn"]).split(":")[4:6]
        except (ValueError, LookupError, TypeError):
            raise EndpointUnreachable(
                f"{url}: its RedrivePolicy names no dead-letter queue; expected a deadLetterTargetArn",
                hint="look at what stands at AWS_ENDPOINT_URL",
            ) from None
        self.url = str(
            self._call("get_queue_url", QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        )

    def count(self) -> int:
        """About how many there are, those in flight included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self._call("get_queue_attributes", QueueUrl=self.url, AttributeNames=names)
        return sum(int(told["Attributes"][name]) for name in names)

    def look(self) -> list[Letter]:
        """Some of them, which stay where they are."""
        return self._received(hidden=0, most=AT_ONCE)

    def moved(self, most: int) -> Iterator[Sequence[Letter]]:
        """Move ``most`` at most, told by the batch. Each is sent before it is deleted: interrupted in
        between, it is there twice, and the second finds the work done.
        """
        while most > 0:
            letters = self._received(hidden=HIDDEN_SECONDS, most=min(most, AT_ONCE))
            if not letters:
                return
            entries = [{"Id": str(n), "MessageBody": one.body} for n, one in enumerate(letters)]
            failed = self._call("send_message_batch", QueueUrl=self._url, Entries=entries).get("Failed", [])
            refused = {int(one["Id"]) for one in failed}
            sent = [one for number, one in enumerate(letters) if number not in refused]
            handles = [{"Id": str(n), "ReceiptHandle": one.handle} for n, one in enumerate(sent)]
            if handles:
                self._call("delete_message_batch", QueueUrl=self.url, Entries=handles)
            yield sent
            if refused:
                code, count = failed[0].get("Code"), f"{len(failed)} of {len(entries)}"
                raise EndpointUnreachable(
                    f"sqs:SendMessage to {self._url}: {code} for {count} messages",
                    hint="what was not taken is still in the dead-letter queue: try again",
                )
            most -= len(letters)

    def _received(self, *, hidden: int, most: int) -> list[Letter]:
        told = self._call(
            "receive_message",
            QueueUrl=self.url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=hidden,
            WaitTimeSeconds=1,
            AttributeNames=["SentTimestamp"],
        )
        return [
            Letter(one["Body"], one["ReceiptHandle"], int(one.get("Attributes", {}).get("SentTimestamp", 0)))
            for one in told.get("Messages", [])
        ]

    def _call(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except Exception as error:
            action = "sqs:" + "".join(word.capitalize() for word in method.split("_"))
            queue = str(arguments.get("QueueUrl") or arguments.get("QueueName"))
            raise _ours(error, action.removesuffix("Batch"), queue) from error


def _ours(error: Exception, action: str, queue: str) -> SourceError:
    """What it means, by its code."""
    told, what = getattr(error, "response", {}).get("Error", {}), f"{action} on {queue}"
    code = str(told.get("Code") or type(error).__name__)[:100]
    if code in ABSENT:
        return EndpointUnreachable(f"{what}: there is no such queue ({code})", hint=QUEUE_HINT)
    if code in DENIED:
        return AccessDenied(f"{what}: not allowed ({code})", hint="allow the action on both queues")
    if code in NO_ANSWER:
        return EndpointUnreachable(f"{what}: nothing answers there ({code})")
    if code in NO_CREDENTIALS:
        hint = "configure credentials (aws configure, or a role)"
        return EndpointUnreachable(f"{what}: there are no credentials ({code})", hint=hint)
    return EndpointUnreachable(f"{what}: refused ({code})", hint=f"{QUEUE_HINT}; look at the credentials")
