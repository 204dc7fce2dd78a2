"""What every store promises (store/base.py), over every store there is."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.errors import (
    NoSuchBucket,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    TooLarge,
    UsageError,
    WriteConflict,
)
from s3torrent.store.base import READ_CHUNK
from s3torrent.store.failing import FailingStore
from s3torrent.store.local import LocalStore
from s3torrent.store.memory import MemoryStore
from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectHead, ObjectVersion

SIZE = 2 * READ_CHUNK + 12_345
CONTENT = bytes(range(251)) * (SIZE // 251) + bytes(range(SIZE % 251))
OTHER = CONTENT[::-1]

HARD_KEYS = {
    "space": "shows/two words.bin",
    "plus": "shows/1+1.bin",
    "percent": "shows/100%25.bin",
    "ampersand": "shows/é+ü & 100%.bin",
    "unicode": "записи/日本語 🎬.bin",
    "decomposed": "shows/e\u0301.bin",
    "leading slash": "/shows/a.bin",
    "trailing slash": "shows/a.bin/",
    "double slash": "shows//a.bin",
    "query": "shows/a?b=c#d.bin",
    "1024 bytes": "k" * 1016 + "/é.bin" + "x",
}


@dataclass
class World:
    """A store, and what other people may do to its objects behind its back."""

    store: ObjectStore
    ref: Callable[[str], ObjectRef]
    upload: Callable[[ObjectRef, bytes], object]
    delete: Callable[[ObjectRef], object]
    delete_version: Callable[[ObjectVersion], object]
    versioned: bool = False
    keeps_metadata: bool = True

    def pin(self, name: str = "a.bin", content: bytes = CONTENT) -> ObjectVersion:
        ref = self.ref(name)
        self.upload(ref, content)
        return self.store.head(ref).version

    def bytes_of(self, version: ObjectVersion, start: int = 0, end: int | None = None) -> bytes:
        return b"".join(
            bytes(chunk) for chunk in self.store.read(version, start, version.size if end is None else end)
        )

    def put(
        self, ref: ObjectRef, body: bytes, replaces: ObjectVersion | None = None, **metadata: str
    ) -> ObjectHead:
        return self.store.put(
            ref, body, replaces=replaces, content_type="application/x-bittorrent", metadata=metadata
        )


def memory_world(request: pytest.FixtureRequest, *, versioned: bool) -> World:
    store = MemoryStore(chunk=65_537)
    store.create_bucket("b", versioned=versioned)
    return World(
        store if versioned else FailingStore(store, []),  # without a plan it is the store it wraps
        lambda name: ObjectRef("b", name),
        store.upload,
        store.delete,
        lambda version: store.delete(version.ref, version.version_id),
        versioned,
    )


def local_world(request: pytest.FixtureRequest, *, versioned: bool) -> World:
    folder = request.getfixturevalue("tmp_path")

    def upload(ref: ObjectRef, content: bytes) -> None:
        path = Path(ref.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.parent / "beside"
        beside.write_bytes(content)
        beside.replace(path)

    return World(
        LocalStore(),
        lambda name: ObjectRef("", f"{folder}/{name}"),
        upload,
        lambda ref: Path(ref.key).unlink(),
        lambda version: Path(version.ref.key).unlink(),
        keeps_metadata=False,
    )


def s3_world(request: pytest.FixtureRequest, *, versioned: bool) -> World:
    client: Any = request.getfixturevalue("ministack").client("s3")
    return world_in(
        client, request.getfixturevalue("versioned_bucket" if versioned else "bucket"), versioned=versioned
    )


def moto_world(request: pytest.FixtureRequest, *, versioned: bool) -> World:
    moto = request.getfixturevalue("moto")
    return world_in(moto.client("s3"), moto.bucket(versioned=versioned), versioned=versioned)


def world_in(client: Any, bucket: str, *, versioned: bool) -> World:
    def delete_version(version: ObjectVersion) -> None:
        which = {"VersionId": version.version_id} if version.version_id else {}
        client.delete_object(Bucket=bucket, Key=version.ref.key, **which)

    return World(
        S3Store(client),
        lambda name: ObjectRef(bucket, name),
        lambda ref, content: client.put_object(Bucket=bucket, Key=ref.key, Body=content),
        lambda ref: client.delete_object(Bucket=bucket, Key=ref.key),
        delete_version,
        versioned,
    )


WORLDS = {
    "memory": (memory_world, False),
    "memory-versioned": (memory_world, True),
    "local": (local_world, False),
    "s3": (s3_world, False),
    "s3-versioned": (s3_world, True),
    "moto": (moto_world, False),
    "moto-versioned": (moto_world, True),
}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    make, versioned = WORLDS[request.param]
    return make(request, versioned=versioned)


@pytest.fixture
def bucket_world(world: World) -> World:
    if not world.ref("a").bucket:
        pytest.skip("files lie in no bucket")
    return world


class TestHead:
    def test_tells_size_and_time_in_whole_seconds_utc(self, world: World):
        """Size in bytes; last_modified is aware, UTC, without microseconds; the ETag has no quotes."""
        version = world.pin()
        assert version.size == SIZE
        assert version.last_modified.tzinfo is UTC
        assert version.last_modified.microsecond == 0
        assert version.etag.strip('"') == version.etag != ""

    def test_version_id_is_none_exactly_where_there_are_no_versions(self, world: World):
        """An unversioned bucket has none, a versioned one always has."""
        assert (world.pin().version_id is not None) == world.versioned

    def test_the_same_object_is_pinned_alike_twice(self, world: World):
        """Nothing changed, so nothing differs."""
        version = world.pin()
        assert world.store.head(version.ref).version == version
        assert world.store.head(version.ref, version.version_id).version == version

    def test_an_older_version_can_be_pinned(self, world: World):
        """By its id, also below a newer one; where there are no versions, no id is found."""
        first = world.pin()
        world.upload(first.ref, OTHER)
        if world.versioned:
            assert world.store.head(first.ref, first.version_id).version == first
        else:
            with pytest.raises(NoSuchObject, match="no-such-version"):
                world.store.head(first.ref, "no-such-version")

    def test_missing_object(self, world: World):
        """NoSuchObject names it."""
        ref = world.ref("missing.bin")
        with pytest.raises(NoSuchObject) as caught:
            world.store.head(ref)
        assert str(ref) in str(caught.value)

    def test_deleted_object(self, world: World):
        """Also where a delete marker hides older versions."""
        version = world.pin()
        world.delete(version.ref)
        with pytest.raises(NoSuchObject):
            world.store.head(version.ref)

    def test_missing_bucket(self, bucket_world: World):
        """NoSuchBucket names it, although a HEAD does not tell it from a missing key."""
        with pytest.raises(NoSuchBucket, match="no-such-bucket-here"):
            bucket_world.store.head(ObjectRef("no-such-bucket-here", "a.bin"))


class TestRead:
    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (0, SIZE),
            (0, 1),
            (SIZE - 1, SIZE),
            (1, SIZE - 1),
            (READ_CHUNK - 1, READ_CHUNK + 1),
            (READ_CHUNK, 2 * READ_CHUNK),
            (17, 17),
            (0, 0),
            (SIZE, SIZE),
        ],
    )
    def test_a_range_gives_exactly_its_bytes(self, world: World, start: int, end: int):
        """Half-open, in chunks of 1 to READ_CHUNK bytes; an empty range gives none."""
        lengths, content = [], b""
        for chunk in world.store.read(world.pin(), start, end):
            lengths.append(len(chunk))
            content += bytes(chunk)
        assert content == CONTENT[start:end]
        assert all(1 <= length <= READ_CHUNK for length in lengths)

    def test_many_ranges_at_once(self, world: World):
        """Threads read one version through one store."""
        version = world.pin()
        edges = [SIZE * n // 8 for n in range(9)]
        with ThreadPoolExecutor(8) as pool:
            parts = pool.map(lambda n: world.bytes_of(version, edges[n], edges[n + 1]), range(8))
            assert b"".join(parts) == CONTENT

    def test_an_abandoned_read_harms_no_other(self, world: World):
        """A consumer may stop in the middle."""
        version = world.pin()
        chunks = iter(world.store.read(version, 0, SIZE))
        first = bytes(next(chunks))
        del chunks
        assert CONTENT.startswith(first)
        assert world.bytes_of(version) == CONTENT

    @pytest.mark.parametrize(
        "content", [OTHER, CONTENT[:-1], CONTENT + b"x", b""], ids=["same size", "shorter", "longer", "empty"]
    )
    def test_an_overwritten_object(self, world: World, content: bytes):
        """Its pinned version is still read where it is kept; else ObjectChanged, never the other's bytes."""
        version = world.pin()
        world.upload(version.ref, content)
        if world.versioned:
            assert world.bytes_of(version) == CONTENT
        else:
            with pytest.raises(ObjectChanged):
                world.bytes_of(version)

    def test_an_object_overwritten_between_two_ranges(self, world: World):
        """The second range does not come from another object than the first."""
        version = world.pin()
        assert world.bytes_of(version, 0, 100) == CONTENT[:100]
        world.upload(version.ref, OTHER)
        if world.versioned:
            assert world.bytes_of(version, 100, 200) == CONTENT[100:200]
        else:
            with pytest.raises(ObjectChanged):
                world.bytes_of(version, 100, 200)

    def test_a_deleted_object(self, world: World):
        """ObjectGone, unless the version lives on below a delete marker."""
        version = world.pin()
        world.delete(version.ref)
        if world.versioned:
            assert world.bytes_of(version) == CONTENT
        else:
            with pytest.raises(ObjectGone, match=r"a\.bin"):
                world.bytes_of(version)

    def test_a_deleted_version(self, world: World):
        """ObjectGone, also where another version lies there now."""
        version = world.pin()
        world.delete_version(version)
        if world.versioned:
            world.upload(version.ref, OTHER)
        with pytest.raises(ObjectGone, match=r"a\.bin"):
            world.bytes_of(version)


