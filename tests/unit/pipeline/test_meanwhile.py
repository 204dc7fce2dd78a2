"""What others do between two steps of ours, as the state machine (tests/state) found it: each find by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.errors import LeaseLost, ObjectChanged, ObjectGone, WriteConflict
from s3torrent.pipeline.publish import ownership
from s3torrent.store.failing import Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import TorrentRequest
from support.reference import content
from support.uploading import REF, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.pipeline.outcome import Outcome

DELETED = "ObjectRemoved:Delete"
FIRST, SECOND = content(5000), content(6000, "second")


def event(world: World, *faults: Fault, name: str = "ObjectCreated:Put", at: str | None = None) -> Outcome:
    """One delivery, where torrents of what is deleted are to be removed."""
    maker = replace(world.function(*faults), remove_torrents=True)
    return maker.make(TorrentRequest(REF, sequencer=at, event=name))


class StatusThat:
    """The world's status; ``does`` is done once, just before ``step``."""

    def __init__(self, world: World, step: str, does: Callable[[], object]) -> None:
        self._inner, self._step, self._does = world.status, step, [does]

    def __getattr__(self, name: str) -> Any:
        if name == self._step and self._does:
            self._does.pop()()
        return getattr(self._inner, name)


@pytest.fixture
def world() -> World:
    """An object and its torrent, COMPLETED by event 01."""
    world = World(store=MemoryStore())
    world.store.create_bucket("bucket", versioned=True)
    world.store.upload(REF, FIRST)
    event(world, at="01")
    return world


def undelete(world: World) -> None:
    world.store.delete(REF, world.store._buckets["bucket"].keys[REF.key][-1].head.version.version_id)


def deleted(world: World, *faults: Fault, at: str = "02") -> None:
    """Its deletion is taken up, and found to be over when it is done."""
    with pytest.raises(ObjectChanged):
        event(world, *faults, name=DELETED, at=at)


def test_undeleted_while_its_torrent_is_removed_it_gets_it_back(world: World) -> None:
    """The later event saw the torrent still there, and its object done; the late deletion, sent back, mends it."""
    world.store.delete(REF)

    def back() -> None:
        undelete(world)
        event(world, name=DELETED, at="03")

    deleted(world, Fault("remove", does=back))
    assert (world.item()["status"], world.is_there(REF.torrent)) == ("COMPLETED", False)
    event(world, name=DELETED, at="02")
    assert (world.item()["status"], world.torrent()) == ("COMPLETED", world.right_torrent())
    assert world.item()["sequencer"] == "03"


def test_a_deletion_that_is_told_late_does_not_hide_an_upload_that_is_done(world: World) -> None:
    """put has no sequencer to tell which is newer."""
    world.store.delete(REF)
    maker = world.function()
    maker = replace(maker, status=StatusThat(world, "note", lambda: world.put(SECOND)))
    with pytest.raises(ObjectChanged):
        maker.make(TorrentRequest(REF, sequencer="02", event=DELETED))
    event(world, name=DELETED, at="02")
    assert (world.item()["status"], world.torrent()) == ("COMPLETED", world.right_torrent())


def test_a_conflict_while_a_torrent_is_removed_is_tried_again(world: World) -> None:
    """409: another request is at the torrent, and it stays."""
    world.store.delete(REF)
    with pytest.raises(WriteConflict):
        event(world, Fault("remove", error=WriteConflict("409")), name=DELETED, at="02")
    event(world, name=DELETED, at="02")
    assert (world.item()["status"], world.is_there(REF.torrent)) == ("DELETED", False)


def test_what_a_slow_worker_published_after_the_deletion_goes_when_its_event_comes_again() -> None:
    world = World()
    world.store.upload(REF, FIRST)

    def meanwhile() -> None:
        world.store.delete(REF)
        world.now = world.now.replace(hour=1)
        event(world, name=DELETED, at="02")

    with pytest.raises(LeaseLost):
        event(world, Fault("put", does=meanwhile), at="01")
    assert (world.item()["status"], world.is_there(REF.torrent)) == ("DELETED", True)
    event(world, at="01")
    assert (world.item()["status"], world.is_there(REF.torrent)) == ("DELETED", False)


