"""Objects into the function's own queue (Amazon SQS), as direct calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s3torrent.errors import EndpointUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.types import ObjectRef

AT_ONCE = 10
"""The most that SQS takes in one request.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""
TRIES = 3


class Queue:
    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, refs: Sequence[ObjectRef]) -> None:
        """At most AT_ONCE. Raises EndpointUnreachable where one was not taken; others may have been."""
        waiting = {
            str(number): json.dumps({"bucket": ref.bucket, "key": ref.key}) for number, ref in enumerate(refs)
        }
        told = ""
        for _ in range(TRIES):
            entries = [{"Id": name, "MessageBody": body} for name, body in waiting.items()]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            except Exception as error:
                raise self._failed(str(error)) from error
            failed = {
                one["Id"]: str(one.get("Message") or one.get("Code")) for one in answer.get("Failed", [])
            }
            if not failed:
                return
            waiting = {name: waiting[name] for name in failed}
            told = next(iter(failed.values()))
        raise self._failed(told)

    def _failed(self, told: str) -> EndpointUnreachable:
        return EndpointUnreachable(
            f"sqs:SendMessage to {self._url}: {told}",
            hint="give the function's queue, terraform output queue_url; it needs sqs:SendMessage",
        )
