"""make, from wish to torrent and status, over the memory twins; every way it can end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import (
    AccessDenied,
    HeldByAnother,
    LeaseLost,
    ObjectChanged,
    OutOfTime,
    S3TorrentError,
    TableMissing,
    Throttled,
    WriteConflict,
)
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.make import Maker
from s3torrent.pipeline.publish import CONTENT_TYPE, ownership
from s3torrent.status.base import Claimed, Job
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import CATALOG_MARK, ObjectRef, ObjectVersion, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.pipeline.outcome import Outcome

REF = ObjectRef("bucket", "shows/é+ü & 100%.bin")
ID = str(REF)
BODY = bytes(range(256)) * 400


@dataclass
class World:
    """A bucket, a table and a clock that moves when told."""

    store: MemoryStore = field(default_factory=lambda: MemoryStore(chunk=10_000))
    now: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    policy: TorrentPolicy = field(default_factory=TorrentPolicy)

    def __post_init__(self) -> None:
        self.store.create_bucket("bucket")
        self.status = MemoryStatus(lambda: self.now)

    def maker(self, *faults: Fault, owner: str = "worker", **changes: Any) -> Maker:
        store = FailingStore(self.store, faults)
        tools = {
            "store": store,
            "status": self.status,
            "engine": NativeEngine(threads=1),
            "policy": self.policy,
            "owner": owner,
            "lease_seconds": 60.0,
            "monotonic": self.now.timestamp,
        }
        return Maker(**(tools | changes))

    def make(self, *faults: Fault, sequencer: str | None = None, **changes: Any) -> Outcome:
        return self.maker(*faults, **changes).make(TorrentRequest(REF, sequencer=sequencer))

    def torrent(self) -> bytes:
        return self.store.get(REF.torrent, 1 << 20)

    def item(self) -> dict[str, Any]:
        item = self.status.get(ID)
        assert item is not None
        return dict(item.attributes)

    def has_torrent(self) -> bool:
        try:
            self.store.head(REF.torrent)
        except S3TorrentError:
            return False
        return True


@pytest.fixture
def world() -> World:
    return World()


def test_an_object_gets_its_torrent_and_a_completed_item(world: World) -> None:
    world.store.upload(REF, BODY)
    outcome = world.make()
    metainfo = parse(world.torrent())
    assert (outcome.status, outcome.made) == ("COMPLETED", True)
    assert metainfo.name == "é+ü & 100%.bin"
    item = world.item()
    assert item["status"] == "COMPLETED"
    assert item["infoHashV1"] == infohash.v1(metainfo).hex()
    assert item["torrentKey"] == REF.torrent.key
    assert item["bytesRead"] == item["bytesHashed"] == item["size"] == len(BODY)
    assert "error" not in item


def test_the_same_event_again_reads_nothing_and_writes_nothing(world: World) -> None:
    world.store.upload(REF, BODY)
    world.make()
    before = world.store.head(REF.torrent), world.item()
    maker = world.maker()
    outcome = maker.make(TorrentRequest(REF))
    assert (outcome.status, outcome.made) == ("COMPLETED", False)
    assert (world.store.head(REF.torrent), world.item()) == before
    assert maker.store.calls["read"] == maker.store.calls["put"] == 0


def test_a_torrent_whose_item_was_lost_is_completed_without_reading_the_object(world: World) -> None:
    world.store.upload(REF, BODY)
    world.make()
    hashes = world.item()["infoHashV1"]
    world.status = MemoryStatus(lambda: world.now)
    maker = world.maker()
    outcome = maker.make(TorrentRequest(REF))
    assert (outcome.status, outcome.made) == ("COMPLETED", False)
    assert (world.item()["infoHashV1"], world.item()["bytesRead"]) == (hashes, 0)
    assert maker.store.calls["read"] == maker.store.calls["put"] == 0


def test_a_torrent_that_vanished_is_made_again_byte_for_byte(world: World) -> None:
    world.store.upload(REF, BODY)
    world.make()
    first = world.torrent()
    world.store.delete(REF.torrent)
    assert world.make().made
    assert world.torrent() == first


def test_a_new_version_replaces_our_torrent(world: World) -> None:
    world.store.upload(REF, BODY)
    world.make(sequencer="01")
    world.store.upload(REF, BODY[::-1])
    world.make(sequencer="02")
    assert parse(world.torrent()).pieces != b""
    assert world.item()["etag"] == world.store.head(REF).version.etag
    assert world.item()["attempt"] == 2


def test_another_policy_replaces_our_torrent(world: World) -> None:
    world.store.upload(REF, BODY)
    world.make()
    world.policy = TorrentPolicy(version="v2")
    assert world.make().made
    assert parse(world.torrent()).torrent_version == "v2"


def test_an_older_event_does_nothing_to_a_finished_newer_one(world: World) -> None:
    world.store.upload(REF, BODY)
    world.make(sequencer="0A")
    outcome = world.make(sequencer="05")
    assert (outcome.status, outcome.made, outcome.reason) == ("COMPLETED", False, "done before")
    assert world.item()["status"] == "COMPLETED"
    assert world.item()["sequencer"] == "0A"


@pytest.mark.parametrize(
    "metadata",
    [{}, {"s3torrent-source": "0" * 64}, {"s3torrent-policy": TorrentPolicy().policy_id}],
    ids=["none", "of another key", "without source"],
)
def test_a_foreign_torrent_is_never_touched(world: World, metadata: dict[str, str]) -> None:
    world.store.upload(REF, BODY)
    world.store.upload(REF.torrent, b"somebody's", metadata=metadata)
    outcome = world.make()
    assert outcome.status == world.item()["status"] == "SKIPPED"
    assert world.item()["error"]["type"] == "ForeignTorrent"
    assert world.torrent() == b"somebody's"


def test_our_torrent_copied_to_another_key_does_not_pass_for_ours_there(world: World) -> None:
    world.store.upload(REF, BODY)
    version = world.store.head(REF).version
    elsewhere = ObjectVersion(
        ObjectRef("bucket", "other"), None, version.etag, version.size, version.last_modified
    )
    world.store.upload(REF.torrent, b"copy", metadata=ownership(elsewhere, world.policy.policy_id))
    assert world.make().status == "SKIPPED"
    assert world.torrent() == b"copy"


def test_a_foreign_torrent_that_appears_while_hashing_is_not_overwritten(world: World) -> None:
    world.store.upload(REF, BODY)
    appear = Fault("read", after=50_000, does=lambda: world.store.upload(REF.torrent, b"theirs"))
    outcome = world.make(appear)
    assert outcome.status == "SKIPPED"
    assert world.torrent() == b"theirs"


def test_a_direct_wish_for_a_version_that_is_not_current_makes_nothing(world: World) -> None:
    world.store.create_bucket("bucket", versioned=True)
    old = world.store.upload(REF, BODY)
    new = world.store.upload(REF, BODY[::-1])
    outcome = world.maker().make(TorrentRequest(REF, version_id=old.version_id))
    assert (outcome.status, outcome.made, world.has_torrent()) == ("SKIPPED", False, False)
    assert world.maker().make(TorrentRequest(REF, version_id=new.version_id)).made
    late = TorrentRequest(REF, version_id=old.version_id, event="ObjectCreated:Put")
    assert world.maker().make(late).status == "COMPLETED"


def test_an_empty_object_is_skipped_with_its_reason(world: World) -> None:
    world.store.upload(REF, b"")
    outcome = world.make()
    assert outcome.status == "SKIPPED"
    assert "0 bytes" in world.item()["reason"]
    assert not world.has_torrent()


def test_a_file_of_a_catalogue_of_ours_is_skipped(world: World) -> None:
    """Its events come wherever the catalogue lies in the objects' own bucket, and nobody has excluded it."""
    world.store.upload(REF, BODY, metadata={CATALOG_MARK: "1"})
    outcome = world.make()
    assert (outcome.status, outcome.attributes["type"]) == ("SKIPPED", "CataloguePage")
    assert "a file of a catalogue" in world.item()["reason"]
    assert not world.has_torrent()
    world.store.upload(REF, BODY)
    assert world.make().made


