"""A recording's item: true from its beginning to its one ending, whatever the table or the recording does."""

from __future__ import annotations

import contextlib
import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.errors import AccessDenied, EndpointUnreachable, NoSpace, TableMissing, Throttled
from s3torrent.pipeline.journal import ENDING_PAUSES, Journal, NoJournal
from s3torrent.status.memory import MemoryStatus
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.status.base import Claimed, StatusItem

JOB = "job-7"
SELDOM = 1000.0
"""Seconds: no heartbeat but by a change of phase."""
OFTEN = 0.02


class Table(MemoryStatus):
    """A table that fails as often as it is told to, and counts the calls."""

    def __init__(self) -> None:
        super().__init__(lambda: datetime.now(UTC))
        self.errors: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.before: dict[str, Callable[[], object]] = {}

    def begin(self, *arguments: Any, **named: Any) -> Claimed:
        self._called("begin")
        return super().begin(*arguments, **named)

    def renew(self, *arguments: Any, **named: Any) -> Claimed:
        self._called("renew")
        return super().renew(*arguments, **named)

    def finish(self, *arguments: Any, **named: Any) -> None:
        self._called("finish")
        super().finish(*arguments, **named)

    def forget(self) -> None:
        """As DynamoDB does with an item that has expired."""
        with self._lock:
            self._items.pop(JOB)

    @property
    def item(self) -> StatusItem:
        found = self.get(JOB)
        assert found
        return found

    def _called(self, method: str) -> None:
        self.calls.append(method)
        self.before.pop(method, lambda: None)()
        if self.errors.get(method):
            raise self.errors[method].pop(0)


