"""The second copy of a .torrent, for a client that watches a folder; by both ways in."""

from __future__ import annotations

import pytest

from s3torrent.errors import S3TorrentError, Throttled
from s3torrent.pipeline.watch import watch_ref
from s3torrent.store.failing import Fault
from s3torrent.types import ObjectRef, TorrentRequest
from support.reference import content
from support.uploading import PART, REF, World

PREFIX = "watch/"
COPY = watch_ref(PREFIX, REF)


def by_event(world: World, *faults: Fault) -> None:
    if not world.is_there(REF):
        world.store.upload(REF, content(5 * PART))
    maker = world.function(*faults)
    object.__setattr__(maker, "watch_prefix", PREFIX)
    maker.make(TorrentRequest(REF))


def by_put(world: World, *faults: Fault) -> None:
    world.put(content(5 * PART), *faults, watch_prefix=PREFIX)


@pytest.mark.parametrize("way", [by_event, by_put])
def test_it_lies_flat_below_the_prefix(way: object) -> None:
    world = World()
    way(world)
    assert COPY.key.startswith(PREFIX)
    assert COPY.key.endswith("-é+ü & 100%.mkv.torrent")
    assert COPY.key.count("/") == 1
    assert world.store.get(COPY, 1 << 20) == world.torrent()


def test_two_objects_of_one_name_have_a_copy_each() -> None:
    assert watch_ref(PREFIX, ObjectRef("b", "x/a")) != watch_ref(PREFIX, ObjectRef("b", "y/a"))


def test_a_long_name_is_left_out_of_its_key() -> None:
    key = watch_ref(PREFIX, ObjectRef("b", "n" * 1016)).key
    assert len(key.encode()) <= 1024
    assert key.endswith(".torrent")


def test_none_without_a_prefix() -> None:
    world = World()
    world.put(content(5 * PART))
    assert not world.is_there(COPY)


def test_one_that_failed_is_written_when_the_event_comes_again() -> None:
    """The torrent itself was out already."""
    world = World()
    with pytest.raises(S3TorrentError):
        by_event(world, Fault("put", call=2, error=Throttled("503")))
    assert world.is_there(REF.torrent)
    assert not world.is_there(COPY)
    by_event(world)
    assert world.store.get(COPY, 1 << 20) == world.torrent()


def test_a_newer_object_replaces_it() -> None:
    world = World()
    by_put(world)
    world.store.upload(REF, content(3 * PART, "newer"))
    by_event(world)
    assert world.store.get(COPY, 1 << 20) == world.torrent() == world.right_torrent()


def test_what_is_not_ours_stays() -> None:
    world = World()
    world.store.upload(COPY, b"theirs")
    by_put(world)
    assert world.store.get(COPY, 1 << 20) == b"theirs"
    assert world.torrent() == world.right_torrent()
