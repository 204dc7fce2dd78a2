"""When the function publishes: once for many torrents, and none is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from s3torrent.catalog.duty import SPARE_SECONDS, WAIT_SECONDS, Duty
from s3torrent.errors import HeldByAnother, WriteConflict
from s3torrent.status.memory import MemoryStatus
from s3torrent.types import ObjectRef
from support.catalogs import MemoryTarget, Table, items, publisher

if TYPE_CHECKING:
    from s3torrent.catalog.publish import Publisher

PLACE = ObjectRef("films", "catalog/")


class Minute:
    """A duty whose clock the test turns, and the messages that it sent."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.status = MemoryStatus(lambda: self.now)
        self.target = MemoryTarget()
        self.table = Table(items(3))
        self.sent: list[float] = []
        self.fails: Exception | None = None
        self.duty = Duty(PLACE, self.status, self.publisher, lambda: self.now)

    def publisher(self) -> Publisher:
        if self.fails:
            raise self.fails
        return publisher(self.table, self.target)

    def stir(self) -> bool:
        return self.duty.stir(lambda place, seconds: self.sent.append(seconds) if place == PLACE else None)

    def after(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_many_torrents_send_one_message() -> None:
    minute = Minute()
    assert [minute.stir() for _ in range(50)] == [True] + [False] * 49
    assert minute.sent == [WAIT_SECONDS]


def test_what_is_done_shortly_before_the_message_is_read_sends_another() -> None:
    minute = Minute()
    minute.stir()
    minute.after(WAIT_SECONDS - SPARE_SECONDS + 1)
    assert minute.stir()
    assert len(minute.sent) == 2


def test_the_message_publishes_and_the_status_item_tells() -> None:
    minute = Minute()
    minute.stir()
    minute.after(WAIT_SECONDS)
    assert minute.duty.take("worker").count == 3
    assert "index.html" in minute.target.files
    item = minute.status.get(str(PLACE))
    assert item
    assert (item.status, item.get("reason")) == ("COMPLETED", "3 torrents")
    assert minute.stir()
    minute.after(WAIT_SECONDS)
    assert minute.duty.take("worker").written == 0


def test_a_message_that_could_not_be_sent_is_sent_by_the_next() -> None:
    minute = Minute()

    def broken(_place: ObjectRef, _seconds: float) -> None:
        raise WriteConflict("no queue")

    with pytest.raises(WriteConflict):
        minute.duty.stir(broken)
    assert minute.stir()


def test_a_failure_is_told_and_tried_again() -> None:
    minute = Minute()
    minute.fails = WriteConflict("another was first")
    with pytest.raises(WriteConflict):
        minute.duty.take("worker")
    item = minute.status.get(str(PLACE))
    assert item
    assert (item.status, item.get("error")["type"]) == ("FAILED", "WriteConflict")
    minute.fails = None
    assert minute.duty.take("worker").count == 3


def test_two_at_a_time_do_not_publish() -> None:
    minute = Minute()

    def nested() -> Publisher:
        with pytest.raises(HeldByAnother):
            Duty(PLACE, minute.status, minute.publisher, lambda: minute.now).take("other")
        return minute.publisher()

    assert Duty(PLACE, minute.status, nested, lambda: minute.now).take("worker").count == 3