@pytest.mark.parametrize("private", [False, True])
def test_the_item_tells_whether_the_torrent_is_private(world: World, private: bool) -> None:
    world.policy = TorrentPolicy(private=private)
    world.store.upload(REF, BODY)
    world.make()
    assert world.item().get("private") is (True if private else None)
    assert parse(world.torrent()).private is private
    world.policy = TorrentPolicy()
    world.make()
    assert "private" not in world.item()


def test_a_key_that_leaves_no_room_for_the_suffix_is_skipped(world: World) -> None:
    long = ObjectRef("bucket", "k" * 1017)
    world.store.upload(long, BODY)
    outcome = world.maker().make(TorrentRequest(long))
    assert (outcome.status, outcome.attributes["type"]) == ("SKIPPED", "KeyTooLong")
    fits = ObjectRef("bucket", "k" * 1016)
    world.store.upload(fits, BODY)
    assert world.maker().make(TorrentRequest(fits)).status == "COMPLETED"


@pytest.mark.parametrize("key", ["a/..", "a/.", "nul\0"])
def test_a_key_without_a_file_name_is_skipped(world: World, key: str) -> None:
    ref = ObjectRef("bucket", key)
    world.store.upload(ref, BODY)
    outcome = world.maker().make(TorrentRequest(ref))
    assert (outcome.status, outcome.attributes["type"]) == ("SKIPPED", "BadName")