class TestGet:
    @pytest.mark.parametrize("content", [b"", b"d4:infoe", CONTENT], ids=["empty", "small", "several chunks"])
    def test_gives_the_whole_object(self, world: World, content: bytes):
        """At exactly max_bytes too."""
        version = world.pin(content=content)
        assert world.store.get(version.ref, len(content)) == content

    def test_too_large(self, world: World):
        """One byte more than max_bytes is TooLarge, which tells both numbers."""
        version = world.pin(content=b"12345")
        with pytest.raises(TooLarge, match="5 bytes, expected at most 4"):
            world.store.get(version.ref, 4)

    def test_missing(self, world: World):
        """As head says."""
        with pytest.raises(NoSuchObject):
            world.store.get(world.ref("missing"), 10)


class TestPut:
    def test_writes_where_nothing_is(self, world: World):
        """The head it gives pins what lies there afterwards."""
        ref = world.ref("a.torrent")
        written = world.put(ref, b"first").version
        found = world.store.head(ref).version
        assert (written.etag, written.version_id, written.size) == (found.etag, found.version_id, 5)
        assert written.last_modified.tzinfo is UTC
        assert world.bytes_of(written) == b"first"

    def test_metadata_comes_back(self, world: World):
        """Under lower-case names, where the store keeps any."""
        head = world.put(world.ref("a.torrent"), b"first", **{"s3torrent-policy": "v1;auto", "for": "x"})
        expected = {"s3torrent-policy": "v1;auto", "for": "x"} if world.keeps_metadata else {}
        assert head.metadata == world.store.head(head.version.ref).metadata == expected

    def test_metadata_must_be_ascii(self, world: World):
        """As S3 demands; nothing is written."""
        with pytest.raises(UsageError, match="expected ASCII"):
            world.put(world.ref("a.torrent"), b"first", name="é")
        with pytest.raises(NoSuchObject):
            world.store.head(world.ref("a.torrent"))

    def test_metadata_cannot_break_out_of_its_header(self, world: World):
        """A line break would begin a header of its own."""
        for metadata in ({"name": "a\r\nx-amz-acl: public-read"}, {"name\nx-amz-acl": "b"}, {"name": "\0"}):
            with pytest.raises(UsageError, match="control characters"):
                world.put(world.ref("a.torrent"), b"first", **metadata)
        with pytest.raises(NoSuchObject):
            world.store.head(world.ref("a.torrent"))

    def test_never_overwrites_unasked(self, world: World):
        """WriteConflict, and the other's bytes stay."""
        version = world.pin(content=b"theirs")
        with pytest.raises(WriteConflict, match=r"a\.bin"):
            world.put(version.ref, b"ours")
        assert world.store.get(version.ref, 10) == b"theirs"

    def test_replaces_exactly_what_was_pinned(self, world: World):
        """By the head of a HEAD or of an earlier put."""
        version = world.pin("a.torrent", b"one")
        second = world.put(version.ref, b"second", version).version
        third = world.put(version.ref, b"third", second).version
        assert world.store.get(version.ref, 10) == b"third"
        assert third.etag != second.etag

    def test_does_not_replace_another(self, world: World):
        """WriteConflict when something else lies there by now."""
        version = world.pin(content=b"one")
        world.upload(version.ref, b"two")
        with pytest.raises(WriteConflict, match=r"a\.bin"):
            world.put(version.ref, b"ours", version)
        assert world.store.get(version.ref, 10) == b"two"

    def test_does_not_replace_what_is_gone(self, world: World):
        """WriteConflict when nothing lies there any more."""
        version = world.pin(content=b"one")
        world.delete(version.ref)
        with pytest.raises(WriteConflict, match=r"a\.bin"):
            world.put(version.ref, b"ours", version)
        with pytest.raises(NoSuchObject):
            world.store.head(version.ref)

    def test_writes_again_where_something_was_deleted(self, world: World):
        """A deleted object is nothing, also below a delete marker."""
        version = world.pin(content=b"one")
        world.delete(version.ref)
        world.put(version.ref, b"ours")
        assert world.store.get(version.ref, 10) == b"ours"

    @pytest.mark.parametrize("replacing", [False, True], ids=["where nothing is", "over one version"])
    def test_of_32_writers_exactly_one_wins(self, world: World, replacing: bool):
        """The others get WriteConflict, and the winner's bytes lie there."""
        ref = world.ref("a.torrent")
        replaces = world.pin("a.torrent", b"before") if replacing else None

        def write(n: int) -> int | None:
            try:
                world.put(ref, b"writer %d" % n, replaces)
            except WriteConflict:
                return None
            return n

        with ThreadPoolExecutor(32) as pool:
            winners = [n for n in pool.map(write, range(32)) if n is not None]
        assert len(winners) == 1
        assert world.store.get(ref, 20) == b"writer %d" % winners[0]

    def test_into_a_missing_bucket_or_folder(self, world: World):
        """NoSuchBucket or NoSuchObject, which names it."""
        ref = world.ref("a")
        missing = ObjectRef("no-such-bucket-here", "a") if ref.bucket else world.ref("no-such-bucket-here/a")
        with pytest.raises((NoSuchBucket, NoSuchObject), match="no-such-bucket-here"):
            world.put(missing, b"x")


