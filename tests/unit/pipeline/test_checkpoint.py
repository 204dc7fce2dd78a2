"""What one try has hashed the next does not read again; what does not fit exactly is not used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine import cut
from s3torrent.engine.native import NativeEngine
from s3torrent.errors import AccessDenied, ObjectChanged, OutOfTime, Throttled
from s3torrent.metainfo.bencode import decode, encode
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.make import Maker
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.types import ObjectRef, TorrentRequest
from support.reference import content
from support.uploading import REF, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.pipeline.outcome import Outcome

RANGE = 64 * 1024
SIZE = 20 * RANGE + 777
PREFIX = ".s3torrent/"


@pytest.fixture(autouse=True)
def _short_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LEAST_RANGE", "MOST_RANGE"):
        monkeypatch.setattr(cut, name, RANGE)


@dataclass
class Counting:
    """The store, and how many bytes of content were read of it."""

    inner: Any
    bytes_read: int = 0
    stop_after: int | None = None
    error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, version: Any, start: int, end: int) -> Iterator[Any]:
        if version.ref == REF and self.stop_after is not None and self.bytes_read >= self.stop_after:
            assert self.error
            raise self.error
        for chunk in self.inner.read(version, start, end):
            if version.ref == REF:
                self.bytes_read += len(chunk)
            yield chunk


@pytest.fixture(params=["v1", "v2", "hybrid"])
def world(request: pytest.FixtureRequest) -> World:
    world = World(TorrentPolicy(version=request.param))
    world.store.upload(REF, content(SIZE))
    return world


def maker(world: World, store: Any, **changes: Any) -> Maker:
    tools: dict[str, Any] = {
        "store": store,
        "status": world.status,
        "engine": NativeEngine(threads=2),
        "policy": world.policy,
        "owner": "function",
        "lease_seconds": 60.0,
        "monotonic": lambda: 0.0,
        "control_prefix": PREFIX,
        "checkpoint_seconds": 900.0,
    }
    return Maker(**(tools | changes))


def attempt(
    world: World, stop_after: int | None = None, error: Exception | None = None, **changes: Any
) -> int:
    """The bytes that were read; raises as ``make``."""
    store = Counting(world.store, stop_after=stop_after, error=error or Throttled("503"))
    try:
        made(world, store, **changes)
    finally:
        world.read = store.bytes_read
    return store.bytes_read


def made(world: World, store: Any, **changes: Any) -> Outcome:
    return maker(world, store, **changes).make(TorrentRequest(REF))


def kept(world: World) -> list[str]:
    bucket = world.store._buckets["bucket"]
    return [key for key in bucket.keys if key.startswith(PREFIX)]


class TestNextTry:
    def test_it_goes_on_where_the_last_ended(self, world: World) -> None:
        """At most one range a thread is read twice; the torrent is that of one reading."""
        with pytest.raises(Throttled):
            attempt(world, stop_after=SIZE // 2)
        first = world.read
        second = attempt(world)
        assert SIZE <= first + second <= SIZE + 2 * RANGE
        assert world.torrent() == world.right_torrent()
        assert world.item()["bytesRead"] == second
        assert kept(world) == []

    def test_as_often_as_it_takes(self, world: World) -> None:
        total = 0
        for _ in range(50):
            try:
                total += attempt(world, stop_after=3 * RANGE)
            except Throttled:
                total += world.read
            else:
                break
        assert world.torrent() == world.right_torrent()
        assert total <= SIZE + 2 * RANGE * 8

    def test_out_of_time_it_is_handed_back_as_pending(self, world: World) -> None:
        """The status tells how far it came, and how far the error."""
        moments = iter([0.0] * 6)
        with pytest.raises(OutOfTime) as caught:
            maker(world, world.store, monotonic=lambda: next(moments, 100.0)).make(TorrentRequest(REF), 50.0)
        assert caught.value.progressed
        item = world.item()
        assert (item["status"], item["error"]["type"]) == ("PENDING", "OutOfTime")
        assert attempt(world) <= SIZE - caught.value.progressed
        assert world.item()["status"] == "COMPLETED"
        assert world.torrent() == world.right_torrent()

    def test_without_progress_it_has_failed(self, world: World) -> None:
        """Handed back for ever it would never end."""
        moments = iter([0.0] * 2)
        with pytest.raises(OutOfTime) as caught:
            maker(
                world,
                world.store,
                monotonic=lambda: next(moments, 100.0),
                control_prefix="",
            ).make(TorrentRequest(REF), 50.0)
        assert (caught.value.progressed, world.item()["status"]) == (0, "FAILED")

    def test_killed_it_loses_what_was_not_written_down(self, world: World) -> None:
        """With a checkpoint after each range: at most a range a thread."""
        store = Counting(world.store, stop_after=SIZE // 2, error=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            made(world, store, checkpoint_seconds=0.0)
        world.now = world.now.replace(minute=2)
        second = attempt(world)
        assert store.bytes_read + second <= SIZE + 3 * RANGE
        assert world.torrent() == world.right_torrent()

    def test_nothing_is_written_of_what_goes_well(self, world: World) -> None:
        store = FailingStore(world.store, [])
        made(world, store)
        assert store.calls["put"] == 1
        assert kept(world) == []


@pytest.fixture
def half(world: World) -> World:
    """An object with a checkpoint of its first half or so."""
    with pytest.raises(Throttled):
        attempt(world, stop_after=SIZE // 2)
    assert len(kept(world)) == 1
    return world


class TestBound:
    def test_to_the_version(self, half: World) -> None:
        half.store.upload(REF, content(SIZE, "newer"))
        assert attempt(half) == SIZE
        assert half.torrent() == half.right_torrent()

    def test_to_the_policy(self, half: World) -> None:
        half.policy = replace(half.policy, source="another")
        assert attempt(half) == SIZE
        assert half.torrent() == half.right_torrent()

    def test_to_the_piece_length(self, half: World) -> None:
        half.policy = replace(half.policy, piece_length=RANGE)
        assert attempt(half) == SIZE

    def test_to_the_cut(self, half: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a release that reads other ranges."""
        for name in ("LEAST_RANGE", "MOST_RANGE"):
            monkeypatch.setattr(cut, name, 2 * RANGE)
        assert attempt(half) == SIZE
        assert half.torrent() == half.right_torrent()

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda _: b"",
            lambda _: b"not bencoded",
            lambda _: b"de",
            lambda _: encode([1, 2]),
            lambda body: body[:-40],
            lambda body: encode({**decode(body), b"ranges": 7}),
            lambda body: encode({**decode(body), b"ranges": [b"x", [1], [0, b"", b""], [-1, b"", b"", 1]]}),
            lambda body: encode({**decode(body), b"ranges": [[3, b"x" * 20, b"y" * 32]]}),
        ],
    )
    def test_what_is_no_checkpoint_is_none(self, half: World, spoil: Any) -> None:
        ref = ObjectRef("bucket", kept(half)[0])
        half.store.upload(ref, spoil(half.store.get(ref, 1 << 20)))
        assert attempt(half) == SIZE
        assert half.torrent() == half.right_torrent()

    def test_a_changed_object_leaves_none(self, world: World) -> None:
        with pytest.raises(ObjectChanged):
            attempt(world, stop_after=SIZE // 2, error=ObjectChanged("another"))
        assert kept(world) == []


class TestFavour:
    """A checkpoint saves reading and nothing else."""

    def test_where_it_cannot_be_written_the_object_is_hashed_again(self, world: World) -> None:
        refused = Fault("put", error=AccessDenied("403"))
        with pytest.raises(Throttled):
            made(
                world,
                Counting(FailingStore(world.store, [refused]), stop_after=SIZE // 2, error=Throttled("503")),
            )
        assert attempt(world) == SIZE

    def test_where_it_cannot_be_read_the_object_is_hashed_again(self, half: World) -> None:
        assert half.item()["attempt"] == 1
        store = FailingStore(half.store, [Fault("get", error=AccessDenied("403"))])
        made(half, store)
        assert half.torrent() == half.right_torrent()

    def test_without_a_control_prefix_there_is_none(self, world: World) -> None:
        with pytest.raises(Throttled):
            attempt(world, stop_after=SIZE // 2, control_prefix="")
        assert kept(world) == []
        assert attempt(world, control_prefix="") == SIZE
