from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from s3torrent.status.timestamp import from_text, to_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=365 * 7000)).map(lambda since: EPOCH + since)


def test_text_is_utc_with_milliseconds_cut_off() -> None:
    noon = datetime(2026, 11, 23, 16, 0, 0, 123999, tzinfo=timezone(timedelta(hours=2)))
    assert to_text(noon) == "2026-11-23T14:00:00.123Z"


@given(instants, instants)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert len(to_text(one)) == 24
    assert one > other or to_text(one) <= to_text(other)


@given(instants)
def test_back_from_text_it_is_the_same_millisecond(instant: datetime) -> None:
    assert from_text(to_text(instant)) == instant.replace(microsecond=instant.microsecond // 1000 * 1000)
