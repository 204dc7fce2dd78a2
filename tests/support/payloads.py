"""Events for an object of the test's own, in the shapes of ``tests/events``."""

from __future__ import annotations

from typing import Any

from events.make_fixtures import eventbridge, s3, s3_record, sqs


def created(bucket: str, *keys: str) -> dict[str, Any]:
    """An S3 notification with an ObjectCreated:Put record for each key, keys encoded as S3 does."""
    records = [s3_record(key, version_id=None) for key in keys]
    for record in records:
        record["s3"]["bucket"] = {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}
        del record["s3"]["object"]["sequencer"]
    return s3(*records)


def on_the_bus(bucket: str, key: str) -> dict[str, Any]:
    """The same from EventBridge, its key plain."""
    event = eventbridge(key, version_id=None)
    event["detail"]["bucket"]["name"] = bucket
    del event["detail"]["object"]["sequencer"]
    return event


def queued(*bodies: dict[str, Any] | str) -> dict[str, Any]:
    """What the event source mapping hands to the function: a batch of one message for each body."""
    return sqs(*bodies)


def message_ids(event: dict[str, Any]) -> list[str]:
    return [record["messageId"] for record in event["Records"]]
