"""Recordings and reservations in the status store: what the direct path asks of it, over both backends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from s3torrent.errors import HeldByAnother, LeaseLost
from s3torrent.status.base import (
    COMPLETED,
    CREATING_TORRENT,
    DELETED,
    FAILED,
    PENDING,
    RECORDING,
    UPLOADING,
    Claimed,
    Done,
    HeldUntil,
    Job,
)
from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.status.memory import MemoryStatus
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from s3torrent.status.base import StatusStore

START = datetime(2026, 11, 23, 14, 0, 0, 123000, tzinfo=UTC)
REF = ObjectRef("bucket", "a.mkv")
ID = str(REF)
LEASE = 60.0


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.stack), "moto"])
def store(request: pytest.FixtureRequest, clock: Clock) -> StatusStore:
    if request.param == "memory":
        return MemoryStatus(clock)
    stack = request.getfixturevalue("moto" if request.param == "moto" else "ministack")
    client = stack.client("dynamodb")
    return DynamoStatus(client, request.getfixturevalue("table_name"), clock)


def job(etag: str = "e1") -> Job:
    return Job(ID, ObjectVersion(REF, None, etag, 5, START), "v1")


def claim(store: StatusStore, owner: str, etag: str = "e1") -> object:
    return store.claim(job(etag), owner=owner, lease_seconds=LEASE)


def reserve(store: StatusStore, owner: str = "recorder") -> None:
    store.reserve(ID, owner=owner, lease_seconds=LEASE)


class TestReservation:
    def test_others_wait_for_whatever_appears(self, store: StatusStore) -> None:
        """Of any version: nobody knows yet which it will be."""
        reserve(store)
        until = START + timedelta(seconds=LEASE)
        assert claim(store, "function") == HeldUntil(until, "recorder")
        assert claim(store, "function", "e2") == HeldUntil(until, "recorder")

    def test_the_uploader_claims_and_ends_it(self, store: StatusStore) -> None:
        reserve(store)
        mine = claim(store, "recorder")
        assert isinstance(mine, Claimed)
        item = store.get(ID)
        assert item is not None
        assert item.status == CREATING_TORRENT
        assert item.get("uploadOwner") is item.get("uploadExpiresAt") is None
        assert isinstance(claim(store, "function", "e2"), Claimed)

    def test_it_runs_out(self, store: StatusStore, clock: Clock) -> None:
        """A recorder that died keeps the function away for no longer."""
        reserve(store)
        clock.advance(LEASE)
        assert isinstance(claim(store, "function"), Claimed)

    def test_it_can_be_prolonged_and_given_up(self, store: StatusStore, clock: Clock) -> None:
        reserve(store)
        clock.advance(LEASE - 1)
        reserve(store)
        clock.advance(LEASE - 1)
        assert isinstance(claim(store, "function"), HeldUntil)
        store.release(ID, owner="somebody")
        assert isinstance(claim(store, "function"), HeldUntil)
        store.release(ID, owner="recorder")
        assert isinstance(claim(store, "function"), Claimed)

    def test_nothing_to_release_is_no_error(self, store: StatusStore) -> None:
        store.release(ID, owner="recorder")
        assert store.get(ID) is None

    def test_one_uploader_at_a_time(self, store: StatusStore, clock: Clock) -> None:
        reserve(store)
        with pytest.raises(HeldByAnother, match=r"recorder.*2026-11-23T14:01:00"):
            reserve(store, "second")
        clock.advance(LEASE)
        reserve(store, "second")
        assert claim(store, "recorder") == HeldUntil(clock.now + timedelta(seconds=LEASE), "second")

    def test_it_leaves_what_the_item_tells_as_it_is(self, store: StatusStore) -> None:
        """Also work in hand, which goes on and may end."""
        other = claim(store, "function")
        assert isinstance(other, Claimed)
        before = store.get(ID)
        reserve(store)
        after = store.get(ID)
        assert before is not None
        assert after is not None
        assert {name: after.get(name) for name in before.attributes} == dict(before.attributes)
        store.finish(other, COMPLETED, {"torrentKey": "a.mkv.torrent"})
        assert isinstance(claim(store, "third"), Done)

    def test_of_an_unknown_object_makes_a_pending_item(self, store: StatusStore) -> None:
        reserve(store)
        item = store.get(ID)
        assert item is not None
        assert (item.status, item.get("createdAt")) == (PENDING, "2026-11-23T14:00:00.123Z")
        assert [found.job_id for found in store.list(status=PENDING)] == [ID]


class TestRecording:
    def begin(self, store: StatusStore, owner: str = "task-1") -> Claimed:
        return store.begin(
            "job-7", RECORDING, {"bucket": "bucket", "expiresAt": 9}, owner=owner, lease_seconds=LEASE
        )

    def test_it_begins_without_an_object(self, store: StatusStore) -> None:
        assert self.begin(store) == Claimed("job-7", 1, "task-1", START + timedelta(seconds=LEASE))
        item = store.get("job-7")
        assert item is not None
        assert (item.status, item.get("bucket"), item.get("expiresAt")) == (RECORDING, "bucket", 9)

    def test_it_tells_how_far_it_came_and_how_it_ended(self, store: StatusStore, clock: Clock) -> None:
        mine = self.begin(store)
        clock.advance(LEASE)
        mine = store.renew(mine, lease_seconds=LEASE, status=UPLOADING, bytes_hashed=1000)
        item = store.get("job-7")
        assert item is not None
        assert (item.status, item.get("bytesHashed")) == (UPLOADING, 1000)
        store.finish(mine, FAILED, {"reason": "disk full"})
        item = store.get("job-7")
        assert item is not None
        assert (item.status, item.get("reason"), item.get("leaseExpiresAt")) == (FAILED, "disk full", None)

    def test_a_second_task_takes_over_and_the_first_is_fenced_off(self, store: StatusStore) -> None:
        """At once, also from a live one: whoever starts a job's task again wants the new one."""
        first, second = self.begin(store), self.begin(store, "task-2")
        assert second.attempt == first.attempt + 1
        with pytest.raises(LeaseLost, match="task-2"):
            store.renew(first, lease_seconds=LEASE, status=RECORDING, bytes_hashed=1)
        with pytest.raises(LeaseLost):
            store.finish(first, COMPLETED, {})
        store.finish(second, COMPLETED, {})

    def test_what_the_last_recording_left_is_not_shown_as_its_own(self, store: StatusStore) -> None:
        store.finish(self.begin(store), FAILED, {"reason": "disk full", "error": {"type": "NoSpace"}})
        self.begin(store, "task-2")
        item = store.get("job-7")
        assert item is not None
        assert item.get("reason") is item.get("error") is None