def test_an_item_never_tells_of_one_version_with_the_torrent_of_another(world: World) -> None:
    """A second delivery of 01 saw the torrent of the first version; put replaced both before it claimed."""
    maker = replace(
        world.function(), status=StatusThat(world, "claim", lambda: world.put(SECOND, force=True))
    )
    with pytest.raises((ObjectChanged, WriteConflict)):
        maker.make(TorrentRequest(REF, sequencer="01"))
    assert world.item()["status"] == "FAILED"
    event(world, at="02")
    assert world.item()["etag"] == world.store.head(REF).version.etag
    assert (world.item()["status"], world.torrent()) == ("COMPLETED", world.right_torrent())


def test_an_event_that_finds_its_work_done_makes_those_before_it_older() -> None:
    """01 pinned an empty object, which put replaced; 02 told of that, and 01, slow, takes nothing back."""
    world = World()
    world.store.upload(REF, b"")

    def replaced() -> None:
        world.put(SECOND, force=True)
        event(world, at="02")

    maker = replace(world.function(), status=StatusThat(world, "claim", replaced))
    assert maker.make(TorrentRequest(REF, sequencer="01")).status == "SKIPPED"
    assert (world.item()["status"], world.item()["sequencer"]) == ("COMPLETED", "02")
    assert world.torrent() == world.right_torrent()


def test_an_older_event_mends_a_lost_torrent(world: World) -> None:
    """It may be the last to come, and what lies there counts; the newest event stays the one taken up last."""
    world.store.upload(REF, SECOND)
    event(world, at="05")
    world.store.delete(REF.torrent)
    assert event(world, at="02").made
    assert (world.item()["status"], world.torrent()) == ("COMPLETED", world.right_torrent())
    assert world.item()["sequencer"] == "05"


def test_an_uploader_that_was_slow_takes_nothing_from_who_came_after_it() -> None:
    """Its reservation ran out, its object was replaced, and that one's torrent made: the item stays as it is."""
    world = World()

    def overtaken() -> None:
        world.now = world.now.replace(hour=1)
        world.store.upload(REF, SECOND)
        event(world, at="02")

    with pytest.raises(ObjectChanged):
        world.put(FIRST, status=StatusThat(world, "claim", overtaken))
    assert (world.item()["status"], world.torrent()) == ("COMPLETED", world.right_torrent())
    assert world.item()["etag"] == world.store.head(REF).version.etag


def test_an_uploader_whose_object_was_deleted_leaves_no_torrent_and_no_result() -> None:
    world = World()

    def removed() -> None:
        world.store.delete(REF)
        event(world, name=DELETED, at="02")

    with pytest.raises(ObjectGone):
        world.put(FIRST, status=StatusThat(world, "claim", removed))
    assert (world.item()["status"], world.is_there(REF.torrent)) == ("DELETED", False)


def test_an_uploader_whose_work_is_finished_by_another_does_not_begin_it_again() -> None:
    """It might die at it, and no event would come any more."""
    world = World()

    def finished() -> None:
        world.now = world.now.replace(hour=1)
        event(world, at="01")

    world.put(FIRST, status=StatusThat(world, "claim", finished))
    assert (world.item()["status"], world.item()["attempt"]) == ("COMPLETED", 1)
    assert world.torrent() == world.right_torrent()


def test_a_reservation_holds_who_would_make_the_torrent_of_finished_work_again(world: World) -> None:
    world.store.delete(REF.torrent)
    world.status.reserve(str(REF), owner="recorder", lease_seconds=60)
    before = world.item()
    with pytest.raises(Exception, match="is being worked on by recorder"):
        event(world, at="01")
    assert world.item() == before


def test_a_torrent_of_ours_that_takes_the_place_of_the_one_seen_is_not_taken_for_removed(
    world: World,
) -> None:
    version = world.store.head(REF).version
    world.store.delete(REF)
    newer = Fault(
        "remove",
        does=lambda: world.store.upload(
            REF.torrent, b"newer", metadata=ownership(version, world.policy.policy_id)
        ),
    )
    with pytest.raises(WriteConflict):
        event(world, newer, name=DELETED, at="02")
    event(world, name=DELETED, at="02")
    assert not world.is_there(REF.torrent)
