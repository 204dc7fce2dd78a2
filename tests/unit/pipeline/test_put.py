"""put: a file and its torrent in one reading, over the memory twins; every way it can end."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha1
from typing import TYPE_CHECKING

import pytest

from s3torrent.errors import (
    AccessDenied,
    EmptyContent,
    EndpointUnreachable,
    ForeignTorrent,
    HeldByAnother,
    ObjectChanged,
    OutputExists,
    TableMissing,
    Throttled,
    TooLarge,
    WriteConflict,
)
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.parts import MOST_PARTS, for_file
from s3torrent.pipeline.publish import ownership
from s3torrent.store.failing import Fault
from s3torrent.types import TorrentRequest
from support.naive import v1_pieces
from support.reference import content
from support.uploading import FILE, PART, REF, World

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo

MIB = 1 << 20
SIZES = [1, 20_000, PART - 1, PART, PART + 1, 5 * PART, 5 * PART + 7]


class TestSameTorrent:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("piece_length", ["auto", "by-size", 32 * 1024, MIB])
    @pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
    def test_as_the_function_would_make_of_the_object(
        self, version: str, piece_length: str | int, size: int
    ) -> None:
        """Byte for byte, so that whichever comes second finds the work done."""
        world = World(TorrentPolicy(version=version, piece_length=piece_length))
        outcome = world.put(content(size))
        assert world.body() == content(size)
        assert world.torrent() == world.right_torrent()
        assert (outcome.status, outcome.made) == ("COMPLETED", True)
        assert world.event().reason == "done before"

    def test_with_the_transmission_engine_s_info_dict(self) -> None:
        """transmission-create always writes ``private``."""
        world = World(TorrentPolicy(engine="transmission"))
        world.put(content(1000))
        assert b"7:privatei0e" in world.torrent()

    def test_parts_are_pieces_where_the_policy_leaves_it_open(self) -> None:
        world = World()
        world.put(content(5 * PART + 7))
        assert parse(world.torrent()).piece_length == PART
        assert world.store.head(REF).metadata == {"s3torrent-piece-length": str(PART)}

    def test_a_small_file_is_one_piece(self) -> None:
        world = World()
        world.put(content(20_000))
        metainfo = parse(world.torrent())
        assert (metainfo.piece_length, metainfo.piece_count) == (32 * 1024, 1)

    @pytest.mark.parametrize("size", [20_000, 5 * PART])
    def test_a_store_that_keeps_no_metadata_costs_nobody_his_torrent(self, size: int) -> None:
        world = World()
        head = world.store.head
        world.store.head = lambda *which: replace(head(*which), metadata={})
        world.put(content(size))
        metainfo = parse(world.torrent())
        assert (metainfo.size, metainfo.pieces) == (size, v1_pieces(content(size), metainfo.piece_length))

    def test_an_object_tells_nothing_of_pieces_where_its_parts_are_none(self) -> None:
        world = World(TorrentPolicy(version="v2"))
        world.put(content(5 * PART))
        assert world.store.head(REF).metadata == {}

    @pytest.mark.parametrize("declared", ["", "x", "17", "16384.0", "-16384", str(1 << 40)])
    def test_what_is_no_piece_length_is_no_declaration(self, declared: str) -> None:
        """Metadata is whatever its writer liked."""
        world = World()
        world.store.upload(REF, content(100_000), metadata={"s3torrent-piece-length": declared})
        world.event()
        assert parse(world.torrent()).piece_length == 16 * 1024


class TestPlan:
    @pytest.mark.parametrize("size", [1, 8 * MIB, 8 * MIB + 1, 80_000 * MIB, 80_001 * MIB, 1_280_000 * MIB])
    def test_parts_are_pieces_up_to_a_terabyte(self, size: int) -> None:
        plan = for_file(size, TorrentPolicy())
        assert -(-size // plan.part_size) <= MOST_PARTS
        assert plan.pieces
        assert plan.lengths(size) == (min(plan.part_size, max(16384, 1 << (size - 1).bit_length())),)

    def test_above_they_are_larger_than_pieces_may_be(self) -> None:
        plan = for_file(1_280_001 * MIB, TorrentPolicy())
        assert (plan.part_size, plan.pieces, plan.lengths(1)) == (256 * MIB, False, (16 * MIB,))

    def test_a_piece_length_asked_for_is_the_part_size_where_s3_allows_it(self) -> None:
        assert for_file(10**9, TorrentPolicy(piece_length=32 * MIB)).part_size == 32 * MIB
        assert for_file(10**9, TorrentPolicy(piece_length=MIB)).part_size == 8 * MIB

    def test_what_ten_thousand_parts_cannot_hold_is_refused(self) -> None:
        for_file(5_120_000 * MIB, TorrentPolicy())
        with pytest.raises(TooLarge, match="10,000 parts of 512 MiB"):
            for_file(5_120_001 * MIB, TorrentPolicy())


class TestNeverOver:
    def test_an_object_without_force(self) -> None:
        world = World()
        world.store.upload(REF, b"somebody's")
        with pytest.raises(OutputExists, match="is there already"):
            world.put(content(1000))
        assert world.body() == b"somebody's"

    def test_with_force_it_and_its_torrent_are_replaced(self) -> None:
        world = World()
        world.put(content(5 * PART))
        world.put(content(3 * PART, "other"), force=True)
        assert world.body() == content(3 * PART, "other")
        assert world.torrent() == world.right_torrent()

    def test_a_torrent_that_is_not_ours(self) -> None:
        """Told before anything is uploaded, also with force."""
        world = World()
        world.store.upload(REF.torrent, b"theirs")
        for force in (False, True):
            with pytest.raises(ForeignTorrent):
                world.put(content(1000), force=force)
        assert world.torrent() == b"theirs"
        assert not world.is_there(REF)

    @pytest.mark.parametrize("size", [1000, 5 * PART])
    @pytest.mark.parametrize("force", [False, True])
    def test_an_object_that_appears_meanwhile(self, size: int, force: bool) -> None:
        world = World()
        step = "put_whole" if size < PART else "complete_upload"
        fault = Fault(step, does=lambda: world.store.upload(REF, b"somebody's"))
        with pytest.raises(WriteConflict, match="written by another"):
            world.put(content(size), fault, force=force)
        assert world.body() == b"somebody's"
        assert world.store.unfinished_uploads(REF) == []
        assert world.event().made  # the reservation is gone

    def test_a_torrent_that_appears_meanwhile(self) -> None:
        """The object is there; the torrent is theirs; the status says so."""
        world = World()
        fault = Fault("complete_upload", does=lambda: world.store.upload(REF.torrent, b"theirs"))
        with pytest.raises(ForeignTorrent):
            world.put(content(5 * PART), fault)
        assert (world.torrent(), world.item()["status"]) == (b"theirs", "FAILED")

    def test_nothing_is_an_error(self) -> None:
        with pytest.raises(EmptyContent):
            World().put(b"")

    def test_an_object_that_is_replaced_at_once_gets_no_torrent_of_ours(self) -> None:
        world = World()
        fault = Fault("head", call=3, does=lambda: world.store.upload(REF, b"newer"))
        with pytest.raises(ObjectChanged, match="as soon as"):
            world.put(content(5 * PART), fault)
        assert not world.is_there(REF.torrent)


class TestInterrupted:
    BODY = content(6 * PART + 9)

    def broken(self, world: World, *faults: Fault) -> None:
        with pytest.raises(EndpointUnreachable) as caught:
            world.put(self.BODY, *faults)
        assert "run the same command again" in caught.value.hint

    def test_it_goes_on_where_it_ended(self) -> None:
        """Only the parts that are missing are sent."""
        world = World()
        self.broken(world, Fault("upload_part", call=4, error=EndpointUnreachable("down")))
        uploader = world.uploader()
        world.put(self.BODY, store=uploader.store)
        assert uploader.store.calls["begin_upload"] == 0
        assert 0 < uploader.store.calls["upload_part"] < 7
        assert world.body() == self.BODY
        assert world.torrent() == world.right_torrent()
        assert world.store.unfinished_uploads(REF) == []

    @pytest.mark.parametrize("arrived", [{2, 3}, {7}, {1, 2, 3, 4, 5, 6, 7}])
    def test_whichever_parts_had_arrived(self, arrived: set[int]) -> None:
        """They are sent at once: a kill may leave the second part without the first."""
        world = World()
        metadata = for_file(len(self.BODY), world.policy, PART).metadata(None)
        upload = world.store.begin_upload(REF, content_type="application/octet-stream", metadata=metadata)
        for number in arrived:
            body = self.BODY[(number - 1) * PART : number * PART]
            world.store.upload_part(upload, number, body, sha1=sha1(body).digest())
        uploader = world.uploader()
        world.put(self.BODY, store=uploader.store)
        assert uploader.store.calls["begin_upload"] == 0
        assert uploader.store.calls["upload_part"] == 7 - len(arrived)
        assert world.body() == self.BODY
        assert world.torrent() == world.right_torrent()

    def test_a_part_that_differs_is_sent_again(self) -> None:
        """Whatever lies there, the object is the file."""
        world = World()
        self.broken(world, Fault("complete_upload", error=EndpointUnreachable("down")))
        changed = self.BODY[: 2 * PART] + bytes(PART) + self.BODY[3 * PART :]
        world.put(changed)
        assert world.body() == changed
        assert world.torrent() == world.right_torrent()

    def test_another_file_begins_anew_and_leaves_that_upload_alone(self) -> None:
        """It may be somebody else's who is still at it."""
        world = World()
        self.broken(world, Fault("complete_upload", error=EndpointUnreachable("down")))
        (theirs,) = world.store.unfinished_uploads(REF)
        world.put(content(3 * PART, "other"))
        assert world.store.unfinished_uploads(REF) == [theirs]

    def test_without_the_permission_to_look_it_begins_anew(self) -> None:
        world = World()
        self.broken(world, Fault("complete_upload", error=EndpointUnreachable("down")))
        world.put(self.BODY, Fault("unfinished_uploads", error=AccessDenied("403")))
        assert world.torrent() == world.right_torrent()

    def test_a_completion_whose_answer_was_lost_is_recognised(self) -> None:
        world = World()

        def arrives() -> None:
            (upload,) = world.store.unfinished_uploads(REF)
            world.store.complete_upload(upload, world.store.uploaded_parts(upload), replaces=None)

        # In memory an object's ETag is the MD5 of its content; S3's, of its parts' MD5s, in tests/stack.
        with pytest.raises(WriteConflict):
            world.put(self.BODY, Fault("complete_upload", does=arrives))
        assert world.body() == self.BODY
        assert world.event().made

    def test_one_that_is_given_up_leaves_nothing(self) -> None:
        world = World()
        for error in (AccessDenied("403"), KeyboardInterrupt()):
            fault = Fault("upload_part", call=3, does=lambda error=error: _raise(error))
            with pytest.raises(type(error)):
                world.put(self.BODY, fault)
            assert world.store.unfinished_uploads(REF) == []
        assert not world.is_there(REF)

    def test_a_file_that_changes_under_the_reading(self) -> None:
        world = World()
        fault = Fault(
            "upload_part", call=2, does=lambda: world.store.upload(FILE, content(6 * PART + 9, "x"))
        )
        with pytest.raises(ObjectChanged):
            world.put(self.BODY, fault)
        assert not world.is_there(REF)


