"""Every fault that an audit is to find, put in on purpose, and its mend."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo.build import build
from s3torrent.metainfo.model import FileEntry, Metainfo
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.audit import Auditor, Look
from s3torrent.pipeline.findings import Finding, Kind
from s3torrent.pipeline.make import Maker
from s3torrent.pipeline.mend import mend
from s3torrent.pipeline.publish import CONTENT_TYPE, ownership
from s3torrent.pipeline.survey import survey
from s3torrent.status.base import Claimed, Job
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, TorrentRequest

REF = ObjectRef("bucket", "shows/é+ü & 100%.bin")
BODY = bytes(range(256)) * 400


@dataclass
class World:
    """A bucket in which one object has its torrent and its status item."""

    remove: bool = False
    now: datetime = datetime(2026, 11, 24, tzinfo=UTC)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.store.create_bucket("bucket")
        self.status = MemoryStatus(lambda: self.now)
        self.store.upload(REF, BODY)
        self.maker = Maker(
            self.store, self.status, NativeEngine(threads=1), TorrentPolicy(), "worker", 60.0,
            self.now.timestamp, remove_torrents=self.remove,
        )  # fmt: skip
        self.maker.make(TorrentRequest(REF))

    def auditor(self, *, table: bool = True) -> Auditor:
        status = self.status if table else None
        drops = lambda ref: "left out" if ref.key.startswith("out/") else None  # noqa: E731
        return Auditor(self.store, status, drops, lambda: self.now, keeps=not self.remove)

    def looks(self, *, table: bool = True) -> list[Look]:
        auditor = self.auditor(table=table)
        looks = [auditor.look(found) for found in survey(self.store.list_objects("bucket", ""))]
        items = self.status.items("s3://bucket/") if table else ()
        return [*looks, *(look for look in map(auditor.look_at_item, items) if look.finding)]

    def findings(self, *, table: bool = True) -> list[Finding]:
        return [look.finding for look in self.looks(table=table) if look.finding]

    def only(self) -> Finding:
        [found] = self.findings()
        return found

    def rewrite(self, body: bytes, metadata: dict[str, str] | None = None) -> None:
        """Another KEY.torrent, by default with the marks of the one there."""
        there = self.store.head(REF.torrent)
        marks = dict(there.metadata) if metadata is None else metadata
        self.store.put(REF.torrent, body, replaces=there.version, content_type=CONTENT_TYPE, metadata=marks)

    def delete(self, ref: ObjectRef) -> None:
        self.store.remove(self.store.head(ref).version)

    def torrent(self) -> Metainfo:
        return parse(self.store.get(REF.torrent, 1 << 20))

    def note_again(self, **attributes: object) -> None:
        """The status item as COMPLETED with other attributes."""
        version = self.store.head(REF).version
        job = Job(str(REF), version, TorrentPolicy().policy_id)
        item = self.status.get(str(REF))
        assert item
        claim = self.status.claim(job, owner="x", lease_seconds=60, redo=True)
        assert isinstance(claim, Claimed)
        self.status.finish(claim, "COMPLETED", {**item.attributes, **attributes})


@pytest.fixture
def world() -> World:
    return World()


def test_a_clean_bucket_has_no_findings(world: World) -> None:
    """Nor has what belongs to nobody: somebody's lone .torrent, empty objects, what the rules leave out."""
    for key, body in (("ubuntu.torrent", b"x"), ("empty", b""), ("out/x", b"x"), ("out/y.torrent", b"y")):
        world.store.upload(ObjectRef("bucket", key), body)
    assert world.findings() == []
    assert sum(look.metainfo is not None for look in world.looks()) == 1


class TestMissing:
    def test_it_is_found_and_made(self, world: World) -> None:
        world.delete(REF.torrent)
        found = world.only()
        assert (found.kind, found.ref) == (Kind.MISSING, REF)
        assert mend(found, world.maker) == ""
        assert world.findings() == []

    def test_what_is_being_worked_on_is_not_missing_yet(self, world: World) -> None:
        """Until the lease of the work ends."""
        world.delete(REF.torrent)
        job = Job(str(REF), world.store.head(REF).version, "policy")
        world.status.claim(job, owner="B", lease_seconds=60)
        assert world.findings() == []
        world.now += timedelta(seconds=60)
        assert world.only().kind is Kind.MISSING
        assert "CREATING_TORRENT" in world.only().detail

    @pytest.mark.parametrize(
        ("error", "missing"), [("Archived", False), ("ForeignTorrent", True), ("ObjectGone", True)]
    )
    def test_what_was_refused_for_good_is_not_missing(self, world: World, error: str, missing: bool) -> None:
        """But what stood in the way of may have gone."""
        world.delete(REF.torrent)
        job = Job(str(REF), world.store.head(REF).version, "policy")
        claim = world.status.claim(job, owner="B", lease_seconds=60)
        assert isinstance(claim, Claimed)
        world.status.finish(claim, "SKIPPED", {"reason": "so", "error": {"type": error}})
        assert [found.kind for found in world.findings()] == [Kind.MISSING] * missing

    def test_what_an_older_content_was_refused_for_says_nothing_of_this_one(self, world: World) -> None:
        world.delete(REF.torrent)
        job = Job(str(REF), replace(world.store.head(REF).version, etag="older"), "policy")
        claim = world.status.claim(job, owner="B", lease_seconds=60)
        assert isinstance(claim, Claimed)
        world.status.finish(claim, "SKIPPED", {"reason": "so", "error": {"type": "Archived"}})
        assert world.only().kind is Kind.MISSING


