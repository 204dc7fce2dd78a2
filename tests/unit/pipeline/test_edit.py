"""Torrents edited where they lie: over exactly what was read, told to the table, and undone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import (
    EndpointUnreachable,
    ForeignTorrent,
    MetainfoError,
    ReadInterrupted,
    UsageError,
    WriteConflict,
)
from s3torrent.metainfo.edit import Edit
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.edit import Editor, Undo
from s3torrent.pipeline.make import Maker
from s3torrent.pipeline.publish import CONTENT_TYPE
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.types import ObjectHead

REF = ObjectRef("bucket", "x/a b.bin")
TRACKER = "udp://a.example:1/announce"


@dataclass
class World:
    """A bucket in which one object has its torrent and its status item."""

    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        now = datetime(2026, 11, 24, tzinfo=UTC)
        self.store.create_bucket("bucket")
        self.status = MemoryStatus(lambda: now)
        self.store.upload(REF, b"content" * 999)
        self.maker = Maker(
            self.store, self.status, NativeEngine(threads=1), TorrentPolicy(), "worker", 60.0, now.timestamp
        )
        self.maker.make(TorrentRequest(REF))
        self.editor = Editor(self.store, self.status)

    def torrent(self) -> bytes:
        return self.store.get(REF.torrent, 1 << 20)

    def edit(self, wish: Edit) -> str:
        """The undo line."""
        edited = self.editor.edited(REF.torrent, lambda _: wish)
        self.editor.write(edited)
        self.editor.follow(edited)
        return edited.undo_line()


@pytest.fixture
def world() -> World:
    return World()


def test_an_edited_torrent_stays_ours_and_current(world: World) -> None:
    world.edit(Edit(trackers=(TRACKER,)))
    edited = world.torrent()
    assert parse(edited).trackers == [[TRACKER]]
    assert not world.maker.make(TorrentRequest(REF)).made
    assert world.torrent() == edited


def test_the_status_item_follows(world: World) -> None:
    world.edit(Edit(trackers=(TRACKER,)))
    item = world.status.get(str(REF))
    assert item
    assert "a.example" in item.get("magnet")
    assert item.get("torrentSize") == len(world.torrent())


class Answerless(MemoryStore):
    """Its next write is done, and its answer lost; with ``silent`` nothing is told afterwards, either."""

    lost = silent = False

    def put(self, ref: ObjectRef, body: bytes, **told: Any) -> ObjectHead:
        head = super().put(ref, body, **told)
        if self.lost:
            raise ReadInterrupted("the connection broke")
        return head

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        if self.lost and self.silent and self.edited:
            raise EndpointUnreachable("nothing answers")
        return super().head(ref, version_id)

    @property
    def edited(self) -> bool:
        return b"mine" in bytes(self._find(REF.torrent, None).body or b"")  # type: ignore[union-attr]


def test_a_write_whose_answer_is_lost_counts_where_it_lies_there() -> None:
    store = Answerless()
    world = World(store)
    store.lost = True
    world.edit(Edit(comment="mine"))
    assert parse(world.torrent()).comment == "mine"
    edited = world.editor.edited(REF.torrent, lambda _: Edit(comment="again"))
    store.upload(REF.torrent, b"other")
    with pytest.raises(WriteConflict):
        world.editor.write(edited)


def test_where_it_cannot_be_looked_up_the_hint_says_so() -> None:
    store = Answerless()
    world = World(store)
    store.lost = store.silent = True
    with pytest.raises(EndpointUnreachable) as caught:
        world.edit(Edit(comment="mine"))
    assert caught.value.hint == "whether it was changed is not known: run the same command again, which looks"


def test_an_item_that_was_left_behind_follows_at_the_next_edit(world: World) -> None:
    """The torrent is as wanted already; a rehearsal writes nothing."""
    wish = Edit(trackers=(TRACKER,))
    world.editor.write(world.editor.edited(REF.torrent, lambda _: wish))
    again = world.editor.edited(REF.torrent, lambda _: wish)
    assert not again.changed
    assert world.editor.follow(again, dry_run=True)
    assert "a.example" not in world.status.get(str(REF)).get("magnet")  # type: ignore[union-attr]
    assert world.editor.follow(again)
    assert "a.example" in world.status.get(str(REF)).get("magnet")  # type: ignore[union-attr]
    assert not world.editor.follow(again)


def test_an_item_of_another_torrent_is_left_alone(world: World) -> None:
    world.status.amend(str(REF), {"infoHashV1": "0" * 40}, where={})
    before = world.status.get(str(REF))
    world.edit(Edit(trackers=(TRACKER,)))
    assert world.status.get(str(REF)) == before


def test_a_torrent_that_was_replaced_meanwhile_is_not_overwritten(world: World) -> None:
    edited = world.editor.edited(REF.torrent, lambda _: Edit(comment="mine"))
    world.edit(Edit(comment="theirs"))
    with pytest.raises(WriteConflict) as caught:
        world.editor.write(edited)
    assert caught.value.hint.startswith("run the same command again")
    assert parse(world.torrent()).comment == "theirs"


def test_what_is_not_ours_is_left_alone_unless_asked_for(world: World) -> None:
    ref, body = ObjectRef("bucket", "other.torrent"), world.torrent()
    world.store.put(ref, body, replaces=None, content_type=CONTENT_TYPE, metadata={"a": "b"})
    with pytest.raises(ForeignTorrent, match=r"other\.torrent was not made by s3torrent"):
        Editor(world.store, foreign=False).edited(ref, lambda _: Edit(comment="x"))
    world.editor.write(world.editor.edited(ref, lambda _: Edit(comment="x")))
    assert world.store.head(ref).metadata == {"a": "b"}


def test_what_is_no_torrent_is_named(world: World) -> None:
    ref = ObjectRef("bucket", "no.torrent")
    world.store.put(ref, b"no", replaces=None, content_type="", metadata={})
    with pytest.raises(MetainfoError, match=r"s3://bucket/no\.torrent is not a valid torrent"):
        world.editor.edited(ref, lambda _: Edit(comment="x"))


def test_undone_it_is_the_same_byte_for_byte(world: World) -> None:
    before = world.torrent()
    undo = Undo.of(world.edit(Edit(trackers=(TRACKER,), comment="x", web_seeds=("http://x.example/a",))))
    assert world.torrent() != before
    world.editor.write(world.editor.undone(undo, REF.torrent))
    assert world.torrent() == before
    assert not world.editor.undone(undo, REF.torrent).changed  # twice does no harm


def test_what_was_edited_again_is_not_undone(world: World) -> None:
    undo = Undo.of(world.edit(Edit(comment="x")))
    world.edit(Edit(comment="y"))
    with pytest.raises(WriteConflict, match="changed again"):
        world.editor.undone(undo, REF.torrent)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        "no json",
        '{"torrent": "t", "sha256Before": "", "sha256After": "", "before": "!"}',
        '{"torrent": "t", "sha256Before": "", "sha256After": "", "before": "aTFl"}',
        '{"torrent": 5, "sha256Before": "", "sha256After": "", "before": "ZGU="}',
        '{"torrent": "\\ud800", "sha256Before": "", "sha256After": "", "before": "ZGU="}',
        b"\xff",
        "[" * 100_000,
        '{"torrent": "t", "sha256Before": "", "sha256After": "", "before": "ZDQ6aW5mb2RlZQ=="}',  # an info dict
    ],
)
def test_a_line_that_is_no_undo_is_refused(line: str | bytes) -> None:
    with pytest.raises(UsageError, match="undo file"):
        Undo.of(line)