class Log:
    """What was told; every line must be JSON."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def __call__(self, level: int, event: str, /, **fields: Any) -> None:
        json.dumps(fields)
        self.events.append(event)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def log() -> Log:
    return Log()


def journal(table: Table, log: Log, interval: float = SELDOM, **named: Any) -> Journal:
    attributes = {"url": "https://h/", "bucket": "b", "recordMode": "file"}
    return Journal(
        table,
        JOB,
        owner="me",
        attributes=attributes,
        tell=log,
        interval=interval,
        sleep=lambda _: None,
        **named,
    )


class TestBeginning:
    def test_the_item_is_recording_with_a_lease_of_three_heartbeats(self, table: Table, log: Log) -> None:
        with journal(table, log, 100.0) as one:
            item = table.item
            assert (item.status, item.get("url"), item.get("recordMode")) == (
                "RECORDING",
                "https://h/",
                "file",
            )
            lease = datetime.fromisoformat(item.get("leaseExpiresAt")) - datetime.fromisoformat(
                item.get("updatedAt")
            )
            assert lease.total_seconds() == 300
            one.completed({})

    @pytest.mark.parametrize(
        "error", [TableMissing("no table"), AccessDenied("no"), EndpointUnreachable("no")]
    )
    def test_what_cannot_be_told_is_not_begun(self, table: Table, log: Log, error: Exception) -> None:
        table.errors["begin"] = [error]
        recorded = []
        with pytest.raises(type(error)), journal(table, log):
            recorded.append(1)
        assert recorded == []
        assert table.calls == ["begin"]

    def test_whoever_held_the_job_id_before_is_fenced_off(self, table: Table, log: Log) -> None:
        first, second = Log(), Log()
        with journal(table, first) as old:
            with journal(table, second) as new:
                new.completed({"torrentKey": "new"})
            old.completed({"torrentKey": "old"})
        assert (table.item.status, table.item.get("torrentKey"), table.item.get("attempt")) == (
            "COMPLETED",
            "new",
            2,
        )
        assert (first.events, second.events) == (["status lost to another task"], [])


class TestExpiry:
    def test_it_expires_so_long_after_its_end(self, table: Table, log: Log) -> None:
        now = [1000.0]
        with journal(table, log, ttl_seconds=60, clock=lambda: now[0]) as one:
            assert table.item.get("expiresAt") == 1060
            now[0] = 5000.5
            one.completed({})
        assert table.item.get("expiresAt") == 5060

    def test_without_a_time_to_live_it_never_does(self, table: Table, log: Log) -> None:
        with journal(table, log) as one:
            one.completed({})
        assert "expiresAt" not in table.item.attributes


class TestHeartbeat:
    def test_each_tells_the_bytes_and_prolongs_the_lease(self, table: Table, log: Log) -> None:
        with journal(table, log, OFTEN) as one:
            before = table.item.get("leaseExpiresAt")
            one.progress(4711)
            until(lambda: table.item.get("bytesHashed") == 4711, "the bytes")
            until(lambda: table.item.get("leaseExpiresAt") > before, "a longer lease")
            one.completed({})

    def test_a_new_phase_is_told_at_once(self, table: Table, log: Log) -> None:
        with journal(table, log) as one:
            for phase in ("UPLOADING", "CREATING_TORRENT"):
                one.progress(5, phase)
                until(lambda phase=phase: table.item.status == phase, phase)
            one.completed({})

    def test_the_same_phase_costs_no_call(self, table: Table, log: Log) -> None:
        with journal(table, log) as one:
            for done in range(1000):
                one.progress(done)
            one.completed({})
        assert table.calls == ["begin", "finish"]

    def test_the_data_never_waits_for_the_table(self, table: Table, log: Log) -> None:
        """Nor does the ending wait for a heartbeat that hangs."""
        free, hangs = threading.Event(), threading.Event()
        table.before["renew"] = lambda: (hangs.set(), free.wait(30))
        with journal(table, log) as one:
            one.progress(1, "UPLOADING")
            assert hangs.wait(30)
            one.progress(2, "CREATING_TORRENT")
            one.completed({})
            assert table.item.status == "COMPLETED"
            free.set()
        one._heart.join(30)
        assert (table.item.status, log.events) == ("COMPLETED", [])

    @pytest.mark.parametrize(
        "error", [Throttled("slow"), EndpointUnreachable("gone"), ValueError("a defect")]
    )
    def test_trouble_is_told_once_and_so_is_its_end(self, table: Table, log: Log, error: Exception) -> None:
        table.errors["renew"] = [error] * 3
        with journal(table, log, OFTEN) as one:
            until(lambda: len(log.events) == 2, lambda: log.events)
            one.completed({})
        assert log.events == ["heartbeat failed", "heartbeat is back"]
        assert table.item.status == "COMPLETED"

    def test_when_another_task_takes_over_it_falls_silent_and_the_recording_goes_on(
        self, table: Table, log: Log
    ) -> None:
        with journal(table, log, OFTEN) as one:
            table.begin(JOB, "RECORDING", {"url": "theirs"}, owner="they", lease_seconds=60)
            until(lambda: log.events, "the loss")
            one._heart.join(30)
            one.progress(5, "UPLOADING")
            one.completed({"torrentKey": "mine"})
        assert log.events == ["status lost to another task"]
        assert (table.item.status, table.item.get("leaseOwner")) == ("RECORDING", "they")
        assert table.item.get("torrentKey") is None

    def test_an_item_that_vanished_is_begun_anew(self, table: Table, log: Log) -> None:
        with journal(table, log, OFTEN) as one:
            one.progress(99)
            table.forget()
            until(lambda: (found := table.get(JOB)) and found.get("bytesHashed") == 99, "a new item")
            assert (table.item.status, table.item.get("url")) == ("RECORDING", "https://h/")
            one.completed({})
        assert (table.item.status, log.events) == ("COMPLETED", [])


class TestEnding:
    def test_completed_has_the_torrents_attributes_and_no_lease(self, table: Table, log: Log) -> None:
        with journal(table, log) as one:
            one.completed({"torrentKey": "k.torrent", "bytesRead": 0, "reason": None})
        item = table.item
        assert (item.status, item.get("torrentKey"), item.get("bytesRead")) == ("COMPLETED", "k.torrent", 0)
        assert item.get("completedAt") >= item.get("createdAt")
        assert not {"leaseExpiresAt", "error", "reason", "logTail"} & set(item.attributes)

    def test_failed_has_the_error_its_mend_and_the_log(self, table: Table, log: Log) -> None:
        error = NoSpace("the disk was full", hint="more disk")
        with journal(table, log) as one:
            one.failed(error, "last\nwords")
        item = table.item
        assert (item.status, item.get("reason"), item.get("logTail")) == (
            "FAILED",
            "the disk was full",
            "last\nwords",
        )
        assert item.get("error") == {
            "type": "NoSpace",
            "message": "the disk was full",
            "retryable": False,
            "hint": "more disk",
        }

    @pytest.mark.parametrize(
        "error", [NoSpace("full"), RuntimeError("a defect"), KeyboardInterrupt(), SystemExit(1)]
    )
    def test_every_way_out_of_the_block_ends_it(self, table: Table, log: Log, error: BaseException) -> None:
        with pytest.raises(type(error)), journal(table, log):
            raise error
        assert (table.item.status, table.item.get("error")["type"]) == ("FAILED", type(error).__name__)

    def test_a_block_that_ends_without_a_word_has_failed(self, table: Table, log: Log) -> None:
        with journal(table, log):
            pass
        assert (table.item.status, table.item.get("reason")) == (
            "FAILED",
            "the recorder ended without a result",
        )

    def test_the_first_ending_stands(self, table: Table, log: Log) -> None:
        with contextlib.suppress(KeyError), journal(table, log) as one:
            one.completed({})
            raise KeyError
        assert table.item.status == "COMPLETED"

    @pytest.mark.parametrize("failing", range(1, len(ENDING_PAUSES) + 1))
    def test_it_is_tried_again_while_the_table_does_not_answer(
        self, table: Table, log: Log, failing: int
    ) -> None:
        table.errors["finish"] = [EndpointUnreachable("gone")] * failing
        with journal(table, log) as one:
            one.completed({"torrentKey": "k"})
        assert (table.item.status, table.item.get("torrentKey")) == ("COMPLETED", "k")

    def test_an_ending_that_cannot_be_written_is_raised(self, table: Table, log: Log) -> None:
        table.errors["finish"] = [EndpointUnreachable("gone")] * 100
        with pytest.raises(EndpointUnreachable), journal(table, log) as one:
            one.completed({})
        assert table.calls.count("finish") == len(ENDING_PAUSES) + 1

    def test_one_that_will_never_be_allowed_is_raised_at_once(self, table: Table, log: Log) -> None:
        table.errors["finish"] = [AccessDenied("no")] * 100
        with pytest.raises(AccessDenied), journal(table, log) as one:
            one.completed({})
        assert table.calls.count("finish") == 1

    def test_the_table_does_not_hide_what_went_wrong_first(self, table: Table, log: Log) -> None:
        table.errors["finish"] = [AccessDenied("no")] * 100
        with pytest.raises(NoSpace), journal(table, log):
            raise NoSpace("full")
        assert log.events == ["status not written"]

    def test_an_item_that_vanished_is_written_all_the_same(self, table: Table, log: Log) -> None:
        with journal(table, log) as one:
            table.forget()
            one.completed({"torrentKey": "k"})
        assert (table.item.status, table.item.get("torrentKey"), log.events) == ("COMPLETED", "k", [])

    def test_an_item_that_vanishes_under_a_heartbeat_is_not_begun_anew_after_the_ending(
        self, table: Table, log: Log
    ) -> None:
        """The heartbeat finds it gone just as the ending is written."""
        ended = threading.Event()

        def meanwhile() -> None:
            table.forget()
            one.completed({})
            ended.set()

        one = journal(table, log)
        with one:
            table.before["renew"] = meanwhile
            one.progress(1, "UPLOADING")
            assert ended.wait(30)
        one._heart.join(30)
        assert (table.item.status, log.events) == ("COMPLETED", [])


def test_without_a_table_nothing_is_told() -> None:
    with NoJournal() as one:
        one.progress(1, "UPLOADING")
        one.completed({})
        one.failed(RuntimeError())
