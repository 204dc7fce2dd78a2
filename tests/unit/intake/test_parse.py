"""What ``parse`` refuses, and how it says so; what it accepts is in tests/events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.make_fixtures import direct, eventbridge, s3, s3_record, sns, sns_envelope, sqs
from s3torrent.errors import EventError
from s3torrent.intake.parse import parse
from s3torrent.types import ObjectRef


def refusal(event: object) -> EventError:
    with pytest.raises(EventError) as caught:
        parse(event)
    return caught.value


def s3_with(place: str, value: object) -> dict[str, Any]:
    """An S3 notification with the field at ``place`` ("s3.object.key") set to ``value``."""
    record = s3_record("a.bin")
    *path, last = place.split(".")
    target = record
    for name in path:
        target = target[name]
    target[last] = value
    return s3(record)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (None, "event: found null, expected an object"),
        ([], "event: found an empty array, expected an object"),
        ([{}], "event: found an array, expected an object"),
        ("s3", "event: found a string, expected an object"),
        (7, "event: found a number, expected an object"),
        (True, "event: found a boolean, expected an object"),
        ({}, "event: found an object with no fields, expected an S3 event or a direct call"),
        (
            {"httpMethod": "GET", "path": "/"},
            "event: found an object with fields 'httpMethod', 'path', expected an S3 event or a direct call",
        ),
        ({"Records": []}, "event.Records: found an empty array, expected an array of at least one object"),
        ({"Records": {}}, "event.Records: found an object, expected an array of at least one object"),
        ({"Records": [1]}, "event.Records[0]: found a number, expected an object"),
        (
            {"Records": [{}]},
            "event.Records[0].eventSource: found nothing, expected a string of at least one character",
        ),
        (
            {"Records": [{"eventSource": "aws:dynamodb"}]},
            "event: found an object with Records of 'aws:dynamodb', expected an S3 event or a direct call",
        ),
        (
            {"Records": [s3_record("a"), *sqs("{}")["Records"]]},
            "event.Records: found records of 'aws:s3', 'aws:sqs', expected one source",
        ),
    ],
)
def test_payload_of_no_known_kind_is_refused_with_what_was_found(event: object, found: str) -> None:
    assert refusal(event).message == found


def test_refusal_shows_some_field_names_cut_short_and_never_values() -> None:
    event = {f"field-{number}-{'x' * 100}\n": "secret" for number in range(20)}

    error = refusal(event)

    assert "secret" not in error.message
    assert "\n" not in error.message
    assert "'field-0-" in error.message
    assert " and 12 more, expected" in error.message
    assert len(error.message) < 500
    assert error.hint


@pytest.mark.parametrize(
    ("place", "value", "found"),
    [
        ("eventName", None, "eventName: found null, expected a string of at least one character"),
        ("eventName", 5, "eventName: found a number, expected a string"),
        ("s3", "x", "s3: found a string, expected an object"),
        ("s3.bucket", {}, "s3.bucket.name: found nothing, expected a string of at least one character"),
        (
            "s3.bucket.name",
            "",
            "s3.bucket.name: found an empty string, expected a string of at least one character",
        ),
        ("s3.object", None, "s3.object: found null, expected an object"),
        (
            "s3.object.key",
            "",
            "s3.object.key: found an empty string, expected a string of at least one character",
        ),
        ("s3.object.key", ["a"], "s3.object.key: found an array, expected a string"),
        (
            "s3.object.key",
            "%E9",
            "s3.object.key: found bytes that are not UTF-8, expected a form-encoded key",
        ),
        ("s3.object.key", "\ud800", "s3.object.key: found text with a lone surrogate, expected UTF-8"),
        ("s3.object.size", "6", "s3.object.size: found a string, expected a whole number of bytes"),
        ("s3.object.size", True, "s3.object.size: found a boolean, expected a whole number of bytes"),
        ("s3.object.size", -1, "s3.object.size: found a number, expected a whole number of bytes"),
        ("s3.object.size", 1.5, "s3.object.size: found a number, expected a whole number of bytes"),
        ("s3.object.versionId", 1, "s3.object.versionId: found a number, expected a string"),
    ],
)
def test_malformed_s3_record_is_refused_with_its_place(place: str, value: object, found: str) -> None:
    event = s3_with(place, value)

    assert refusal(event).message == f"event.Records[0].{found}"
    [parcel] = parse(sqs(json.dumps(event))).parcels
    assert parcel.error is not None
    assert parcel.error.message == f"event.Records[0].body.Records[0].{found}"
    assert parcel.requests == ()


def test_one_malformed_record_fails_its_whole_notification() -> None:
    """Half a message cannot be given back; the requests come again with it, or not at all."""
    malformed = s3_with("s3.object.key", None)["Records"]
    [parcel] = parse(sqs(s3(s3_record("a.bin"), *malformed))).parcels
    assert parcel.requests == ()
    assert parcel.error is not None


@pytest.mark.parametrize("nothing", [None, ""])
def test_fields_that_say_nothing_are_none(nothing: object) -> None:
    [parcel] = parse(s3_with("s3.object.versionId", nothing)).parcels
    assert parcel.requests[0].version_id is None


def test_event_name_is_taken_without_its_s3_prefix() -> None:
    [parcel] = parse(s3_with("eventName", "s3:ObjectCreated:Put")).parcels
    assert parcel.requests[0].event == "ObjectCreated:Put"


@pytest.mark.parametrize("body", ["", "x", "null", "[]", "7", "{", '{"a":1}', "[" * 100_000, "9" * 5000])
def test_sqs_body_that_is_no_event_fails_alone(body: str) -> None:
    before, malformed, after = parse(sqs(direct("a"), body, direct("b"))).parcels
    assert [before.error, after.error] == [None, None]
    assert [request.ref.key for request in before.requests + after.requests] == ["a", "b"]
    assert isinstance(malformed.error, EventError)
    assert malformed.error.message.startswith("event.Records[1].body: found ")


def test_sqs_message_without_body_fails_alone() -> None:
    batch = sqs(direct("a"), direct("b"))
    del batch["Records"][0]["body"]
    without, intact = parse(batch).parcels
    assert without.error is not None
    assert intact.error is None


def test_batch_is_refused_when_a_message_has_no_id_to_give_back() -> None:
    batch = sqs(direct("a"), direct("b"))
    del batch["Records"][1]["messageId"]
    assert refusal(batch).message.startswith("event.Records[1].messageId: found nothing")


def test_sqs_delivery_inside_an_sqs_message_is_refused() -> None:
    [parcel] = parse(sqs(sqs(direct("a")))).parcels
    assert parcel.error is not None
    assert "Records of 'aws:sqs'" in parcel.error.message


def test_sns_envelope_inside_an_sns_envelope_is_refused() -> None:
    [parcel] = parse(sqs(sns_envelope(sns_envelope(direct("a"))))).parcels
    assert parcel.error is not None
    assert parcel.error.message.startswith(
        "event.Records[0].body.Message: found an object with fields 'Type'"
    )


def test_sns_subscription_confirmation_is_refused_without_its_token() -> None:
    envelope = sns_envelope(direct("a")) | {"Type": "SubscriptionConfirmation", "Token": "secret-token"}
    [parcel] = parse(sqs(envelope)).parcels
    assert parcel.error is not None
    assert "type 'SubscriptionConfirmation', expected 'Notification'" in parcel.error.message
    assert "confirm" in parcel.error.hint
    assert "secret-token" not in parcel.error.message


def test_sns_message_that_is_not_json_is_refused() -> None:
    event = sns(direct("a"))
    event["Records"][0]["Sns"]["Message"] = "hello"
    assert (
        refusal(event).message
        == "event.Records[0].Sns.Message: found 5 characters that are not JSON, expected an object"
    )


def test_raw_message_delivery_of_sns_is_read_as_what_it_carries() -> None:
    """With raw message delivery the body is the S3 notification; SNS leaves no trace in it."""
    raw = sqs(s3(s3_record("a b.bin")))
    wrapped = sqs(sns_envelope(s3(s3_record("a b.bin"))))
    assert parse(raw) == parse(wrapped)


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("source", "aws.ec2", "found 'Object Created' of 'aws.ec2'"),
        ("detail-type", "AWS API Call via CloudTrail", "found 'AWS API Call via CloudTrail' of 'aws.s3'"),
    ],
)
def test_eventbridge_event_that_is_not_s3s_own_is_refused(field: str, value: str, found: str) -> None:
    error = refusal(eventbridge("a") | {field: value})
    assert error.message == f"event: {found}, expected 'Object Created' of 'aws.s3'"
    assert "rule" in error.hint


def test_eventbridge_event_of_unknown_reason_is_an_object_created_all_the_same() -> None:
    [parcel] = parse(eventbridge("a", "TeleportObject")).parcels
    assert parcel.requests[0].event == "ObjectCreated"


def test_eventbridge_event_without_object_is_refused() -> None:
    event = eventbridge("a")
    del event["detail"]["object"]
    assert refusal(event).message == "event.detail.object: found nothing, expected an object"


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ({"bucket": "b"}, "event.key: found nothing"),
        ({"key": "k"}, "event.bucket: found nothing"),
        ({"bucket": "b", "key": ""}, "event.key: found an empty string"),
        ({"bucket": "b", "key": 1}, "event.key: found a number"),
        (
            {"bucket": "b", "key": "k", "versionID": "1"},
            "event: found field 'versionID', expected bucket, key",
        ),
        ({"bucket": "b", "key": "\udcff"}, "event.key: found text with a lone surrogate"),
    ],
)
def test_malformed_direct_call_is_refused(call: dict[str, object], found: str) -> None:
    assert refusal(call).message.startswith(found)


def test_direct_key_is_not_decoded() -> None:
    [parcel] = parse({"bucket": "b", "key": "a+b%20c"}).parcels
    assert parcel.requests[0].ref == ObjectRef("b", "a+b%20c")


def test_s3_key_is_decoded_once() -> None:
    [parcel] = parse(json.loads(json.dumps(s3_with("s3.object.key", "a%252Bb+c")))).parcels
    assert parcel.requests[0].ref.key == "a%2Bb c"