def _raise(error: BaseException) -> None:
    raise error


class TestMeetingTheFunction:
    def test_it_waits_while_the_uploader_is_at_it(self) -> None:
        """Woken by the upload, before the torrent is there: HeldUntil. Not a byte is read."""
        world = World()
        seen: list[str] = []

        def woken() -> None:
            with pytest.raises(HeldByAnother) as caught:
                world.event(Fault("read", call=None, error=Throttled("it must not read")))
            seen.append(caught.value.message)

        world.put(content(5 * PART), Fault("head", call=3, does=woken))
        assert len(seen) == 1
        assert "recorder" in seen[0]
        assert world.event().reason == "done before"
        assert world.item()["bytesRead"] == 0

    def test_it_reads_nothing_where_the_work_is_done_under_its_eyes(self) -> None:
        """It looked for the torrent, there was none; the uploader finished; and only then it claims."""
        world = World()
        seen: list[str] = []

        world.put(content(5 * PART))
        torrent = world.torrent()
        world.store.delete(REF.torrent)

        def finished() -> None:
            publish = world.uploader().store.put
            publish(
                REF.torrent,
                torrent,
                replaces=None,
                content_type="",
                metadata=ownership(world.store.head(REF).version, world.policy.policy_id),
            )
            seen.append("published")

        maker = world.function(Fault("read", call=None, error=Throttled("it must not read")))
        claim = world.status.claim

        def late(*arguments: object, **named: object) -> object:
            if not seen:
                finished()
            return claim(*arguments, **named)

        world.status.claim = late
        assert maker.make(TorrentRequest(REF)).reason == "done before"
        assert seen == ["published"]

    @pytest.mark.parametrize("step", ["head", "put"])
    def test_killed_after_the_upload_the_event_makes_the_torrent(self, step: str) -> None:
        """The same one, as soon as the lease has run out; no earlier."""
        world = World()
        with pytest.raises(KeyboardInterrupt):
            world.put(
                content(5 * PART),
                Fault(step, call=3 if step == "head" else 1, does=lambda: _raise(KeyboardInterrupt())),
            )
        assert world.is_there(REF)
        assert not world.is_there(REF.torrent)
        with pytest.raises(HeldByAnother):
            world.event()
        world.now = a_minute_later(world)
        world.event()
        assert world.torrent() == world.right_torrent()
        assert parse(world.torrent()).piece_length == PART
        assert world.item()["status"] == "COMPLETED"

    def test_the_function_that_was_first_is_no_trouble(self) -> None:
        """Its reservation was lost: both publish, one torrent, and it is right."""
        world = World()
        world.put(content(5 * PART), Fault("head", call=3, does=world.event), lease_seconds=0.0)
        assert world.torrent() == world.right_torrent()
        assert world.item()["status"] == "COMPLETED"

    def test_a_table_that_cannot_be_told_keeps_nobody_from_his_torrent(self) -> None:
        """Object and torrent are there, and the error is raised."""
        world = World()

        class Broken:
            def __getattr__(self, name: str) -> object:
                def fails(*_: object, **__: object) -> None:
                    raise TableMissing(f"no table for {name}")

                return fails

        with pytest.raises(TableMissing):
            world.put(content(5 * PART), status=Broken())
        assert world.torrent() == world.right_torrent()

    def test_without_a_table_nobody_is_told(self) -> None:
        world = World()
        assert world.put(content(5 * PART), status=None).status == "COMPLETED"
        assert world.item() == {}
        assert world.torrent() == world.right_torrent()

    def test_web_seeds_are_tried_before_the_torrent_is_published(self) -> None:
        """When the object is there, and where an item tells what came of it."""
        world = World()
        told = {"https://cdn.example.org/x": {"good": False, "problems": "not-found: 404"}}

        def check(metainfo: Metainfo) -> dict[str, object]:
            assert world.is_there(REF)
            assert not world.is_there(REF.torrent)
            assert metainfo.size == 5 * PART
            return told

        world.put(content(5 * PART), check_seeds=check)
        assert world.item()["webSeedChecks"] == told
        assert world.torrent() == world.right_torrent()

    def test_another_policy_makes_its_own_torrent(self) -> None:
        """What lies there is ours and stale to it: replaced, as by any change of the policy."""
        world = World()
        world.put(content(5 * PART))
        world.policy = replace(world.policy, piece_length="by-size")
        assert world.event().made
        assert parse(world.torrent()).piece_length == 16 * 1024


def a_minute_later(world: World) -> object:
    return world.now.replace(minute=world.now.minute + 1)