class TestStale:
    def test_it_is_found_and_made_anew(self, world: World) -> None:
        world.store.upload(REF, b"other" * 9000)
        found = world.only()
        assert found.kind is Kind.STALE
        assert mend(found, world.maker) == ""
        assert world.torrent().size == 45000
        assert world.findings() == []


class TestForeign:
    def test_it_is_found_and_stays(self, world: World) -> None:
        world.rewrite(b"mine", {})
        found = world.only()
        assert found.kind is Kind.FOREIGN
        assert "never touched" in mend(found, world.maker)
        assert world.store.get(REF.torrent, 10) == b"mine"

    def test_a_torrent_that_was_copied_here_is_not_ours(self, world: World) -> None:
        elsewhere = ObjectRef("bucket", "elsewhere.bin")
        body = world.store.get(REF.torrent, 1 << 20)
        world.store.put(
            elsewhere.torrent, body, replaces=None, content_type=CONTENT_TYPE,
            metadata=world.store.head(REF.torrent).metadata,
        )  # fmt: skip
        assert world.findings() == []
        world.store.upload(elsewhere, BODY)
        assert [found.kind for found in world.findings()] == [Kind.FOREIGN]


class TestOrphaned:
    def test_it_is_found_and_removed_where_torrents_are_to_go(self) -> None:
        world = World(remove=True)
        world.delete(REF)
        found = world.only()
        assert (found.kind, found.ref) == (Kind.ORPHANED, REF)
        assert mend(found, world.maker) == ""
        assert list(world.store.list_objects("bucket", "")) == []
        assert world.findings() == []

    def test_it_is_kept_and_noted_where_torrents_are_kept(self, world: World) -> None:
        world.delete(REF)
        assert world.only().kind is Kind.ORPHANED
        assert mend(world.only(), world.maker) == ""
        assert world.torrent().size == len(BODY)
        item = world.status.get(str(REF))
        assert item
        assert item.status == "DELETED"
        assert world.findings() == []

    def test_an_object_that_is_back_keeps_its_torrent(self) -> None:
        """Between audit and mend."""
        world = World(remove=True)
        world.delete(REF)
        found = world.only()
        world.store.upload(REF, BODY)
        assert mend(found, world.maker) == ""
        assert world.torrent().size == len(BODY)

    def test_an_object_that_came_since_it_was_listed_is_no_orphan_s(self, world: World) -> None:
        [listed] = survey(world.store.list_objects("bucket", REF.torrent.key))
        assert listed.object is None
        assert world.auditor().look(listed) == Look(passed="its object came back meanwhile")

    def test_where_torrents_are_to_go_one_that_was_kept_is_a_finding(self, world: World) -> None:
        """TORRENT_ON_DELETE was ``keep`` when its object went."""
        world.delete(REF)
        assert mend(world.only(), world.maker) == ""
        [listed] = survey(world.store.list_objects("bucket", ""))
        looks = [replace(world.auditor(), keeps=keeps).look(listed) for keeps in (True, False)]
        assert [look.finding and look.finding.kind for look in looks] == [None, Kind.ORPHANED]

    def test_a_torrent_of_what_the_rules_leave_out_is_nobody_s_business(self) -> None:
        """Ours, from before there was the rule."""
        world = World()
        left_out = ObjectRef("bucket", "out/x")
        world.store.upload(left_out, BODY)
        world.maker.make(TorrentRequest(left_out))
        world.delete(left_out)
        assert world.findings() == []


