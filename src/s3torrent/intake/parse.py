"""The way in: a payload of any kind becomes a Delivery."""

from __future__ import annotations

from s3torrent.errors import EventError
from s3torrent.intake import batch, catalogue, direct, eventbridge, folders, s3, sns, sqs
from s3torrent.intake.delivery import Delivery, Kind, Parcel
from s3torrent.intake.payload import Payload, shown, shown_names


def parse(event: object) -> Delivery:
    """Read what Lambda was invoked with (JSON values as ``json.loads`` makes them).

    An SQS message that is malformed or of no known kind gives a parcel with ``error``; the others go on.
    Raises EventError, and nothing else, for a payload without a queue, and for a batch whose messages
    cannot be told apart.
    """
    payload = Payload(event)
    if batch.is_job(payload):
        return Delivery("batch", batch.read(payload), batch.results_for(payload))
    source = _source(payload)
    if source == sqs.SOURCE:
        return Delivery("sqs", sqs.read(payload, _read_body))
    if source == sns.SOURCE:
        return Delivery("sns", sns.read(payload, _read_content))
    kind, parcel = _read(payload)
    return Delivery(kind, (parcel,))


def _read_body(payload: Payload) -> Parcel:
    """What the body of an SQS message may hold: an SNS envelope (once), or content."""
    return _read_content(sns.unwrap(payload) if sns.is_envelope(payload) else payload)


def _read_content(payload: Payload) -> Parcel:
    return _read(payload)[1]


def _read(payload: Payload) -> tuple[Kind, Parcel]:
    """Everything that names objects itself and wraps nothing."""
    source = _source(payload)
    if source == s3.SOURCE:
        return "s3", s3.read(payload)
    if s3.is_test(payload):
        return "test", s3.TEST
    if eventbridge.is_event(payload):
        return "eventbridge", eventbridge.read(payload)
    if source is None and folders.is_reminder(payload):
        return "direct", folders.read(payload)
    if source is None and catalogue.is_reminder(payload):
        return "direct", catalogue.read(payload)
    if source is None and direct.is_call(payload):
        return "direct", direct.read(payload)
    found = shown_names(payload) if source is None else f"Records of {shown(source)}"
    raise EventError(f"{payload.place}: found an object with {found}, expected an S3 event or a direct call")


def _source(payload: Payload) -> str | None:
    """The service all Records come from; None where there are none. SNS alone writes ``EventSource``."""
    if "Records" not in payload:
        return None
    records = payload.children("Records")
    sources = {record.text("EventSource" if "EventSource" in record else "eventSource") for record in records}
    if len(sources) > 1:
        found = ", ".join(shown(source) for source in sorted(sources)[:3])
        raise EventError(f"{payload.place}.Records: found records of {found}, expected one source")
    return sources.pop()
