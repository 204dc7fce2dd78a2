"""record: a stream of unknown length and its torrent, over the memory twins; every way it can end."""

from __future__ import annotations

import os
import threading

import pytest

from s3torrent.errors import (
    AccessDenied,
    EmptyContent,
    EndpointUnreachable,
    OutputExists,
    TooLarge,
    WriteConflict,
)
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline import parts
from s3torrent.pipeline.parts import for_stream
from s3torrent.pipeline.record import record
from s3torrent.pipeline.sending import BUFFER_BYTES, Buffers
from s3torrent.store.failing import Fault
from support.reference import content
from support.uploading import PART, REF, Piped, World

KIB, MIB = 1 << 10, 1 << 20
SIZES = [1, 20_000, PART - 1, PART, PART + 1, 5 * PART, 5 * PART + 7]


class TestSameTorrent:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("piece_length", ["auto", "by-size", 32 * KIB, MIB])
    @pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
    def test_as_the_function_would_make_of_the_object(
        self, version: str, piece_length: str | int, size: int
    ) -> None:
        """Byte for byte, although the length was not known until the end."""
        world = World(TorrentPolicy(version=version, piece_length=piece_length))
        world.record(content(size))
        assert world.body() == content(size)
        assert world.torrent() == world.right_torrent()
        assert world.event().reason == "done before"
        assert world.item()["bytesRead"] == 0

    @pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
    def test_piece_lengths_die_out_as_the_stream_grows(self, version: str) -> None:
        """Past 2,000 pieces of 16 KiB (31 MiB) the torrent has larger ones."""
        world = World(TorrentPolicy(version=version, piece_length="by-size"))
        world.record(content(33 * MIB))
        assert parse(world.torrent()).piece_length == 32 * KIB
        assert world.torrent() == world.right_torrent()

    def test_put_and_record_make_one_torrent(self) -> None:
        world, other = World(), World()
        world.put(content(5 * PART + 7))
        other.record(content(5 * PART + 7))
        assert world.torrent() == other.torrent()


class TestEnd:
    def test_told_to_stop_what_came_is_the_object(self) -> None:
        world, stop = World(), threading.Event()
        world.record(Piped(content(5 * PART), {3 * PART + 100: stop.set}), stop=stop)
        size = len(world.body())
        assert 3 * PART < size < 4 * PART
        assert world.body() == content(5 * PART)[:size]
        assert world.torrent() == world.right_torrent()

    def test_told_to_stop_while_nothing_comes(self) -> None:
        """A pipe that is open and silent: the reader hears it all the same."""
        world, stop = World(), threading.Event()
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as stream, os.fdopen(writing, "wb", buffering=0) as feed:
            feed.write(b"some")
            done = threading.Event()

            def progress(count: int, _phase: str = "", /) -> None:
                if count == 4:
                    stop.set()

            def run() -> None:
                record(world.uploader(), stream, REF, progress=progress, stop=stop)
                done.set()

            threading.Thread(target=run, daemon=True).start()
            assert done.wait(30)
        assert world.body() == b"some"

    def test_nothing_came(self) -> None:
        world = World()
        with pytest.raises(EmptyContent, match="nothing came"):
            world.record(b"")
        assert not world.is_there(REF)
        assert world.store.unfinished_uploads(REF) == []

    def test_what_is_there_is_not_replaced(self) -> None:
        """Told before the first byte is read."""
        world = World()
        world.store.upload(REF, b"somebody's")
        stream = Piped(content(1000))
        with pytest.raises(OutputExists):
            world.record(stream)
        assert stream.tell() == 0
        world.record(content(1000), force=True)
        assert world.torrent() == world.right_torrent()

    def test_parts_outlive_an_object_that_appeared(self) -> None:
        """A recording cannot be had again: the error names the upload that holds it."""
        world = World()
        fault = Fault("complete_upload", does=lambda: world.store.upload(REF, b"somebody's"))
        with pytest.raises(WriteConflict) as caught:
            world.record(content(5 * PART), fault)
        (upload,) = world.store.unfinished_uploads(REF)
        assert upload.upload_id in caught.value.hint
        assert world.body() == b"somebody's"


class TestCut:
    @pytest.mark.parametrize("error", [EndpointUnreachable("down"), AccessDenied("403")])
    def test_a_part_that_cannot_be_sent_does_not_cost_those_before(self, error: Exception) -> None:
        world = World()
        with pytest.raises(type(error), match=r"s3://bucket/shows/.* holds the 196,608 bytes before that"):
            world.record(content(9 * PART), Fault("upload_part", call=4, error=error), threads=1)
        assert world.body() == content(3 * PART)
        assert world.torrent() == world.right_torrent()

    def test_where_nothing_can_be_kept_nothing_is_left(self) -> None:
        world = World()
        faults = [
            Fault("upload_part", call=4, error=EndpointUnreachable("down")),
            Fault("complete_upload", error=AccessDenied("403")),
        ]
        with pytest.raises(EndpointUnreachable, match="nor could what was uploaded be kept"):
            world.record(content(9 * PART), *faults)
        assert not world.is_there(REF)
        assert world.store.unfinished_uploads(REF) == []

    def test_the_first_part_fails(self) -> None:
        world = World()
        with pytest.raises(AccessDenied):
            world.record(content(9 * PART), Fault("begin_upload", error=AccessDenied("403")))
        assert not world.is_there(REF)

    def test_s3_takes_no_more_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What came until then is kept, with its torrent, and the error says where it was cut."""
        monkeypatch.setattr(parts, "MOST_PARTS", 4)
        world = World()
        with pytest.raises(TooLarge, match=f"cut at {4 * PART:,} bytes"):
            world.record(content(9 * PART))
        assert world.body() == content(4 * PART)
        assert world.torrent() == world.right_torrent()

    def test_late_parts_are_larger_and_their_pieces_are_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parts, "GROWS_AFTER", 2)
        world = World()
        world.record(content(20 * PART + 5))
        assert parse(world.torrent()).piece_length == PART
        assert world.torrent() == world.right_torrent()


class TestPlan:
    def test_how_much_a_stream_may_bring(self) -> None:
        """The figures of the docs."""
        plan = for_stream(TorrentPolicy())
        sizes = [plan.size_of(number) for number in range(1, 10_002)]
        assert (sizes[0], sizes[7_999], sizes[8_000], sizes[10_000]) == (8 * MIB, 8 * MIB, 64 * MIB, 0)
        assert sum(sizes) == 187.5 * (1 << 30)
        by_size = for_stream(TorrentPolicy(piece_length="by-size"))
        assert sum(by_size.size_of(number) for number in range(1, 10_001)) == 375 * (1 << 30)

    def test_memory_is_bounded(self) -> None:
        """One buffer more than threads, however long the stream; and one alone where parts are huge."""
        buffers = Buffers(3)
        held = [buffers.take(PART) for _ in range(3)]
        fourth = _asked(buffers, PART)
        assert not fourth.wait(0.2)
        buffers.give_back(held[0])
        assert fourth.wait(30)
        huge = Buffers(3)
        held = [huge.take(BUFFER_BYTES // 2 + 1)]
        second = _asked(huge, BUFFER_BYTES // 2 + 1)
        assert not second.wait(0.2)
        huge.give_back(held[0])
        assert second.wait(30)


def _asked(buffers: Buffers, size: int) -> threading.Event:
    """Set once one was given."""
    got = threading.Event()

    def take() -> None:
        buffers.take(size)
        got.set()

    threading.Thread(target=take, daemon=True).start()
    return got