@pytest.mark.parametrize("key", HARD_KEYS.values(), ids=HARD_KEYS)
def test_hard_keys(world: World, key: str):
    """Every key S3 allows comes through as it is, for reading and for writing."""
    ref = world.ref(key)
    if not ref.bucket and (key.endswith("/") or any(len(os.fsencode(part)) > 255 for part in key.split("/"))):
        pytest.skip("no file can have this name")
    world.upload(ref, CONTENT[:1000])
    head = world.store.head(ref)
    assert head.version.ref == ref
    assert world.bytes_of(head.version, 1, 999) == CONTENT[1:999]
    world.put(ref, b"replaced", head.version)
    assert world.store.get(ref, 10) == b"replaced"
    with pytest.raises(WriteConflict):
        world.put(ref, b"again")


class TestRemove:
    def test_it_is_gone(self, world: World):
        """Twice is no error."""
        version = world.pin()
        world.store.remove(version)
        with pytest.raises(NoSuchObject):
            world.store.head(version.ref)
        world.store.remove(version)

    def test_another_that_lies_there_stays(self, world: World):
        """WriteConflict."""
        version = world.pin()
        world.upload(version.ref, OTHER)
        with pytest.raises(WriteConflict):
            world.store.remove(version)
        assert world.bytes_of(world.store.head(version.ref).version) == OTHER

    def test_where_there_are_versions_it_can_be_had_back(self, world: World):
        """A delete marker hides it."""
        version = world.pin()
        world.store.remove(version)
        if world.versioned:
            assert world.bytes_of(version) == CONTENT
        else:
            with pytest.raises(ObjectGone):
                world.bytes_of(version)
