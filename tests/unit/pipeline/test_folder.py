"""A folder's own torrent: when it is made, of what, and what it says of the one before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import HeldByAnother, ObjectChanged, OutOfTime, Throttled
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.folder import LONGEST_WAIT, Folders
from s3torrent.pipeline.make import Maker
from s3torrent.status.base import Claimed, Job
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.metainfo.model import Metainfo
    from s3torrent.pipeline.outcome import Outcome
    from s3torrent.types import ObjectVersion

FOLDER = ObjectRef("bucket", "shows/é+ü & 100%/")
QUIET = 300.0


@dataclass
class World:
    """A bucket, a table, a clock that moves when told, and the messages that were sent."""

    version: str = "v1"
    store: MemoryStore = field(default_factory=MemoryStore)
    sent: list[tuple[ObjectRef, float]] = field(default_factory=list)
    quiet: float = QUIET
    later: float = 1000.0

    def __post_init__(self) -> None:
        self.store.create_bucket("bucket")
        self.start = datetime.now(UTC)
        self.status = MemoryStatus(lambda: self.now)
        self.policy = TorrentPolicy(version=self.version, piece_length=16384)

    @property
    def now(self) -> datetime:
        """Objects are written at the machine's own time."""
        return datetime.now(UTC) + timedelta(seconds=self.later)

    def upload(self, name: str, body: bytes) -> None:
        self.store.upload(ObjectRef("bucket", FOLDER.key + name), body)

    def folders(self, *faults: Fault, **changes: object) -> Folders:
        store = FailingStore(self.store, faults)
        maker = Maker(
            store, self.status, NativeEngine(threads=1), self.policy, "worker", 60.0, lambda: 0.0,
            control_prefix=".s3torrent/",
        )  # fmt: skip
        return Folders(replace(maker, **changes), self.store, self.quiet, lambda: self.now)  # type: ignore[arg-type]

    def remind(self, folder: ObjectRef, seconds: float) -> None:
        self.sent.append((folder, seconds))

    def take(self, *faults: Fault) -> Outcome:
        return self.folders(*faults).take(FOLDER, self.remind)

    def torrent(self) -> Metainfo:
        return parse(self.store.get(ObjectRef("bucket", "shows/é+ü & 100%.torrent"), 1 << 20))


@pytest.fixture
def world() -> World:
    world = World()
    world.upload("a.mkv", bytes(20_000))
    world.upload("extras/b.mkv", b"b" * 20_000)
    return world


class TestStirring:
    def test_one_message_is_under_way_at_most(self, world: World) -> None:
        world.later = 0
        folders = world.folders()
        assert folders.stir(FOLDER, world.remind)
        assert not folders.stir(FOLDER, world.remind)
        assert world.sent == [(FOLDER, QUIET + 1)]
        world.later = QUIET + 1
        assert folders.stir(FOLDER, world.remind)

    def test_a_message_that_could_not_be_sent_is_sent_by_the_next(self, world: World) -> None:
        def fail(_folder: ObjectRef, _seconds: float) -> None:
            raise Throttled("busy")

        with pytest.raises(Throttled):
            world.folders().stir(FOLDER, fail)
        assert world.folders().stir(FOLDER, world.remind)

    def test_none_waits_longer_than_a_queue_lets_it(self, world: World) -> None:
        world.quiet = 86_400
        world.folders().stir(FOLDER, world.remind)
        world.take()
        assert world.sent == [(FOLDER, LONGEST_WAIT)] * 2


class TestQuiet:
    def test_while_something_was_just_written_it_is_put_off(self, world: World) -> None:
        world.later = 0
        assert world.take().status == "PENDING"
        [(folder, seconds)] = world.sent
        assert folder == FOLDER
        assert QUIET - 5 < seconds < QUIET + 2
        assert not [one for one in world.store.list_objects("bucket", "") if one.ref.key.endswith(".torrent")]

    def test_it_is_put_off_although_a_message_seems_under_way(self, world: World) -> None:
        """By clocks that differ: what was read was the last there is."""
        world.later = 0
        world.folders().stir(FOLDER, world.remind)
        world.take()
        assert len(world.sent) == 2

    def test_then_it_gets_its_torrent(self, world: World) -> None:
        outcome = world.take()
        assert (outcome.status, outcome.made, world.sent) == ("COMPLETED", True, [])
        made = world.torrent()
        assert [str(entry) for entry in made.files] == ["a.mkv", "extras/b.mkv"]
        assert made.name == "é+ü & 100%"
        item = world.status.get(str(FOLDER))
        assert item
        assert item.status == "COMPLETED"
        assert item.get("infoHashV1") == (infohash.v1(made) or b"").hex()
        assert item.get("torrentKey") == "shows/é+ü & 100%.torrent"

    def test_the_same_content_is_done(self, world: World) -> None:
        """What was made of it beside its objects changes nothing."""
        world.take()
        world.upload("a.mkv.torrent", b"x")
        outcome = world.take()
        assert (outcome.status, outcome.made) == ("COMPLETED", False)

    @pytest.mark.parametrize("change", ["content", "name"])
    def test_another_state_of_the_same_size_is_not_done(self, world: World, change: str) -> None:
        world.take()
        before = world.torrent()
        if change == "content":
            world.upload("a.mkv", b"a" * 20_000)
        else:
            world.store.remove(world.store.head(ObjectRef("bucket", FOLDER.key + "a.mkv")).version)
            world.upload("A.mkv", bytes(20_000))
        assert world.take().made
        assert world.torrent().info != before.info

    def test_a_try_whose_time_is_up_leaves_what_it_hashed_to_the_next(self) -> None:
        """In the bucket's control prefix, until it is done."""
        world = World()
        for number in range(3):
            world.upload(f"{number}", bytes([number]) * (9 << 20))
        clock = iter([0.0] * 5 + [1000.0] * 1000)
        folders = world.folders(monotonic=lambda: next(clock), checkpoint_seconds=0.0)
        with pytest.raises(OutOfTime) as ended:
            folders.take(FOLDER, world.remind, deadline=500.0)
        assert ended.value.progressed
        assert list(world.store.list_objects("bucket", ".s3torrent/"))
        outcome = world.take()
        assert outcome.made
        assert 0 < outcome.attributes["bytesRead"] < 27 << 20
        assert not list(world.store.list_objects("bucket", ".s3torrent/"))
        alone = World()
        for number in range(3):
            alone.upload(f"{number}", bytes([number]) * (9 << 20))
        alone.take()
        assert alone.torrent().info_raw == world.torrent().info_raw

    def test_a_torrent_that_was_lost_is_made_again(self, world: World) -> None:
        world.take()
        before = world.torrent()
        world.store.remove(world.store.head(FOLDER.torrent).version)
        assert world.take().made
        assert world.torrent() == before


