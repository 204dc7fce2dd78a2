"""JSON -> ``intake.parse`` and the rules: every event format, a delivery or an EventError."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fuzz.saying import check_error, check_text
from s3torrent.errors import EventError
from s3torrent.intake.delivery import Delivery
from s3torrent.intake.parse import parse
from s3torrent.intake.rules import Rules, apply

if TYPE_CHECKING:
    from s3torrent.intake.delivery import Parcel

RULES = Rules(
    bucket="b", include=("*a*", "[a-", "[!b]*c?"), exclude=("?", "*.tmp"), control_prefix=".s3torrent/"
)


def target(data: bytes) -> None:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return  # Lambda's runtime reads the JSON, not we
    try:
        delivery = parse(event)
    except EventError as error:
        check_error(error)
        return
    assert isinstance(delivery, Delivery)
    for parcel in (*delivery.parcels, *apply(delivery, RULES).parcels):
        assert delivery.is_queue == (parcel.message_id is not None)
        _check(parcel)


def _check(parcel: Parcel) -> None:
    check_text(parcel.message_id)
    if parcel.error is not None:
        assert parcel.message_id is not None
        assert not parcel.requests
        check_error(parcel.error)
    for dropped in parcel.dropped:
        check_text(dropped.reason, str(dropped.ref or ""))
    for request in parcel.requests:
        assert request.ref.bucket
        assert request.ref.key
        check_text(request.ref.bucket, request.ref.key, str(request.ref.torrent))
        check_text(request.version_id, request.etag, request.sequencer, request.event)
        assert request.size is None or request.size >= 0
    if parcel.ticket:
        check_text(parcel.ticket.queue_arn, parcel.ticket.receipt_handle)
