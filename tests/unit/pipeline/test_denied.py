"""A look that is denied is no proof that nothing is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from s3torrent.errors import AccessDenied, KeyUnusable, S3TorrentError
from s3torrent.store.failing import Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import TorrentRequest
from support.reference import content
from support.uploading import REF, World

if TYPE_CHECKING:
    from s3torrent.pipeline.outcome import Outcome

EVERY_HEAD = Fault("head", call=None, error=AccessDenied("403"))


@pytest.fixture
def world() -> World:
    """An object in a bucket with versions, and its torrent."""
    world = World(store=MemoryStore())
    world.store.create_bucket("bucket", versioned=True)
    world.store.upload(REF, content(5000))
    event(world, "ObjectCreated:Put", at="01")
    return world


def event(
    world: World,
    name: str,
    *faults: Fault,
    at: str = "02",
    version_id: str | None = None,
    remove: bool = False,
) -> Outcome:
    maker = replace(world.function(*faults), remove_torrents=remove)
    return maker.make(TorrentRequest(REF, version_id=version_id, sequencer=at, event=name))


@pytest.mark.parametrize("name", ["ObjectRemoved:Delete", "LifecycleExpiration:Delete"])
def test_a_live_object_is_not_deleted_by_the_deletion_of_an_old_version(world: World, name: str) -> None:
    old = world.store.head(REF).version
    world.store.upload(REF, content(6000))
    with pytest.raises(AccessDenied):
        event(world, name, EVERY_HEAD, version_id=old.version_id)
    assert (world.item()["status"], world.item()["error"]["type"]) == ("FAILED", "AccessDenied")
    assert event(world, name, version_id=old.version_id).status == "COMPLETED"


def test_an_object_that_only_its_owner_s_key_opens_is_not_gone(world: World) -> None:
    """S3 answers 400: that is no word for absent, whatever was deleted."""
    encrypted = Fault("head", call=None, error=KeyUnusable("400"))
    with pytest.raises(KeyUnusable):
        event(world, "ObjectRemoved:DeleteMarkerCreated", encrypted, version_id="marker")
    assert world.item()["status"] == "FAILED"


@pytest.mark.parametrize(
    ("name", "version_id"),
    [("ObjectRemoved:DeleteMarkerCreated", "marker"), ("ObjectRemoved:Delete", None)],
)
def test_an_event_that_tells_of_nothing_left_is_believed(
    world: World, name: str, version_id: str | None
) -> None:
    """Without s3:ListBucket every deletion is answered so."""
    world.store.delete(REF)
    assert event(world, name, EVERY_HEAD, version_id=version_id).status == "DELETED"
    assert world.is_there(REF.torrent)


@pytest.mark.parametrize("call", [1, 2])
def test_with_remove_nothing_is_guessed(world: World, call: int) -> None:
    """A torrent that could not be looked at is not taken for gone: the event comes back."""
    world.store.delete(REF)
    with pytest.raises(S3TorrentError):
        event(world, "ObjectRemoved:Delete", Fault("head", call=call, error=AccessDenied("403")), remove=True)
    assert world.item()["status"] != "DELETED"
    assert event(world, "ObjectRemoved:Delete", remove=True).status == "DELETED"
    assert not world.is_there(REF.torrent)
