"""What every store of large objects promises (store.base.UploadStore): in memory, and in S3."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5, sha1
from typing import TYPE_CHECKING

import pytest

from s3torrent.errors import NoSuchObject, S3TorrentError, UploadGone, UsageError, WriteConflict
from s3torrent.store.failing import FailingStore
from s3torrent.store.memory import MemoryStore
from s3torrent.store.resume import Patience
from s3torrent.store.s3_upload import S3UploadStore
from s3torrent.types import ObjectRef, UploadedPart
from support.reference import content

if TYPE_CHECKING:
    from s3torrent.store.base import UploadStore
    from s3torrent.types import Upload

KEY = "shows/é+ü & 100%.mkv"
PARTS = [content(70_000, "1"), content(70_000, "2"), content(5, "3")]
WHOLE = b"".join(PARTS)
IMPATIENT = Patience(attempts=2, first_wait=0, longest_wait=0)


@dataclass
class World:
    store: UploadStore
    bucket: str

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(self.bucket, KEY)

    def begin(self, key: str = KEY) -> Upload:
        ref = ObjectRef(self.bucket, key)
        return self.store.begin_upload(ref, content_type="video/x-matroska", metadata={"made-by": "test"})

    def sent(self, upload: Upload) -> list[UploadedPart]:
        return [self.part(upload, number, body) for number, body in enumerate(PARTS, 1)]

    def part(self, upload: Upload, number: int, body: bytes) -> UploadedPart:
        return self.store.upload_part(upload, number, body, sha1=sha1(body).digest())

    def put(self, body: bytes, replaces: object = None) -> str:
        return self.store.put_whole(
            self.ref,
            body,
            sha1=sha1(body).digest(),
            replaces=replaces,
            content_type="video/x-matroska",
            metadata={"made-by": "test"},
        )

    def lies_there(self) -> bytes:
        return self.store.get(self.ref, 1 << 20)


@pytest.fixture(params=["memory", "failing", pytest.param("s3", marks=pytest.mark.stack), "moto"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "s3":
        client = request.getfixturevalue("ministack").client("s3")
        return World(S3UploadStore(client, None, IMPATIENT), request.getfixturevalue("bucket"))
    if request.param == "moto":
        moto = request.getfixturevalue("moto")
        return World(S3UploadStore(moto.client("s3"), None, IMPATIENT), moto.bucket(versioned=False))
    store = MemoryStore()
    store.create_bucket("bucket")
    return World(store if request.param == "memory" else FailingStore(store, []), "bucket")


class TestParts:
    def test_nothing_is_to_be_seen_until_it_is_completed(self, world: World) -> None:
        """Then all of it is, with its metadata, under the ETag that was answered."""
        upload = world.begin()
        parts = world.sent(upload)
        with pytest.raises(NoSuchObject):
            world.store.head(world.ref)
        etag = world.store.complete_upload(upload, parts, replaces=None)
        head = world.store.head(world.ref)
        assert (head.version.etag, head.version.size) == (etag, len(WHOLE))
        assert head.metadata["made-by"] == "test"
        assert world.lies_there() == WHOLE

    def test_parts_come_in_any_order_and_may_be_replaced(self, world: World) -> None:
        upload = world.begin()
        world.part(upload, 2, b"another")
        third, second = world.part(upload, 3, PARTS[2]), world.part(upload, 2, PARTS[1])
        first = world.part(upload, 1, PARTS[0])
        assert world.store.uploaded_parts(upload) == [
            UploadedPart(part.number, part.etag, part.size, kept.sha1)
            for part, kept in zip((first, second, third), world.store.uploaded_parts(upload), strict=True)
        ]
        world.store.complete_upload(upload, [first, second, third], replaces=None)
        assert world.lies_there() == WHOLE

    def test_a_part_tells_its_size_and_md5(self, world: World) -> None:
        """The MD5 as S3 has it in the ETag; a SHA-1 is that of the part, where the store keeps one."""
        upload = world.begin()
        world.sent(upload)
        for part, body in zip(world.store.uploaded_parts(upload), PARTS, strict=True):
            assert (part.size, part.etag) == (len(body), md5(body).hexdigest())
            assert part.sha1 in (None, sha1(body).digest())

    def test_a_part_that_is_not_what_it_is_said_to_be_is_refused(self, world: World) -> None:
        """The SHA-1 travels with it."""
        upload = world.begin()
        with pytest.raises(S3TorrentError):
            world.store.upload_part(upload, 1, PARTS[0], sha1=sha1(PARTS[1]).digest())
        assert world.store.uploaded_parts(upload) == []

    def test_a_part_that_was_replaced_by_another_cannot_be_completed_with(self, world: World) -> None:
        """Two uploaders in one upload make no mixture."""
        upload = world.begin()
        parts = world.sent(upload)
        world.part(upload, 2, b"somebody else's")
        with pytest.raises(S3TorrentError):
            world.store.complete_upload(upload, parts, replaces=None)
        with pytest.raises(NoSuchObject):
            world.store.head(world.ref)

    def test_metadata_is_ascii(self, world: World) -> None:
        with pytest.raises(UsageError, match="ASCII"):
            world.store.begin_upload(world.ref, content_type="", metadata={"name": "é"})


class TestConditions:
    def test_an_object_that_appeared_is_not_replaced(self, world: World) -> None:
        """WriteConflict; its parts are still there."""
        upload = world.begin()
        parts = world.sent(upload)
        world.put(b"somebody else's")
        with pytest.raises(WriteConflict, match="shows/"):
            world.store.complete_upload(upload, parts, replaces=None)
        assert world.lies_there() == b"somebody else's"
        assert len(world.store.uploaded_parts(upload)) == 3

    def test_exactly_what_was_seen_is_replaced(self, world: World) -> None:
        world.put(b"first")
        first = world.store.head(world.ref).version
        upload = world.begin()
        world.store.complete_upload(upload, world.sent(upload), replaces=first)
        assert world.lies_there() == WHOLE
        other = world.begin()
        with pytest.raises(WriteConflict):
            world.store.complete_upload(other, world.sent(other), replaces=first)

    def test_a_whole_object_has_the_same_conditions(self, world: World) -> None:
        etag = world.put(b"first")
        assert world.store.head(world.ref).version.etag == etag
        with pytest.raises(WriteConflict):
            world.put(b"second")
        first = world.store.head(world.ref).version
        world.put(b"second", first)
        with pytest.raises(WriteConflict):
            world.put(b"third", first)
        assert world.lies_there() == b"second"
        assert world.store.head(world.ref).metadata["made-by"] == "test"

    def test_a_whole_object_that_is_not_what_it_is_said_to_be_is_refused(self, world: World) -> None:
        with pytest.raises(S3TorrentError):
            world.store.put_whole(
                world.ref, b"a", sha1=sha1(b"b").digest(), replaces=None, content_type="", metadata={}
            )
        with pytest.raises(NoSuchObject):
            world.store.head(world.ref)


class TestUnfinished:
    def test_they_are_found_by_exactly_their_key(self, world: World) -> None:
        """Not by a prefix of it; neither completed nor aborted ones."""
        assert world.store.unfinished_uploads(world.ref) == []
        mine, other, longer = world.begin(), world.begin(), world.begin(KEY + ".part")
        assert set(world.store.unfinished_uploads(world.ref)) == {
            mine,
            other,
        }
        world.store.abort_upload(other)
        world.store.complete_upload(mine, world.sent(mine), replaces=None)
        assert world.store.unfinished_uploads(world.ref) == []
        assert world.store.unfinished_uploads(longer.ref) == [longer]

    def test_an_aborted_upload_is_gone(self, world: World) -> None:
        """Aborting it twice is no error."""
        upload = world.begin()
        parts = world.sent(upload)
        world.store.abort_upload(upload)
        world.store.abort_upload(upload)
        for use in (
            lambda: world.part(upload, 1, PARTS[0]),
            lambda: world.store.uploaded_parts(upload),
            lambda: world.store.complete_upload(upload, parts, replaces=None),
        ):
            with pytest.raises(UploadGone):
                use()
