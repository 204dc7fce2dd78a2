"""Every committed event, and the delivery it must become."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from events.make_fixtures import (
    BUCKET,
    ETAG,
    FOLDER,
    HARD_KEYS,
    KINDS,
    MESSAGE_ID,
    SEQUENCER,
    SIZE,
    SPECIAL,
    VERSION_ID,
    as_text,
    fixtures,
)
from s3torrent.intake.delivery import Delivery, Dropped, Parcel
from s3torrent.intake.parse import parse
from s3torrent.intake.rules import Rules, apply
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.intake.delivery import Kind

FIRST = MESSAGE_ID.format(0)


def ref(key: str) -> ObjectRef:
    return ObjectRef(BUCKET, key)


def created(
    key: str, event: str = "ObjectCreated:Put", version_id: str | None = VERSION_ID
) -> TorrentRequest:
    """What any S3 event on ``key`` asks for, whichever way it came."""
    return TorrentRequest(ref(key), version_id, ETAG, SIZE, SEQUENCER, event)


def asked(key: str, version_id: str | None = None) -> TorrentRequest:
    """What a direct call asks for."""
    return TorrentRequest(ref(key), version_id, None, None, None, "direct")


def one(kind: Kind, *requests: TorrentRequest, dropped: tuple[Dropped, ...] = ()) -> Delivery:
    """A delivery of one parcel."""
    return Delivery(kind, (Parcel(FIRST if kind == "sqs" else None, requests, dropped, None),))


def no_object() -> tuple[Dropped, ...]:
    return (Dropped(None, "s3:TestEvent: S3 tries out the notification, no object is meant"),)


def changes_nothing(event: str) -> tuple[Dropped, ...]:
    return (Dropped(ref("a.bin"), f"'{event}' changes nothing that a torrent is made of"),)


def removed(
    key: str, event: str, *, version_id: str | None = None, etag: str | None = None
) -> TorrentRequest:
    """A removal says neither size nor, but for EventBridge, the ETag."""
    return TorrentRequest(
        ref(key), version_id=version_id, etag=etag, size=None, sequencer=SEQUENCER, event=event
    )


KIND_OF: dict[str, Kind] = {
    "s3": "s3",
    "sns": "sns",
    "eventbridge": "eventbridge",
    "direct": "direct",
    "sqs-s3": "sqs",
    "sqs-sns": "sqs",
    "sqs-eventbridge": "sqs",
    "sqs-sns-eventbridge": "sqs",
    "sqs-direct": "sqs",
}

EXPECTED: dict[str, Delivery] = {
    f"{kind}.{case}": one(KIND_OF[kind], asked(key) if kind.endswith("direct") else created(key))
    for kind in KINDS
    for case, key in HARD_KEYS.items()
} | {
    "test": one("test", dropped=no_object()),
    "sqs-s3.test": one("sqs", dropped=no_object()),
    "sqs-sns.test": one("sqs", dropped=no_object()),
    "sns.test": one("sns", dropped=no_object()),
    "s3.post": one("s3", created("a.bin", "ObjectCreated:Post")),
    "s3.copy": one("s3", created("a.bin", "ObjectCreated:Copy")),
    "s3.multipart": one("s3", created("a.bin", "ObjectCreated:CompleteMultipartUpload")),
    "s3.unversioned": one("s3", created("a.bin", version_id=None)),
    "s3.removed": one("s3", removed("a.bin", "ObjectRemoved:Delete")),
    "s3.delete-marker": one(
        "s3", removed("a.bin", "ObjectRemoved:DeleteMarkerCreated", version_id=VERSION_ID)
    ),
    "s3.restored": one("s3", created("a.bin", "ObjectRestore:Completed")),
    "s3.expired": one("s3", removed("a.bin", "LifecycleExpiration:Delete")),
    "s3.tagged": one("s3", dropped=changes_nothing("ObjectTagging:Put")),
    "eventbridge.post": one("eventbridge", created("a.bin", "ObjectCreated:Post")),
    "eventbridge.copy": one("eventbridge", created("a.bin", "ObjectCreated:Copy")),
    "eventbridge.multipart": one("eventbridge", created("a.bin", "ObjectCreated:CompleteMultipartUpload")),
    "eventbridge.unversioned": one("eventbridge", created("a.bin", version_id=None)),
    "eventbridge.deleted": one(
        "eventbridge", removed("a.bin", "ObjectRemoved:DeleteMarkerCreated", version_id=VERSION_ID, etag=ETAG)
    ),
    "eventbridge.restored": one(
        "eventbridge", removed("a.bin", "ObjectRestore:Completed", version_id=VERSION_ID, etag=ETAG)
    ),
    "eventbridge.tagged": one("eventbridge", dropped=changes_nothing("Object Tags Added")),
    "direct.version": one("direct", asked("a.bin", VERSION_ID)),
    "sqs-s3.several-records": one(
        "sqs",
        created("b.bin"),
        created("a b.bin"),
        removed("c.bin", "ObjectRemoved:Delete"),
        created("b.bin"),
    ),
    "sqs.batch-with-malformed": Delivery(
        "sqs",
        (
            Parcel(FIRST, (created("a.bin"),), (), None),
            Parcel(MESSAGE_ID.format(1), (), (), None),
            Parcel(MESSAGE_ID.format(2), (), (), None),
            Parcel(MESSAGE_ID.format(3), (asked("b+c.bin"),), (), None),
        ),
    ),
}
"""Errors stand in ERRORS: exceptions do not compare."""

ERRORS: dict[str, list[str | None]] = {
    "sqs.batch-with-malformed": [
        None,
        "event.Records[1].body: found 8 characters that are not JSON, expected an object",
        "event.Records[2].body.Records[0].s3.object: found nothing, expected an object",
        None,
    ],
}


def load(name: str) -> object:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_committed_files_are_what_the_script_writes() -> None:
    committed = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert committed == {name: as_text(event) for name, event in fixtures()}


def test_the_table_names_every_fixture() -> None:
    assert set(EXPECTED) == {path.stem for path in FOLDER.glob("*.json")}
    assert len(EXPECTED) == len(KINDS) * len(HARD_KEYS) + len(SPECIAL)


def test_the_longest_key_is_as_long_as_s3_allows() -> None:
    assert len(HARD_KEYS["longest"].encode()) == 1024


@pytest.mark.parametrize("name", EXPECTED)
def test_fixture_becomes_its_delivery(name: str) -> None:
    delivery = parse(load(name))

    messages = [parcel.error and parcel.error.message for parcel in delivery.parcels]
    assert messages == ERRORS.get(name, [None] * len(delivery.parcels))
    without_errors = tuple(replace(parcel, error=None) for parcel in delivery.parcels)
    assert replace(delivery, parcels=without_errors) == EXPECTED[name]
    assert delivery.is_queue is name.startswith("sqs")


@pytest.mark.parametrize("kind", KINDS)
def test_of_the_hard_keys_only_the_folder_marker_is_not_ours(kind: str) -> None:
    dropped = {
        case: found.reason
        for case in HARD_KEYS
        for parcel in apply(parse(load(f"{kind}.{case}")), Rules(bucket=BUCKET)).parcels
        for found in parcel.dropped
    }
    assert dropped == {"trailing-slash": "a folder marker: the key ends in /"}
