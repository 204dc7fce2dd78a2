"""Writes the ``KIND.CASE.json`` files beside it: ``python tests/events/make_fixtures.py``.

Shapes, field names and orders of fields follow AWS's documents (November 2026):

- S3 notification 2.1: S3 User Guide, "Event message structure" (2.2 to 2.5 add fields, change none)
- s3:TestEvent: S3 User Guide, "Using Amazon SQS, Amazon SNS, and Lambda"
- EventBridge: S3 User Guide, "EventBridge event message structure", with ``event-version``
- SQS and SNS records: Lambda Developer Guide, "Using Lambda with Amazon SQS" and "... Amazon SNS"
- SNS envelope in a queue: SNS Developer Guide, "Parsing message formats"

Account, ids and signatures are the documents' own placeholders. ``tests/events/test_fixtures.py`` checks that
the committed files are what this script writes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parent
BUCKET = "chronicle-recordings-dev"
ETAG = "b1946ac92492d2347c6235b4d2611184"
SIZE = 6
SEQUENCER = "617f08299329d189"
VERSION_ID = "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
MESSAGE_ID = "059f36b4-87a3-44ab-83d2-66197583{:04x}"
_TIME = "2026-11-12T00:00:00.000Z"
_TOPIC = "arn:aws:sns:us-east-1:111122223333:uploads"

HARD_KEYS = {
    "plain": "test-file.txt",
    "space": "shows/red flower.jpg",
    "plus": "shows/a+b.bin",
    "percent": "shows/100%.bin",
    "ampersand": "shows/salt & pepper=?.bin",
    "unicode": "shows/é+ü & 日本 100%.bin",
    "leading-slash": "/from/the/root.bin",
    "trailing-slash": "shows/2026/",
    "literal-escape": "shows/a%2Bb%20c%25.bin",
    "longest": "shows/" + "é日" * 203 + "fin",
}


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def s3_record(
    key: str, event: str = "ObjectCreated:Put", *, version_id: str | None = VERSION_ID
) -> dict[str, Any]:
    """One record of an S3 notification, its key encoded as S3 does."""
    found = {"key": quote_plus(key, safe="/"), "size": SIZE, "eTag": ETAG}
    if version_id is not None:
        found["versionId"] = version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": _TIME,
        "eventName": event,
        "userIdentity": {"principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "192.0.2.3"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "s3torrent",
            "bucket": {
                "name": BUCKET,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{BUCKET}",
            },
            "object": {**found, "sequencer": SEQUENCER},
        },
    }


def s3_removed_record(key: str, event: str, *, version_id: str | None = None) -> dict[str, Any]:
    """A removal has neither size nor (but for a delete marker) ETag."""
    record = s3_record(key, event, version_id=version_id)
    for absent in ("size", "eTag"):
        del record["s3"]["object"][absent]
    return record


def s3(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def s3_test() -> dict[str, Any]:
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _TIME,
        "Bucket": BUCKET,
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
    }


def eventbridge(
    key: str, reason: str = "PutObject", *, version_id: str | None = VERSION_ID
) -> dict[str, Any]:
    """An Object Created event; its key is plain text."""
    found = {"key": key, "size": SIZE, "etag": ETAG}
    if version_id is not None:
        found["version-id"] = version_id
    return _bus_event(
        "Object Created",
        {"object": {**found, "sequencer": SEQUENCER}, **_BUS_REQUEST, "reason": reason},
    )


def eventbridge_deleted(key: str) -> dict[str, Any]:
    found = {"key": key, "etag": ETAG, "version-id": VERSION_ID, "sequencer": SEQUENCER}
    detail = {
        "object": found,
        **_BUS_REQUEST,
        "reason": "DeleteObject",
        "deletion-type": "Delete Marker Created",
    }
    return _bus_event("Object Deleted", detail)


def eventbridge_kind(kind: str, key: str) -> dict[str, Any]:
    found = {"key": key, "etag": ETAG, "version-id": VERSION_ID, "sequencer": SEQUENCER}
    return _bus_event(kind, {"object": found, **_BUS_REQUEST})


_BUS_REQUEST = {
    "request-id": "N4N7GDK58NMKJ12R",
    "requester": "123456789012",
    "source-ip-address": "192.0.2.3",
}


def _bus_event(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-12T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{BUCKET}"],
        "detail": {"version": "0", "event-version": "1.0", "bucket": {"name": BUCKET}, **detail},
    }


def direct(key: str, version_id: str | None = None) -> dict[str, Any]:
    return {"bucket": BUCKET, "key": key, **({"versionId": version_id} if version_id is not None else {})}


def sqs(*bodies: dict[str, Any] | str) -> dict[str, Any]:
    """A batch of one message for each body; a str is the body as it is."""
    return {"Records": [_sqs_record(number, body) for number, body in enumerate(bodies)]}


def _sqs_record(number: int, body: dict[str, Any] | str) -> dict[str, Any]:
    text = body if isinstance(body, str) else _compact(body)
    return {
        "messageId": MESSAGE_ID.format(number),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1794441600183",
            "SenderId": "AIDAJDPLRKLG7UEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1794441600185",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:uploads",
        "awsRegion": "us-east-1",
    }


def sns_envelope(message: dict[str, Any]) -> dict[str, Any]:
    """What SNS puts into a queue without raw message delivery."""
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": _TOPIC,
        "Subject": "Amazon S3 Notification",
        "Message": _compact(message),
        "Timestamp": _TIME,
        "SignatureVersion": "1",
        "Signature": "EXAMPLEw6JRN...",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-EXAMPLE.pem",
        "UnsubscribeURL": f"https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={_TOPIC}:c9135db0",
    }


def sns(message: dict[str, Any]) -> dict[str, Any]:
    """SNS invoking Lambda: the same envelope, two names spelt otherwise, in a record."""
    envelope = sns_envelope(message)
    envelope["SigningCertUrl"] = envelope.pop("SigningCertURL")
    envelope["UnsubscribeUrl"] = envelope.pop("UnsubscribeURL")
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{_TOPIC}:c9135db0-26c4-47ec-8998-413945fb5a96",
        "Sns": {**envelope, "MessageAttributes": {}},
    }
    return {"Records": [record]}


KINDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "s3": lambda key: s3(s3_record(key)),
    "sns": lambda key: sns(s3(s3_record(key))),
    "eventbridge": eventbridge,
    "direct": direct,
    "sqs-s3": lambda key: sqs(s3(s3_record(key))),
    "sqs-sns": lambda key: sqs(sns_envelope(s3(s3_record(key)))),
    "sqs-eventbridge": lambda key: sqs(eventbridge(key)),
    "sqs-sns-eventbridge": lambda key: sqs(sns_envelope(eventbridge(key))),
    "sqs-direct": lambda key: sqs(direct(key)),
}

SPECIAL: dict[str, dict[str, Any]] = {
    "test": s3_test(),
    "sqs-s3.test": sqs(s3_test()),
    "sqs-sns.test": sqs(sns_envelope(s3_test())),
    "sns.test": sns(s3_test()),
    "s3.post": s3(s3_record("a.bin", "ObjectCreated:Post")),
    "s3.copy": s3(s3_record("a.bin", "ObjectCreated:Copy")),
    "s3.multipart": s3(s3_record("a.bin", "ObjectCreated:CompleteMultipartUpload")),
    "s3.unversioned": s3(s3_record("a.bin", version_id=None)),
    "s3.removed": s3(s3_removed_record("a.bin", "ObjectRemoved:Delete")),
    "s3.delete-marker": s3(
        s3_removed_record("a.bin", "ObjectRemoved:DeleteMarkerCreated", version_id=VERSION_ID)
    ),
    "s3.restored": s3(s3_record("a.bin", "ObjectRestore:Completed")),
    "s3.expired": s3(s3_removed_record("a.bin", "LifecycleExpiration:Delete")),
    "s3.tagged": s3(s3_record("a.bin", "ObjectTagging:Put")),
    "eventbridge.post": eventbridge("a.bin", "POST Object"),
    "eventbridge.copy": eventbridge("a.bin", "CopyObject"),
    "eventbridge.multipart": eventbridge("a.bin", "CompleteMultipartUpload"),
    "eventbridge.unversioned": eventbridge("a.bin", version_id=None),
    "eventbridge.deleted": eventbridge_deleted("a.bin"),
    "eventbridge.restored": eventbridge_kind("Object Restore Completed", "a.bin"),
    "eventbridge.tagged": eventbridge_kind("Object Tags Added", "a.bin"),
    "direct.version": direct("a.bin", VERSION_ID),
    "sqs-s3.several-records": sqs(
        s3(
            s3_record("b.bin"),
            s3_record("a b.bin"),
            s3_removed_record("c.bin", "ObjectRemoved:Delete"),
            s3_record("b.bin"),
        )
    ),
    "sqs.batch-with-malformed": sqs(
        s3(s3_record("a.bin")),
        "not JSON",
        {
            "Records": [
                {
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": BUCKET}},
                }
            ]
        },
        direct("b+c.bin"),
    ),
}


def fixtures() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every fixture: file name without ``.json``, and event."""
    for kind, build in KINDS.items():
        for case, key in HARD_KEYS.items():
            yield f"{kind}.{case}", build(key)
    yield from SPECIAL.items()


def as_text(event: dict[str, Any]) -> str:
    return json.dumps(event, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, event in fixtures():
        (FOLDER / f"{name}.json").write_text(as_text(event), encoding="utf-8")