class TestSimilar:
    @pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
    def test_it_names_those_before_it_beside_the_info_dict(self, version: str) -> None:
        """The last first; ten at most; the info-hash is that of the content alone."""
        world = World(version=version)
        hashes: list[bytes] = []
        for number in range(13):
            world.upload(f"{number}", bytes([number]) * 20_000)
            world.take()
            made = world.torrent()
            assert made.top.get(b"similar", []) == hashes[::-1][:10]
            hashes.append(infohash.v1(made) or (infohash.v2(made) or b"")[:20])
        alone = World(version=version)
        for number in range(13):
            alone.upload(f"{number}", bytes([number]) * 20_000)
        alone.take()
        assert alone.torrent().info_raw == made.info_raw
        assert b"similar" not in alone.torrent().top

    def test_it_never_names_itself(self, world: World) -> None:
        """Content that is back as it was has the info-hash it had."""
        world.take()
        world.upload("c", b"c")
        world.take()
        world.store.remove(world.store.head(ObjectRef("bucket", FOLDER.key + "c")).version)
        world.take()
        made = world.torrent()
        assert infohash.v1(made) not in made.top[b"similar"]
        assert len(made.top[b"similar"]) == 1


class TestRefused:
    def test_somebody_s_own_torrent_stays(self, world: World) -> None:
        world.store.upload(FOLDER.torrent, b"mine")
        outcome = world.take()
        assert (outcome.status, outcome.attributes["type"]) == ("SKIPPED", "ForeignTorrent")
        assert world.store.get(FOLDER.torrent, 10) == b"mine"

    def test_that_of_an_object_of_the_folder_s_name_is_not_ours(self, world: World) -> None:
        """``shows/x`` and ``shows/x/`` would have one KEY.torrent."""
        one = ObjectRef("bucket", FOLDER.key.removesuffix("/"))
        world.store.upload(one, b"content")
        world.folders().maker.make(TorrentRequest(one))
        before = world.store.get(FOLDER.torrent, 1 << 20)
        assert world.take().status == "SKIPPED"
        assert world.store.get(FOLDER.torrent, 1 << 20) == before

    def test_nothing_there(self, world: World) -> None:
        outcome = world.folders().take(ObjectRef("bucket", "empty/"), world.remind)
        assert (outcome.status, outcome.attributes["type"]) == ("SKIPPED", "NoSuchObject")

    def test_too_much_for_one_run(self, world: World) -> None:
        folders = world.folders(engine=NativeEngine(threads=1, most=1000))
        outcome = folders.take(FOLDER, world.remind)
        assert (outcome.status, outcome.attributes["type"]) == ("SKIPPED", "TooLarge")

    def test_a_held_one_comes_back(self, world: World) -> None:
        folders = world.folders()
        folders.take(FOLDER, world.remind)
        world.upload("c", b"c")
        world.status.reserve(str(FOLDER), owner="folder/other", lease_seconds=60)
        with pytest.raises(HeldByAnother):
            folders.take(FOLDER, world.remind)

    def test_an_object_that_is_replaced_meanwhile_fails_and_is_told(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = world.store
        listed = store.list_objects

        def list_objects(bucket: str, prefix: str) -> Iterator[ObjectVersion]:
            """As it was when asked; then the first is replaced."""
            yield from list(listed(bucket, prefix))
            world.upload("a.mkv", b"other" * 5000)

        monkeypatch.setattr(store, "list_objects", list_objects)
        with pytest.raises(ObjectChanged):
            world.take()
        item = world.status.get(str(FOLDER))
        assert item
        assert item.status == "FAILED"


def test_a_worker_that_died_is_taken_over(world: World) -> None:
    """Its claim has run out."""
    world.take()
    world.upload("c", b"c")
    job = Job(str(FOLDER), world.store.head(FOLDER.torrent).version, "policy")
    assert isinstance(world.status.claim(job, owner="B", lease_seconds=1), Claimed)
    assert world.take().made
