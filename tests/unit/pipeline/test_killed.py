"""What a killed recorder has left in the bucket and in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from s3torrent.errors import EmptyContent, NoSuchObject, WriteConflict
from s3torrent.hashing.part import hash_part
from s3torrent.pipeline.killed import NotedUploads, complete_begun, let_go
from s3torrent.status.base import Claimed, HeldUntil, Job
from support.uploading import ID, PART, REF, World

if TYPE_CHECKING:
    from s3torrent.types import Upload


def begun(world: World, *numbers: int) -> Upload:
    """An upload with these parts, each of bytes of its own number."""
    upload = world.store.begin_upload(REF, content_type="", metadata={})
    for number in numbers:
        body = bytes([number]) * PART
        sha1 = hash_part(memoryview(body), 0, version="v1", lengths=(PART,), last=False).sha1
        world.store.upload_part(upload, number, body, sha1=sha1)
    return upload


class TestCompleting:
    @pytest.mark.parametrize(
        ("arrived", "kept"), [((1,), 1), ((1, 2, 3), 3), ((1, 2, 4, 5), 2), ((3, 1), 1), ((2, 1), 2)]
    )
    def test_the_parts_up_to_the_first_that_is_missing_become_the_object(
        self, arrived: tuple[int, ...], kept: int
    ) -> None:
        world = World()
        complete_begun(world.store, begun(world, *arrived))
        assert world.body() == b"".join(bytes([number]) * PART for number in range(1, kept + 1))
        assert world.store.unfinished_uploads(REF) == []

    @pytest.mark.parametrize("arrived", [(), (2, 3)])
    def test_without_a_beginning_it_is_aborted(self, arrived: tuple[int, ...]) -> None:
        world = World()
        upload = begun(world, *arrived)
        with pytest.raises(EmptyContent):
            complete_begun(world.store, upload)
        assert world.store.unfinished_uploads(REF) == []
        assert not world.is_there(REF)

    def test_over_another_object_it_is_not_completed_and_not_aborted(self) -> None:
        world = World()
        upload = begun(world, 1)
        world.store.upload(REF, b"mine")
        with pytest.raises(WriteConflict):
            complete_begun(world.store, upload)
        assert world.body() == b"mine"
        assert world.store.unfinished_uploads(REF) == [upload]

    def test_one_that_was_completed_stays_so(self) -> None:
        world = World()
        upload = begun(world, 1)
        complete_begun(world.store, upload)
        complete_begun(world.store, upload)
        assert world.body() == b"\1" * PART

    def test_one_that_has_gone_without_an_object_is_told(self) -> None:
        world = World()
        upload = begun(world, 1)
        world.store.abort_upload(upload)
        with pytest.raises(NoSuchObject):
            complete_begun(world.store, upload)


def test_uploads_are_noted_as_they_begin_and_nothing_else_changes() -> None:
    world = World()
    noted: list[Upload] = []
    store = NotedUploads(world.store, noted.append)
    upload = store.begin_upload(REF, content_type="", metadata={})
    assert noted == [upload] == store.unfinished_uploads(REF)


class TestLettingGo:
    def job(self, world: World) -> Job:
        return Job(ID, world.store.upload(REF, b"film"), "policy")

    def test_its_claim_has_failed_and_the_next_may_have_it_at_once(self) -> None:
        world = World()
        job = self.job(world)
        world.status.claim(job, owner="dead", lease_seconds=60)
        assert isinstance(world.status.claim(job, owner="next", lease_seconds=60), HeldUntil)
        let_go(world.status, ID, owner="dead", reason="killed")
        assert (world.item()["status"], world.item()["reason"]) == ("FAILED", "killed")
        assert isinstance(world.status.claim(job, owner="next", lease_seconds=60), Claimed)

    def test_its_reservation_is_free(self) -> None:
        world = World()
        job = self.job(world)
        world.status.reserve(ID, owner="dead", lease_seconds=60)
        let_go(world.status, ID, owner="dead", reason="killed")
        assert isinstance(world.status.claim(job, owner="next", lease_seconds=60), Claimed)

    @pytest.mark.parametrize("ended", [False, True])
    def test_what_another_holds_or_has_ended_stays(self, ended: bool) -> None:
        world = World()
        claim = world.status.claim(self.job(world), owner="dead" if ended else "other", lease_seconds=60)
        assert isinstance(claim, Claimed)
        if ended:
            world.status.finish(claim, "COMPLETED", {})
        before = world.item()
        let_go(world.status, ID, owner="dead", reason="killed")
        assert world.item() == before

    def test_where_there_is_no_item_nothing_happens(self) -> None:
        world = World()
        let_go(world.status, ID, owner="dead", reason="killed")
        assert world.item() == {}
