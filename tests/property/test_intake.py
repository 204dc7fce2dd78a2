"""Whatever arrives, ``parse`` answers or refuses; and a key goes through unchanged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from events.make_fixtures import eventbridge, fixtures, s3, s3_record, sns_envelope, sqs
from s3torrent.errors import EventError
from s3torrent.intake.delivery import Delivery
from s3torrent.intake.parse import parse
from s3torrent.intake.rules import Rules, apply

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = [event for _, event in fixtures()]


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        yield from strings(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


WORDS = st.sampled_from(sorted(set(strings(EVENTS))))
TEXT = WORDS | st.text(st.characters())  # lone surrogates too: JSON can spell them
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
KEYS = st.text(st.characters(codec="utf-8"), min_size=1)


def check_total(event: object) -> None:
    """``parse`` returns a delivery all of whose text is UTF-8, or raises EventError; ``apply`` always returns."""
    try:
        delivery = parse(event)
    except EventError as error:
        error.message.encode()
        return
    assert isinstance(delivery, Delivery)
    for parcel in apply(delivery, Rules(bucket="b", include=("[a-",), exclude=("?",))).parcels:
        assert delivery.is_queue or parcel.error is None
        if parcel.error is not None:
            parcel.error.message.encode()
            assert not parcel.requests
        for found in (*parcel.requests, *parcel.dropped):
            str(found.ref).encode()


@given(JSON)
def test_any_json_value_is_read_or_refused_with_event_error(value: object) -> None:
    check_total(value)


@given(JSON, JSON)
def test_any_body_in_a_queue_is_read_or_fails_in_its_own_parcel(body: Any, message: Any) -> None:
    batch = sqs("", "", "")
    batch["Records"][0]["body"] = body
    batch["Records"][1]["body"] = json.dumps(body)
    batch["Records"][2]["body"] = json.dumps(sns_envelope({}) | {"Message": message})
    assert len(parse(batch).parcels) == 3
    check_total(batch)


@st.composite
def mutated_events(draw: st.DrawFn) -> object:
    """A fixture with one value, anywhere in it and in the JSON texts inside it, replaced or taken away."""
    return mutate(draw, draw(st.sampled_from(EVENTS)))


def mutate(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{") and draw(st.booleans()):
        return json.dumps(mutate(draw, json.loads(value)))
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    place = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    copy = value.copy()
    if draw(st.integers(0, 9)) == 0:
        del copy[place]
    else:
        copy[place] = mutate(draw, value[place])
    return copy


@given(mutated_events())
def test_a_damaged_event_is_read_or_refused_with_event_error(event: object) -> None:
    check_total(event)


@given(KEYS)
def test_a_key_encoded_as_s3_does_comes_out_as_it_was(key: str) -> None:
    for event in (s3(s3_record(key)), sqs(s3(s3_record(key))), sqs(sns_envelope(s3(s3_record(key))))):
        [parcel] = parse(event).parcels
        assert [request.ref.key for request in parcel.requests] == [key]


@given(KEYS)
def test_a_raw_key_comes_out_as_it_was(key: str) -> None:
    for event in (eventbridge(key), sqs(eventbridge(key)), {"bucket": "b", "key": key}):
        [parcel] = parse(event).parcels
        assert [request.ref.key for request in parcel.requests] == [key]
