"""S3 events by way of EventBridge, direct or in an SQS body.

Source: Amazon S3 User Guide, "EventBridge event message structure" (ev-events) and "Using EventBridge"
(EventBridge, the detail types). Keys are plain text here, not encoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import EventError
from s3torrent.intake.delivery import Dropped, Parcel
from s3torrent.intake.payload import shown
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.intake.payload import Payload

S3 = "aws.s3"
CREATED = "Object Created"
_EVENT_OF_KIND = {
    CREATED: "ObjectCreated",
    "Object Deleted": "ObjectRemoved:Delete",
    "Object Restore Completed": "ObjectRestore:Completed",
}
MARKED = "Delete Marker Created"
_EVENT_OF_REASON = {
    "PutObject": "ObjectCreated:Put",
    "POST Object": "ObjectCreated:Post",
    "CopyObject": "ObjectCreated:Copy",
    "CompleteMultipartUpload": "ObjectCreated:CompleteMultipartUpload",
}


def is_event(payload: Payload) -> bool:
    return "detail-type" in payload and "detail" in payload


def read(payload: Payload) -> Parcel:
    """One request of an event on what lies at a key; the other events of S3 on objects are dropped."""
    source, kind = payload.text("source"), payload.text("detail-type")
    # CloudTrail puts S3's API calls on the same bus as well, in another shape: no use for us.
    if source != S3 or not kind.startswith("Object "):
        raise EventError(
            f"{payload.place}: found {shown(kind)} of {shown(source)}, expected {CREATED!r} of {S3!r}",
            hint=f"let the EventBridge rule match source {S3} and detail-type {CREATED} only",
        )
    detail = payload.child("detail")
    found = detail.child("object")
    ref = ObjectRef(detail.child("bucket").text("name"), found.text("key"))
    if kind not in _EVENT_OF_KIND:
        reason = f"{shown(kind)} changes nothing that a torrent is made of"
        return Parcel(None, (), (Dropped(ref, reason),), None)
    event = _EVENT_OF_REASON.get(detail.optional_text("reason") or "", _EVENT_OF_KIND[kind])
    if detail.optional_text("deletion-type") == MARKED:
        event = "ObjectRemoved:DeleteMarkerCreated"
    request = TorrentRequest(
        ref,
        version_id=found.optional_text("version-id"),
        etag=found.optional_text("etag"),
        size=found.optional_size("size"),
        sequencer=found.optional_text("sequencer"),
        event=event,
    )
    return Parcel(None, (request,), (), None)
