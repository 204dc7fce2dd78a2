"""S3 Batch Operations, which calls the function for each object of a manifest and wants a result of each.

Schema 1.0 names the bucket by an ARN (in AWS's example with region and account), 2.0 by its name; keys are
percent-encoded in both.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from s3torrent.errors import EventError
from s3torrent.intake.delivery import Parcel
from s3torrent.intake.payload import shown
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.intake.payload import Payload

SUCCEEDED, TEMPORARY, PERMANENT = "Succeeded", "TemporaryFailure", "PermanentFailure"
"""Result codes. What failed temporarily is tried again by the job itself."""
VERSIONS = ("1.0", "2.0")
MOST_TOLD = 1000
"""Characters of a result string: it goes into the job's completion report, a line for each object."""


@dataclass
class Results:
    """What each task is answered with, by its id."""

    version: str
    invocation_id: str
    found: list[dict[str, str]] = field(default_factory=list)

    def add(self, task_id: str, code: str, told: str) -> None:
        line = "".join(character if character.isprintable() else " " for character in told)[:MOST_TOLD]
        self.found.append({"taskId": task_id, "resultCode": code, "resultString": line})

    def answer(self) -> dict[str, Any]:
        """A task without a result counts as one to be tried again: none was begun."""
        return {
            "invocationSchemaVersion": self.version,
            "treatMissingKeysAs": TEMPORARY,
            "invocationId": self.invocation_id,
            "results": self.found,
        }


def is_job(payload: Payload) -> bool:
    return "invocationSchemaVersion" in payload and "tasks" in payload


def results_for(payload: Payload) -> Results:
    """Raises EventError where no answer would be understood."""
    version = payload.text("invocationSchemaVersion")
    if version not in VERSIONS:
        raise payload.fault(
            "invocationSchemaVersion", f"found {shown(version)}, expected {' or '.join(VERSIONS)}"
        )
    return Results(version, payload.text("invocationId"))


def read(payload: Payload) -> tuple[Parcel, ...]:
    """One parcel a task, whose id is the parcel's; one that is malformed has an error."""
    return tuple(_parcel(task) for task in payload.children("tasks"))


def _parcel(task: Payload) -> Parcel:
    task_id = task.text("taskId")
    try:
        ref = ObjectRef(_bucket(task), _key(task))
        return Parcel(task_id, (TorrentRequest(ref, version_id=task.optional_text("s3VersionId")),), (), None)
    except EventError as error:
        return Parcel(task_id, (), (), error)


def _bucket(task: Payload) -> str:
    name = task.optional_text("s3Bucket")
    return name or task.text("s3BucketArn").rpartition(":")[2]


def _key(task: Payload) -> str:
    try:
        return unquote_to_bytes(task.text("s3Key")).decode()
    except UnicodeDecodeError as error:
        raise task.fault("s3Key", "found bytes that are not UTF-8, expected a percent-encoded key") from error