class TestDeleted:
    """A deletion is noted over what is finished, never over what is newer or live."""

    def completed(self, store: StatusStore, sequencer: str | None) -> None:
        wanted = Job(ID, ObjectVersion(REF, None, "e1", 5, START), "v1", sequencer=sequencer)
        mine = store.claim(wanted, owner="function", lease_seconds=LEASE)
        assert isinstance(mine, Claimed)
        store.finish(mine, COMPLETED, {"torrentKey": "a.mkv.torrent"})

    @pytest.mark.parametrize(
        ("known", "told", "noted"),
        [("01", "02", True), ("02", "01", False), (None, "01", True), ("01", None, True), (None, None, True)],
    )
    def test_over_a_result(
        self, store: StatusStore, known: str | None, told: str | None, noted: bool
    ) -> None:
        self.completed(store, known)
        assert store.note(ID, DELETED, {"reason": "gone"}, sequencer=told) is noted
        item = store.get(ID)
        assert item is not None
        assert item.status == (DELETED if noted else COMPLETED)
        assert (item.get("torrentKey") is None) is noted

    def test_not_over_live_work(self, store: StatusStore, clock: Clock) -> None:
        assert isinstance(claim(store, "function"), Claimed)
        assert not store.note(ID, DELETED, {"reason": "gone"}, sequencer="02")
        clock.advance(LEASE)
        assert store.note(ID, DELETED, {"reason": "gone"}, sequencer="02")
