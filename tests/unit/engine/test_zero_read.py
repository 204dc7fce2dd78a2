"""Pieces without reading, over the memory twins: the torrent is always the one that reading gives."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha1
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.engine.base import Content, ContentFile
from s3torrent.engine.native import NativeEngine
from s3torrent.errors import AccessDenied, ObjectGone, Throttled
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ContentSha1, ObjectRef, PartSha1
from support.reference import content
from support.uploading import PART, REF, World, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.engine.base import Built
    from s3torrent.types import ObjectVersion

PIECE = 16384
POLICY = TorrentPolicy(piece_length=PIECE)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def telling() -> MemoryStore:
    store = MemoryStore(now=lambda: NOW, tells_sha1=True)
    store.create_bucket("bucket")
    store.create_bucket("disk")
    return store


def in_parts(store: MemoryStore, ref: ObjectRef, body: bytes, sizes: Sequence[int]) -> ObjectVersion:
    """Uploaded in parts of these sizes under their SHA-1s."""
    bounds = pairwise(accumulate(sizes, initial=0))
    digests = [sha1(body[start:end]).digest() for start, end in bounds]
    parts = [
        PartSha1(number, size, digest)
        for number, (size, digest) in enumerate(zip(sizes, digests, strict=True), 1)
    ]
    composite = ContentSha1(sha1(b"".join(digests)).digest(), len(sizes))
    return store.upload(ref, body, sha1=composite, parts=parts)


def build(store: Any, policy: TorrentPolicy = POLICY, ref: ObjectRef = REF) -> Built:
    return build_object(store.head(ref), policy, NativeEngine(threads=1), store, silent)


def read(body: bytes, policy: TorrentPolicy = POLICY, ref: ObjectRef = REF) -> bytes:
    """What a reading gives: from a store that tells no SHA-1."""
    store = MemoryStore(now=lambda: NOW)
    store.create_bucket("bucket")
    store.upload(ref, body)
    built = build(store, policy, ref)
    assert built.bytes_read == len(body)
    return built.metainfo.encode()


part_sizes = st.integers(1, 3 * PIECE) | st.sampled_from([PIECE, 2 * PIECE, PIECE - 1, PIECE + 1])
equal_parts = st.builds(
    lambda size, count, last: [size] * count + [min(size, last)],
    st.sampled_from([PIECE, 2 * PIECE, PIECE // 2, 3 * PIECE]),
    st.integers(0, 6),
    st.integers(1, 3 * PIECE),
)


@given(
    sizes=equal_parts | st.lists(part_sizes, min_size=1, max_size=6),
    piece_length=st.sampled_from([PIECE, 2 * PIECE, "by-size", "auto"]),
    version=st.sampled_from(["v1", "v1", "v1", "v2", "hybrid"]),
    seed=st.integers(0, 99),
)
def test_any_object_gets_the_torrent_that_reading_gives(
    sizes: list[int], piece_length: int | str, version: str, seed: int
) -> None:
    """However it was cut, and also where the store refuses to tell of parts; and it is not read just where its
    parts are the pieces of a v1 torrent.
    """
    body = content(sum(sizes), str(seed))
    policy = TorrentPolicy(version=version, piece_length=piece_length)
    store = telling()
    in_parts(store, REF, body, sizes)
    built = build(store, policy)
    length = built.metainfo.piece_length
    assert built.metainfo.encode() == read(body, TorrentPolicy(version=version, piece_length=length))
    refusing = FailingStore(store, [Fault("part_sha1s", error=AccessDenied("no"))])
    assert build(refusing, policy).metainfo.encode() == built.metainfo.encode()
    pieces = [min(length, len(body) - at) for at in range(0, len(body), length)]
    assert built.bytes_read == (0 if version == "v1" and sizes == pieces else len(body))


@given(size=st.integers(1, 3 * PIECE), seed=st.integers(0, 9))
def test_an_object_uploaded_whole_is_not_read_where_it_is_one_piece(size: int, seed: int) -> None:
    body = content(size, str(seed))
    store = telling()
    store.upload(REF, body, sha1=ContentSha1(sha1(body).digest()))
    built = build(store)
    assert built.metainfo.encode() == read(body)
    assert built.bytes_read == (0 if size <= PIECE else size)


class TestOurOwnUploads:
    """Their parts are pieces, so a torrent that was lost is made again without reading."""

    @pytest.mark.parametrize("size", [1, 20_000, PART - 1, PART, PART + 1, 5 * PART, 5 * PART + 7])
    @pytest.mark.parametrize("how", ["put", "record"])
    def test_a_lost_torrent_comes_back_the_same_unread(self, how: str, size: int) -> None:
        world = World(store=telling())
        getattr(world, how)(content(size))
        torrent = world.torrent()
        world.store.delete(REF.torrent)
        world.event()
        assert world.torrent() == torrent
        assert (world.item()["bytesRead"], world.item()["status"]) == (0, "COMPLETED")
        assert world.item()["reason"].endswith("nothing was read: the store knows the SHA-1 of each piece")

    @pytest.mark.parametrize("piece_length", ["by-size", 32 * 1024, 1 << 20])
    @pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
    def test_also_where_it_has_to_be_read(self, version: str, piece_length: int | str) -> None:
        world = World(TorrentPolicy(version=version, piece_length=piece_length), store=telling())
        world.put(content(5 * PART + 7))
        torrent = world.torrent()
        world.store.delete(REF.torrent)
        world.event()
        assert world.torrent() == torrent

    def test_a_copy_that_lost_its_parts_gets_the_same_torrent_by_reading(self) -> None:
        """The piece length is the object's own word, not its parts: those a plain copy loses."""
        world = World(store=telling())
        world.put(content(5 * PART + 7))
        unread = build(world.store, TorrentPolicy())
        head = world.store.head(REF)
        world.store.upload(REF, world.body(), metadata=head.metadata)
        copied = build(world.store, TorrentPolicy())
        assert (unread.bytes_read, copied.bytes_read) == (0, head.version.size)
        assert unread.metainfo.info_raw == copied.metainfo.info_raw