def test_an_object_that_is_not_there_is_skipped_with_its_reason(world: World) -> None:
    outcome = world.make()
    assert outcome.status == world.item()["status"] == "SKIPPED"
    assert world.item()["error"]["type"] == "NoSuchObject"


def test_an_object_replaced_while_hashed_is_a_failure_to_be_retried_then_right(world: World) -> None:
    world.store.upload(REF, BODY)
    with pytest.raises(ObjectChanged):
        world.make(Fault("read", after=50_000, does=lambda: world.store.upload(REF, BODY[::-1])))
    assert (world.item()["status"], world.item()["error"]["retryable"]) == ("FAILED", True)
    assert not world.has_torrent()
    assert world.make().status == "COMPLETED"
    assert world.item()["etag"] == world.store.head(REF).version.etag


def test_an_object_replaced_after_its_last_byte_gets_no_torrent_of_the_old_bytes(world: World) -> None:
    """The second head of the object (third of all) is the look before publishing."""
    world.store.upload(REF, BODY)
    with pytest.raises(ObjectChanged):
        world.make(Fault("head", call=3, does=lambda: world.store.upload(REF, BODY[::-1])))
    assert not world.has_torrent()


@pytest.mark.parametrize("fault", [Fault("read", after=50_000), Fault("head", call=3)])
def test_an_object_deleted_while_hashed_is_skipped(world: World, fault: Fault) -> None:
    world.store.upload(REF, BODY)
    delete = Fault(fault.on, call=fault.call, after=fault.after, does=lambda: world.store.delete(REF))
    assert world.make(delete).status == world.item()["status"] == "SKIPPED"
    assert world.item()["error"]["type"] == "ObjectGone"
    assert not world.has_torrent()


@pytest.mark.parametrize("on", ["head", "read", "put"])
@pytest.mark.parametrize("error", [AccessDenied("s3:X on arn"), Throttled("503")], ids=lambda e: e.code)
def test_a_source_error_is_in_the_item_and_raised(world: World, on: Any, error: S3TorrentError) -> None:
    world.store.upload(REF, BODY)
    with pytest.raises(type(error)):
        world.make(Fault(on, error=error))
    assert world.item()["status"] == "FAILED"
    assert world.item()["error"]["message"] == error.message
    assert world.make().status == "COMPLETED"
    assert "error" not in world.item()


def test_without_list_permission_a_missing_torrent_answers_403_and_is_made_all_the_same(world: World) -> None:
    world.store.upload(REF, BODY)
    assert world.make(Fault("head", call=2, error=AccessDenied("403"))).made


def test_a_torrent_that_may_not_be_looked_at_is_not_overwritten(world: World) -> None:
    world.store.upload(REF, BODY)
    world.store.upload(REF.torrent, b"somebody's")
    denied = [Fault("head", call=call, error=AccessDenied("403")) for call in (2, 4)]
    with pytest.raises(AccessDenied):
        world.make(*denied)
    assert world.torrent() == b"somebody's"
    assert world.item()["error"]["type"] == "AccessDenied"


@pytest.mark.parametrize("on", ["head", "read"])
def test_a_table_that_fails_too_does_not_hide_the_first_error(world: World, on: Any) -> None:
    class Broken(MemoryStatus):
        def note(self, *_: Any, **__: Any) -> bool:
            raise TableMissing("no table")

        def finish(self, *_: Any, **__: Any) -> None:
            raise TableMissing("no table")

    world.store.upload(REF, BODY)
    with pytest.raises(AccessDenied) as caught:
        world.make(Fault(on, error=AccessDenied("denied")), status=Broken(lambda: world.now))
    assert "no table" in caught.value.__notes__[0]


def test_a_defect_is_in_the_item_too_and_does_not_hold_the_object(world: World) -> None:
    class Broken:
        name = "native"

        def build(self, *_: object) -> None:
            raise RuntimeError("boom")

    world.store.upload(REF, BODY)
    with pytest.raises(RuntimeError):
        world.make(engine=Broken())
    assert (world.item()["status"], world.item()["error"]["type"]) == ("FAILED", "RuntimeError")
    assert world.make().status == "COMPLETED"