class TestUnreadable:
    @pytest.mark.parametrize("table", [True, False])
    def test_bytes_that_are_no_torrent(self, world: World, table: bool) -> None:
        world.rewrite(b"d4:infode")
        [found] = world.findings(table=table)
        assert found.kind is Kind.UNREADABLE
        assert mend(found, world.maker) == ""
        assert world.torrent().size == len(BODY)
        assert world.findings() == []

    @pytest.mark.parametrize("change", [{"name": "other.bin"}, {"length": 7}])
    def test_a_torrent_of_something_else(self, world: World, change: dict[str, object]) -> None:
        other = World()
        key = ObjectRef("bucket", str(change.get("name", "x/" + REF.key)))
        other.store.upload(key, BODY[: int(str(change.get("length", len(BODY))))])
        other.maker.make(TorrentRequest(key))
        world.rewrite(other.store.get(key.torrent, 1 << 20))
        assert world.only().kind is Kind.UNREADABLE
        assert mend(world.only(), world.maker) == ""
        assert world.findings() == []

    def test_a_folder_of_that_name_and_size(self, world: World) -> None:
        """One file in a folder of the object's name is not the object."""
        built = build(
            name=world.torrent().name, files=[FileEntry(("a",), len(BODY))], single_file=False,
            piece_length=16384, version="v1", pieces=world.torrent().pieces, file_roots=None, piece_layers=None,
        )  # fmt: skip
        world.rewrite(built.encode())
        assert world.only().kind is Kind.UNREADABLE


class TestStatus:
    def test_no_item(self, world: World) -> None:
        world.status = MemoryStatus(lambda: world.now)
        world.maker = replace(world.maker, status=world.status)
        found = world.only()
        assert (found.kind, found.detail) == (Kind.STATUS, "there is a torrent, but no status item")
        assert mend(found, world.maker) == ""
        assert world.findings() == []

    @pytest.mark.parametrize("name", ["infoHashV1", "infoHashV2", "torrentKey", "policyId", "etag", "size"])
    def test_an_item_that_says_something_else(self, world: World, name: str) -> None:
        world.note_again(**{name: "other"})
        found = world.only()
        assert found.kind is Kind.STATUS
        assert found.detail.startswith(f"{name} is 'other' in its status item, expected ")
        assert mend(found, world.maker) == ""
        assert world.findings() == []

    def test_an_item_that_failed_although_the_torrent_is_there(self, world: World) -> None:
        job = Job(str(REF), world.store.head(REF).version, TorrentPolicy().policy_id)
        claim = world.status.claim(job, owner="B", lease_seconds=60, redo=True)
        assert isinstance(claim, Claimed)
        world.status.finish(claim, "FAILED", {"reason": "no luck"})
        assert world.only().detail == "there is a torrent, but FAILED: no luck"
        assert mend(world.only(), world.maker) == ""
        assert world.findings() == []

    def test_an_item_whose_object_and_torrent_are_gone(self, world: World) -> None:
        world.delete(REF)
        world.delete(REF.torrent)
        assert world.only().kind is Kind.STATUS
        assert mend(world.only(), world.maker) == ""
        item = world.status.get(str(REF))
        assert item
        assert item.status == "DELETED"
        assert world.findings() == []

    def test_without_a_table_none_is_looked_for(self, world: World) -> None:
        world.note_again(infoHashV1="other")
        assert world.findings(table=False) == []


class TestDifferent:
    def test_the_content_is_read_and_compared(self, world: World) -> None:
        """A torrent with our marks, valid, of the right name and size, and other hashes."""
        other = World()
        other.store.upload(REF, bytes(len(BODY)))
        other.maker.make(TorrentRequest(REF))
        world.rewrite(other.store.get(REF.torrent, 1 << 20))
        assert world.findings(table=False) == []
        look = world.auditor().compare(REF, world.torrent(), threads=1)
        assert look.finding
        assert look.finding.kind is Kind.DIFFERENT
        assert look.finding.detail == "7 of 7 pieces differ"
        assert mend(look.finding, world.maker) == ""
        assert world.auditor().compare(REF, world.torrent(), threads=1).metainfo
        assert world.findings() == []

    def test_an_object_that_went_away_is_passed_over(self, world: World) -> None:
        metainfo = world.torrent()
        world.delete(REF)
        assert world.auditor().compare(REF, metainfo, threads=1).passed


def test_what_changed_since_it_was_listed_is_no_fault(world: World) -> None:
    """The listing told of a torrent of the older content; both were replaced meanwhile."""
    listed = list(survey(world.store.list_objects("bucket", "")))
    world.store.upload(REF, b"new" * 9000)
    world.maker.make(TorrentRequest(REF))
    assert [world.auditor().look(found).finding for found in listed] == [None]


def test_marks_are_of_the_object_that_is_there() -> None:
    """What this file relies on: rewriting keeps the marks that make a torrent ours."""
    world = World()
    version = world.store.head(REF).version
    assert world.store.head(REF.torrent).metadata == ownership(version, TorrentPolicy().policy_id)
