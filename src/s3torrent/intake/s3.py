"""S3 event notifications, as S3 sends them to SQS, SNS and Lambda.

Source: Amazon S3 User Guide, "Event message structure" (notification-content-structure). Versions 2.1 to
2.5 are one shape to us. Keys are form-encoded ("red flower.jpg" is "red+flower.jpg"); they are decoded here,
once.
"""

from __future__ import annotations

from urllib.parse import unquote_plus

from s3torrent.intake.delivery import Dropped, Parcel
from s3torrent.intake.payload import Payload, shown
from s3torrent.types import ObjectRef, TorrentRequest

SOURCE = "aws:s3"
TAKEN = ("ObjectCreated:", "ObjectRemoved:", "LifecycleExpiration:", "ObjectRestore:Completed")
"""After which another object may be the one to be seen at the key, or none, or one that can be read again."""
TEST = Parcel(
    None, (), (Dropped(None, "s3:TestEvent: S3 tries out the notification, no object is meant"),), None
)


def read(payload: Payload) -> Parcel:
    """The requests of one notification, one for each record of ``TAKEN``; the other records dropped."""
    requests: list[TorrentRequest] = []
    dropped: list[Dropped] = []
    for record in payload.children("Records"):
        event = record.text("eventName").removeprefix("s3:")
        entity = record.child("s3")
        found = entity.child("object")
        ref = ObjectRef(entity.child("bucket").text("name"), _decoded_key(found))
        if not event.startswith(TAKEN):
            dropped.append(Dropped(ref, f"{shown(event)} changes nothing that a torrent is made of"))
            continue
        request = TorrentRequest(
            ref,
            version_id=found.optional_text("versionId"),
            etag=found.optional_text("eTag"),
            size=found.optional_size("size"),
            sequencer=found.optional_text("sequencer"),
            event=event,
        )
        requests.append(request)
    return Parcel(None, tuple(requests), tuple(dropped), None)


def is_test(payload: Payload) -> bool:
    """Whether this is what S3 sends once when notifications are configured; it has no Records."""
    return payload.get("Event") == "s3:TestEvent"


def _decoded_key(found: Payload) -> str:
    try:
        return unquote_plus(found.text("key"), errors="strict")
    except UnicodeDecodeError as error:
        # A replacement character would name another object.
        raise found.fault("key", "found bytes that are not UTF-8, expected a form-encoded key") from error