def claim_of_another(world: World) -> Claimed:
    version = world.store.head(REF).version
    claim = world.status.claim(Job(ID, version, world.policy.policy_id), owner="other", lease_seconds=60)
    assert isinstance(claim, Claimed)
    return claim


def test_an_object_in_other_hands_is_left_to_them_until_their_lease_runs_out(world: World) -> None:
    world.store.upload(REF, BODY)
    claim_of_another(world)
    with pytest.raises(HeldByAnother):
        world.make()
    assert not world.has_torrent()
    world.now += timedelta(seconds=61)
    assert world.make().status == "COMPLETED"


def test_a_worker_that_lost_its_lease_says_nothing_more(world: World) -> None:
    """It slept past its lease in the middle of reading; another took over and finished."""

    def sleep() -> None:
        world.now += timedelta(seconds=61)
        world.make(owner="second")

    world.store.upload(REF, BODY)
    with pytest.raises(LeaseLost):
        world.make(Fault("read", after=50_000, does=sleep))
    assert (world.item()["status"], world.item()["attempt"]) == ("COMPLETED", 2)


class Telling:
    """Tells its progress every 10,000 bytes, as a long reading does every half second."""

    name = "native"

    def build(self, content: Any, policy: Any, reader: Any, progress: Any, memory: Any = None) -> Any:
        for done in range(10_000, len(BODY), 10_000):
            progress(done)
        return NativeEngine(1).build(content, policy, reader, progress, memory)


def test_the_lease_is_renewed_while_the_bytes_flow(world: World) -> None:
    seen: list[tuple[str, int]] = []
    ticks = iter(range(0, 100_000, 15))
    world.store.upload(REF, BODY)

    class Watching(MemoryStatus):
        def renew(self, claim: Claimed, **told: Any) -> Claimed:
            seen.append((told["status"], told["bytes_hashed"]))
            return super().renew(claim, **told)

    world.status = Watching(lambda: world.now)
    world.make(monotonic=lambda: next(ticks), engine=Telling())
    assert len([status for status, _ in seen if status == "CREATING_TORRENT"]) >= 4
    assert [count for _, count in seen] == sorted(count for _, count in seen)
    assert seen[-1][1] == len(BODY)


def test_past_its_deadline_it_ends_with_the_reason_and_what_was_done(world: World) -> None:
    world.store.upload(REF, BODY)
    ticks = iter(range(100))
    maker = world.maker(monotonic=lambda: float(next(ticks)), engine=Telling())
    with pytest.raises(OutOfTime, match=r"30,000 of 102,400 bytes"):
        maker.make(TorrentRequest(REF), deadline=4.0)
    assert (world.item()["status"], world.item()["error"]["type"]) == ("FAILED", "OutOfTime")
    assert world.make().status == "COMPLETED"


def test_two_at_once_make_one_torrent_and_neither_fails(world: World) -> None:
    """The other published the same torrent between our look and our write."""
    world.store.upload(REF, BODY)
    rival = world.maker(status=MemoryStatus(lambda: world.now))
    outcome = world.make(Fault("put", does=lambda: rival.make(TorrentRequest(REF))))
    assert outcome.status == "COMPLETED"
    assert parse(world.torrent()).size == len(BODY)


def test_a_torrent_of_another_version_that_appeared_first_sends_the_event_back(world: World) -> None:
    world.store.upload(REF, BODY)
    other = ObjectVersion(REF, None, "other", 1, world.now)

    def appear() -> None:
        world.store.upload(REF.torrent, b"newer", metadata=ownership(other, world.policy.policy_id))

    with pytest.raises(WriteConflict):
        world.make(Fault("put", does=appear))
    assert world.torrent() == b"newer"
    assert world.item()["error"]["retryable"]


def test_the_torrent_carries_our_content_type_and_ownership(world: World) -> None:
    written: dict[str, Any] = {}

    class Recording(FailingStore):
        def put(self, ref: ObjectRef, body: bytes, **told: Any) -> Any:
            written.update(told)
            return super().put(ref, body, **told)

    world.store.upload(REF, BODY)
    world.make(store=Recording(world.store, []))
    assert written["content_type"] == CONTENT_TYPE
    assert written["metadata"] == ownership(world.store.head(REF).version, world.policy.policy_id)
    assert all(value.isascii() for value in written["metadata"].values())
