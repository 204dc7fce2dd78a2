"""What every lister promises (store/base.py), over every store that lists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.errors import NoSuchBucket, ObjectChanged
from s3torrent.store.memory import MemoryStore
from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = 1000
HARD_KEYS = (
    "\x01control",
    " space first",
    "+plus",
    "a b+c.bin",
    "a%2Bb",
    "a&b=c;d",
    "a//b",
    "a/./b",
    "a\nb",
    "e\u0301",
    "é",
    "\uffee beyond the surrogates of UTF-16",
    "🎬 above it in UTF-8",
    "folder/",
    "<xml>&amp;",
    "~",
)
REFUSED_BY_MOTO = "a\nb"
"""moto 5.2.5 finds no bucket in a path with a line break."""


@dataclass
class World:
    """A store with one bucket, and what others do there."""

    store: Any
    bucket: str
    upload: Callable[[str, bytes], object]
    delete: Callable[[str], object]
    hard_keys: tuple[str, ...] = HARD_KEYS

    def fill(self, *keys: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: self.upload(key, key.encode()), keys))

    def keys(self, prefix: str = "", after: str = "") -> list[str]:
        return [found.ref.key for found in self.store.list_objects(self.bucket, prefix, after=after)]


def memory_world(_: pytest.FixtureRequest, *, versioned: bool) -> World:
    store = MemoryStore()
    store.create_bucket("b", versioned=versioned)
    return World(
        store,
        "b",
        lambda key, body: store.upload(ObjectRef("b", key), body),
        lambda key: store.delete(ObjectRef("b", key)),
    )


def s3_world(request: pytest.FixtureRequest, *, versioned: bool) -> World:
    bucket = request.getfixturevalue("versioned_bucket" if versioned else "bucket")
    return world_in(request.getfixturevalue("ministack").client("s3"), bucket)


def moto_world(request: pytest.FixtureRequest, *, versioned: bool) -> World:
    moto = request.getfixturevalue("moto")
    world = world_in(moto.client("s3"), moto.bucket(versioned=versioned))
    world.hard_keys = tuple(key for key in HARD_KEYS if key != REFUSED_BY_MOTO)
    return world


def world_in(client: Any, bucket: str) -> World:
    return World(
        S3Store(client),
        bucket,
        lambda key, body: client.put_object(Bucket=bucket, Key=key, Body=body),
        lambda key: client.delete_object(Bucket=bucket, Key=key),
    )


WORLDS = {
    "memory": (memory_world, False),
    "memory-versioned": (memory_world, True),
    "s3": (s3_world, False),
    "s3-versioned": (s3_world, True),
    "moto": (moto_world, False),
    "moto-versioned": (moto_world, True),
}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    make, versioned = WORLDS[request.param]
    return make(request, versioned=versioned)


def test_an_object_is_listed_as_head_tells_of_it(world: World):
    """But for its version id, and the SHA-1s that only HEAD knows."""
    world.fill("a.bin")
    [found] = world.store.list_objects(world.bucket, "")
    head = world.store.head(ObjectRef(world.bucket, "a.bin")).version
    assert (found, found.sha1) == (replace(head, version_id=None), None)


def test_what_is_listed_can_be_read_until_it_is_replaced(world: World):
    """By its ETag alone: an older version is not read, although it may be kept."""
    world.fill("a.bin")
    [found] = world.store.list_objects(world.bucket, "")
    assert b"".join(map(bytes, world.store.read(found, 0, found.size))) == b"a.bin"
    world.upload("a.bin", b"other")
    with pytest.raises(ObjectChanged):
        list(world.store.read(found, 0, found.size))


def test_every_key_that_s3_allows_comes_as_it_is_in_the_order_of_its_utf_8(world: World):
    world.fill(*world.hard_keys)
    assert world.keys() == sorted(world.hard_keys, key=str.encode)


def test_a_listing_goes_on_after_any_key(world: World):
    world.fill(*world.hard_keys)
    ordered = sorted(world.hard_keys)
    for position, key in enumerate(ordered, 1):
        assert world.keys(after=key) == ordered[position:]


def test_a_listing_goes_on_after_a_key_that_is_not_there(world: World):
    world.fill("p/a", "p/c")
    assert world.keys("p/", "p/b") == ["p/c"]
    assert world.keys("p/", "o") == ["p/a", "p/c"]
    assert world.keys("p/", "q") == []


@pytest.mark.parametrize(
    ("prefix", "found"), [("", 5), ("a", 4), ("a/", 2), ("a/b+ ", 1), ("A", 0), ("a/b+ c", 1), ("a/b+ c/", 0)]
)
def test_only_keys_that_begin_with_the_prefix(world: World, prefix: str, found: int):
    world.fill("a", "a/", "a/b+ c", "ab", "b")
    assert len(world.keys(prefix)) == found


def test_nothing_that_is_deleted_and_no_older_version(world: World):
    """Also where delete markers and older versions lie there."""
    world.fill("a", "b", "c")
    world.delete("b")
    world.upload("c", b"newer")
    listed = list(world.store.list_objects(world.bucket, ""))
    assert [(found.ref.key, found.size) for found in listed] == [("a", 1), ("c", 5)]


def test_pages_meet_without_a_gap(world: World):
    """Whether the last one is full, or holds one object."""
    keys = [f"p/{n:05}" for n in range(PAGE)]
    world.fill(*keys)
    assert world.keys("p/") == keys
    world.fill("p/last")
    assert world.keys("p/") == [*keys, "p/last"]
    assert world.keys("p/", keys[0]) == [*keys[1:], "p/last"]


def test_pages_are_asked_for_as_objects_are(world: World):
    """What appears beyond the page at hand is told, too."""
    world.fill(*[f"{n:05}" for n in range(PAGE + 1)])
    listing = world.store.list_objects(world.bucket, "")
    first = next(listing)
    world.upload("99999", b"new")
    assert [first.ref.key, *(found.ref.key for found in listing)][-2:] == ["01000", "99999"]


def test_an_empty_bucket(world: World):
    assert world.keys() == []


def test_a_missing_bucket(world: World):
    """NoSuchBucket, at the first object asked for and not before."""
    listing = world.store.list_objects("no-such-bucket-here", "a/")
    with pytest.raises(NoSuchBucket, match="no-such-bucket-here"):
        next(listing)
