"""Messages that failed for good, on their way back into the queue they came from (Amazon SQS).

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3torrent.errors import AccessDenied, EndpointUnreachable, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

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
    """``sent``: epoch milliseconds at which it first came into the queue; ``source``: the ARN of the queue it
    failed in, "" where SQS does not tell.
    """

    id: str
    body: str
    handle: str
    sent: int
    source: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

    def entry(self, number: int) -> dict[str, Any]:
        """Of a batch to send."""
        told = {"Id": str(number), "MessageBody": self.body}
        return told | ({"MessageAttributes": self.attributes} if self.attributes else {})


class DeadLetters:
    """Of the queue ``url``, the function's own. Other queues' letters may lie among them, and stay there.

    Raises UsageError where it has none or is a FIFO queue, EndpointUnreachable.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url
        if url.endswith(".fifo"):  # which SQS has every such name end in, and no other
            raise UsageError(
                f"{url} is a FIFO queue; expected a standard one",
                hint=f"S3 notifies no FIFO queue, so it is not the function's: {QUEUE_HINT}",
            )
        names = ["RedrivePolicy", "QueueArn"]
        told = self._call("get_queue_attributes", QueueUrl=url, AttributeNames=names).get("Attributes", {})
        self._arn = str(told.get("QueueArn", ""))
        self._others: dict[str, Letter] = {}
        self.sent: list[Letter] = []
        policy = told.get("RedrivePolicy")
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

    @property
    def others(self) -> int:
        """How many letters of other queues were met so far."""
        return len(self._others)

    def look(self) -> list[Letter]:
        """Some of them, which stay where they are."""
        return self._own(self._received(hidden=0, most=AT_ONCE))

    def moved(self, most: int) -> Generator[Sequence[Letter], None, None]:
        """Move ``most`` at most, told by the batch and kept in ``sent``. Each is sent before it is deleted:
        killed in between, it is there twice, and the second finds the work done. What was received and not
        sent is visible again at the end, whatever ends it: close what this returns.
        """
        held: list[Letter] = []
        sending: list[Letter] = []
        try:
            while most > 0:
                known = self.others
                received = self._received(hidden=HIDDEN_SECONDS, most=min(most, AT_ONCE))
                held = self._own(received)
                if not held and self.others == known:
                    return  # nothing more, or only what has come back meanwhile
                failed = self._send(held) if held else []
                refused = {int(one["Id"]) for one in failed}
                sending = [one for number, one in enumerate(held) if number not in refused]
                self.sent += sending
                count, held = len(held), [held[number] for number in sorted(refused)]
                self._delete(sending)
                told, sending = tuple(sending), []
                if told:
                    yield told
                if failed:
                    code = failed[0].get("Code")
                    raise EndpointUnreachable(
                        f"sqs:SendMessage to {self._url}: {code} for {len(failed)} of {count} messages",
                        hint="what was not taken is still in the dead-letter queue: try again",
                    )
                most -= count
        finally:
            with contextlib.suppress(SourceError):  # they come back by themselves when their time is over
                self._delete(sending)
                self._show([*held, *self._others.values()])

    def _own(self, letters: Sequence[Letter]) -> list[Letter]:
        """Without those that are known to have failed in another queue."""
        others = {one.id: one for one in letters if one.source and self._arn not in ("", one.source)}
        self._others |= others
        return [one for one in letters if one.id not in others]

    def _send(self, letters: Sequence[Letter]) -> list[dict[str, Any]]:
        """Those that were refused."""
        entries = [one.entry(number) for number, one in enumerate(letters)]
        told = self._call("send_message_batch", QueueUrl=self._url, Entries=entries)
        return list(told.get("Failed", []))

    def _delete(self, letters: Sequence[Letter]) -> None:
        if letters:
            entries = [{"Id": str(n), "ReceiptHandle": one.handle} for n, one in enumerate(letters)]
            self._call("delete_message_batch", QueueUrl=self.url, Entries=entries)

    def _show(self, letters: Sequence[Letter]) -> None:
        """Let others see them at once."""
        for first in range(0, len(letters), AT_ONCE):
            entries = [
                {"Id": str(n), "ReceiptHandle": one.handle, "VisibilityTimeout": 0}
                for n, one in enumerate(letters[first : first + AT_ONCE])
            ]
            self._call("change_message_visibility_batch", QueueUrl=self.url, Entries=entries)

    def _received(self, *, hidden: int, most: int) -> list[Letter]:
        told = self._call(
            "receive_message",
            QueueUrl=self.url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=hidden,
            WaitTimeSeconds=1,
            AttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
            MessageAttributeNames=["All"],
        )
        return [_letter(one) for one in told.get("Messages", [])]

    def _call(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except Exception as error:
            action = "sqs:" + "".join(word.capitalize() for word in method.split("_"))
            queue = str(arguments.get("QueueUrl") or arguments.get("QueueName"))
            raise _ours(error, action.removesuffix("Batch"), queue) from error


def _letter(told: dict[str, Any]) -> Letter:
    system = told.get("Attributes", {})
    return Letter(
        told["MessageId"],
        told["Body"],
        told["ReceiptHandle"],
        int(system.get("SentTimestamp", 0)),
        str(system.get("DeadLetterQueueSourceArn", "")),
        told.get("MessageAttributes", {}),
    )


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