class TestFallingBack:
    BODY = content(5 * PIECE + 7)
    SIZES = (*[PIECE] * 5, 7)

    @pytest.mark.parametrize("error", [AccessDenied("no"), Throttled("503"), ObjectGone("gone?")])
    def test_a_store_that_refuses_to_tell_of_parts_is_read(self, error: Exception) -> None:
        memory = telling()
        in_parts(memory, REF, self.BODY, self.SIZES)
        store = FailingStore(memory, [Fault("part_sha1s", error=error)])
        built = build(store)
        assert built.metainfo.encode() == read(self.BODY)
        assert built.bytes_read == len(self.BODY)
        assert store.calls["part_sha1s"] == 1
        assert built.piece_length_reason == (
            f"as asked for; read, as the SHA-1s of its parts could not be had: {type(error).__name__}: {error}"
        )

    def test_a_store_that_knows_of_no_parts_is_read(self) -> None:
        class Plain:
            """A reader and nothing more."""

            def __init__(self, store: MemoryStore) -> None:
                self.head, self.read = store.head, store.read

        memory = telling()
        in_parts(memory, REF, self.BODY, self.SIZES)
        built = build(Plain(memory))
        assert built.metainfo.encode() == read(self.BODY)
        assert built.piece_length_reason == "as asked for; read, as its store does not tell of parts"

    def test_of_a_folder_every_file_is_read(self) -> None:
        """A v1 piece may hold the end of one file and the beginning of the next."""
        store = telling()
        refs = [ObjectRef("bucket", "a"), ObjectRef("bucket", "b")]
        versions = [in_parts(store, ref, self.BODY, self.SIZES) for ref in refs]
        files = tuple(ContentFile((version.ref.key,), version) for version in versions)
        built = NativeEngine(1).build(Content("folder", files, single_file=False), POLICY, store, silent)
        assert built.bytes_read == 2 * len(self.BODY)
        stream = self.BODY * 2
        pieces = b"".join(sha1(stream[at : at + PIECE]).digest() for at in range(0, len(stream), PIECE))
        assert built.metainfo.pieces == pieces

    def test_of_a_folder_in_one_piece_too(self) -> None:
        """The SHA-1 of its first file is that of no piece."""
        store = telling()
        for key in ("a", "b"):
            store.upload(
                ObjectRef("bucket", key), self.BODY[:10], sha1=ContentSha1(sha1(self.BODY[:10]).digest())
            )
        versions = [store.head(ObjectRef("bucket", key)).version for key in ("a", "b")]
        files = tuple(ContentFile((version.ref.key,), version) for version in versions)
        built = NativeEngine(1).build(Content("folder", files, single_file=False), POLICY, store, silent)
        assert (built.bytes_read, built.metainfo.pieces) == (20, sha1(self.BODY[:10] * 2).digest())

    def test_what_a_checkpoint_holds_is_recalled_so_that_it_is_cleared_away(self) -> None:
        """Though it is of no use any more: who recalled nothing would leave it behind."""

        class Memory:
            recalled = 0

            def recall(self, _layout: Any) -> list[Any]:
                self.recalled += 1
                return []

            def keep(self, *_: Any, **__: Any) -> None:
                raise AssertionError("nothing was hashed")

        store, memory = telling(), Memory()
        in_parts(store, REF, self.BODY, self.SIZES)
        built = build_object(store.head(REF), POLICY, NativeEngine(1), store, silent, memory=memory)
        assert (built.bytes_read, memory.recalled) == (0, 1)
