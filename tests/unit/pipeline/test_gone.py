"""What a deletion leads to, over the memory twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.errors import AccessDenied, HeldByAnother, Throttled
from s3torrent.pipeline.publish import ownership
from s3torrent.status.base import Job
from s3torrent.store.failing import Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, TorrentRequest
from support.reference import content
from support.uploading import ID, REF, World

if TYPE_CHECKING:
    from s3torrent.pipeline.outcome import Outcome

DELETED = "ObjectRemoved:Delete"


def event(
    world: World, *faults: Fault, name: str = "ObjectCreated:Put", at: str | None = None, remove: bool = False
) -> Outcome:
    maker = world.function(*faults)
    object.__setattr__(maker, "remove_torrents", remove)
    return maker.make(TorrentRequest(REF, sequencer=at, event=name))


@pytest.fixture
def world() -> World:
    """An object and its torrent."""
    world = World()
    world.store.upload(REF, content(5000))
    event(world, at="01")
    return world


def test_the_status_tells_it_and_the_torrent_stays(world: World) -> None:
    world.store.delete(REF)
    assert event(world, name=DELETED, at="02").status == "DELETED"
    item = world.item()
    assert (item["status"], item["torrentKey"]) == ("DELETED", REF.torrent.key)
    assert "its torrent was kept" in item["reason"]
    assert not {"infoHashV1", "etag", "completedAt"} & item.keys()
    assert world.is_there(REF.torrent)


@pytest.mark.parametrize("name", [DELETED, "ObjectRemoved:DeleteMarkerCreated", "LifecycleExpiration:Delete"])
def test_the_torrent_goes_where_that_is_wanted(world: World, name: str) -> None:
    world.store.delete(REF)
    assert event(world, name=name, at="02", remove=True).status == "DELETED"
    assert not world.is_there(REF.torrent)
    assert "torrentKey" not in world.item()


def test_in_a_bucket_with_versions_it_can_be_had_back() -> None:
    world = World(store=MemoryStore())
    world.store.create_bucket("bucket", versioned=True)
    world.store.upload(REF, content(5000))
    event(world)
    torrent = world.store.head(REF.torrent).version
    world.store.delete(REF)
    event(world, name=DELETED, remove=True)
    assert not world.is_there(REF.torrent)
    assert world.store.head(REF.torrent, torrent.version_id).version == torrent


@pytest.mark.parametrize("metadata", [{}, {"s3torrent-source": "of another key"}])
def test_a_torrent_that_is_not_ours_never_goes(metadata: dict[str, str]) -> None:
    world = World()
    world.store.upload(REF.torrent, b"theirs", metadata=metadata)
    event(world, name=DELETED, remove=True)
    assert world.torrent() == b"theirs"


def test_a_torrent_that_is_replaced_meanwhile_stays(world: World) -> None:
    """Somebody put his own there between our look and our deletion."""
    world.store.delete(REF)
    theirs = Fault("remove", does=lambda: world.store.upload(REF.torrent, b"theirs"))
    event(world, theirs, name=DELETED, at="02", remove=True)
    assert world.torrent() == b"theirs"


def test_an_object_that_is_there_again_has_its_torrent(world: World) -> None:
    """The event is a hint: what lies there now counts."""
    world.store.upload(REF, content(6000, "again"))
    assert event(world, name=DELETED, at="02", remove=True).status == "COMPLETED"
    assert world.torrent() == world.right_torrent()


def test_created_again_after_its_deletion(world: World) -> None:
    world.store.delete(REF)
    event(world, name=DELETED, at="02")
    world.store.upload(REF, content(6000, "again"))
    assert event(world, at="03").status == "COMPLETED"
    assert world.torrent() == world.right_torrent()
    assert world.item()["status"] == "COMPLETED"


def test_a_late_deletion_does_not_hide_what_came_after_it(world: World) -> None:
    """02 deleted, 03 created; 02 is delivered last, when the newer object has gone, too, but untold."""
    world.store.delete(REF)
    world.store.upload(REF, content(6000, "again"))
    event(world, at="03")
    world.store.delete(REF)
    late = event(world, name=DELETED, at="02", remove=True)
    assert (late.status, late.reason) == ("SKIPPED", "an older event than the one taken up last")
    assert world.item()["status"] == "COMPLETED"
    assert world.is_there(REF.torrent)
    event(world, name=DELETED, at="04", remove=True)
    assert (world.item()["status"], world.is_there(REF.torrent)) == ("DELETED", False)


def test_what_a_recorder_made_has_no_sequencer_and_is_deleted_all_the_same() -> None:
    world = World()
    world.put(content(5000))
    world.store.delete(REF)
    event(world, name=DELETED, at="02", remove=True)
    assert (world.item()["status"], world.is_there(REF.torrent)) == ("DELETED", False)


def test_it_waits_for_a_worker_at_the_deleted_object(world: World) -> None:
    """He may yet publish: the event comes back after his lease."""
    version = world.store.head(REF).version
    world.store.delete(REF)
    world.status.claim(Job(ID, version, "another policy"), owner="worker", lease_seconds=60)
    with pytest.raises(HeldByAnother) as caught:
        event(world, name=DELETED, at="02", remove=True)
    assert caught.value.until is not None
    assert world.is_there(REF.torrent)


def test_deleted_while_it_is_hashed() -> None:
    """SKIPPED by the one who hashed; DELETED by the event."""
    world = World()
    world.store.upload(REF, content(50_000))
    gone = Fault("read", after=1000, does=lambda: world.store.delete(REF))
    assert event(world, gone, at="01").status == "SKIPPED"
    assert event(world, name=DELETED, at="02").status == "DELETED"
    assert not world.is_there(REF.torrent)


def test_the_same_deletion_twice(world: World) -> None:
    world.store.delete(REF)
    for _ in range(2):
        assert event(world, name=DELETED, at="02", remove=True).status == "DELETED"


def test_a_deletion_that_failed_is_done_when_the_event_comes_again(world: World) -> None:
    world.store.delete(REF)
    with pytest.raises(Throttled):
        event(world, Fault("remove", error=Throttled("503")), name=DELETED, at="02", remove=True)
    event(world, name=DELETED, at="02", remove=True)
    assert not world.is_there(REF.torrent)


def test_without_the_permission_to_list_the_event_is_believed_but_nothing_removed(world: World) -> None:
    """S3 answers 403 for what is not there; it also does for what may not be read."""
    refused: Any = {"call": None, "error": AccessDenied("403")}
    assert event(world, Fault("head", **refused), name=DELETED, at="02").status == "DELETED"
    with pytest.raises(AccessDenied):
        event(world, Fault("head", **refused), name=DELETED, at="03", remove=True)
    assert world.is_there(REF.torrent)


def test_a_torrent_copied_elsewhere_is_not_ours_there() -> None:
    world = World()
    other = ObjectRef("bucket", "other.mkv")
    world.store.upload(other, b"x")
    mine = ownership(world.store.head(other).version, world.policy.policy_id)
    world.store.upload(REF.torrent, b"copied", metadata=mine)
    event(world, name=DELETED, remove=True)
    assert world.torrent() == b"copied"
