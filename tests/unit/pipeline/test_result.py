"""The end of the work: what is relied on of an earlier try, and a table that does not take the result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from s3torrent.errors import S3TorrentError, StatusError, Throttled
from s3torrent.metainfo.parse import parse
from s3torrent.pipeline.publish import ownership
from s3torrent.status.memory import MemoryStatus
from s3torrent.types import TorrentRequest
from support.reference import content
from support.uploading import REF, World

PIECE = 32 * 1024


class Refusing(MemoryStatus):
    """Takes no COMPLETED, for as long as ``refuses`` is set."""

    refuses: S3TorrentError | None = None

    def finish(self, claim: Any, status: str, attributes: Any) -> None:
        if status == "COMPLETED" and self.refuses:
            raise self.refuses
        super().finish(claim, status, attributes)


class TestResult:
    def test_that_cannot_be_written_ends_as_failed_with_the_reason(self) -> None:
        world = World()
        world.store.upload(REF, content(5000))
        world.status = Refusing(lambda: world.now)
        world.status.refuses = StatusError("the item is too large")
        with pytest.raises(StatusError):
            world.event()
        assert (world.item()["status"], world.item()["reason"]) == ("FAILED", "the item is too large")
        assert world.torrent() == world.right_torrent()
        world.status.refuses = None
        assert world.event().status == "COMPLETED"

    def test_keeps_no_endless_magnet_link(self) -> None:
        """DynamoDB would refuse the item."""
        world = World()
        policy = replace(world.policy, trackers=(("http://tracker.example/" + "x" * 100_000,),))
        world.policy = policy
        world.store.upload(REF, content(5000))
        assert world.event().status == "COMPLETED"
        assert "magnet" not in world.item()
        assert world.item()["infoHashV1"]


class TestForgedMarks:
    """Who may write to the bucket can copy our metadata onto anything."""

    @pytest.mark.parametrize("kind", ["of other content", "no torrent", "with an endless tracker"])
    def test_are_seen_through(self, kind: str) -> None:
        world, other = World(), World()
        version = world.store.upload(REF, content(5000))
        other.store.upload(REF, content(4000))
        other.event()
        long = b"d8:announce1000000:" + b"x" * 1_000_000 + world_torrent(world)[1:]
        forged = {"of other content": other.torrent(), "no torrent": b"i1e", "with an endless tracker": long}
        marks = ownership(version, world.policy.policy_id)
        world.store.upload(REF.torrent, forged[kind], metadata=marks)
        assert world.event().status == "COMPLETED"
        if kind != "with an endless tracker":
            assert world.torrent() == world.right_torrent()
        assert len(str(world.item())) < 100_000
        assert world.item()["infoHashV1"]


def world_torrent(world: World) -> bytes:
    body = world.right_torrent()
    assert not parse(body).trackers
    return body


class TestRenewal:
    """A lease of 60 s over a reading of 100 s; a tick of the clock is a second."""

    def make(self, refused: set[int]) -> tuple[World, list[int]]:
        world = World()
        body = content(100 * PIECE)
        world.store = type(world.store)(chunk=PIECE)
        world.__post_init__()
        world.store.upload(REF, body)
        tries: list[int] = []

        class Busy(MemoryStatus):
            def renew(self, claim: Any, **told: Any) -> Any:
                tries.append(len(tries) + 1)
                if tries[-1] in refused:
                    raise Throttled("busy")
                return super().renew(claim, **told)

        world.status = Busy(lambda: world.now)
        seconds = iter(range(10_000))
        maker = replace(world.function(), monotonic=lambda: float(next(seconds)), engine=Ticking())
        assert maker.make(TorrentRequest(REF)).status == "COMPLETED"
        return world, tries

    def test_that_is_refused_is_asked_again(self) -> None:
        _, tries = self.make(refused={1, 2, 4})
        assert len(tries) > 5

    def test_that_is_refused_until_the_lease_ends_ends_the_work(self) -> None:
        with pytest.raises(Throttled):
            self.make(refused=set(range(1, 100)))


class Ticking:
    """Tells its progress after each chunk, as a slow reading does."""

    name = "native"

    def build(self, content: Any, policy: Any, reader: Any, progress: Any, memory: Any = None) -> Any:
        from s3torrent.engine.native import NativeEngine

        for done in range(150):
            progress(done)
        return NativeEngine(1).build(content, policy, reader, progress, memory)
