"""All objects below a prefix to one torrent: what is in it, what is refused, and what may happen meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import (
    Archived,
    BadName,
    EmptyContent,
    NoSuchBucket,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    PathConflict,
    S3TorrentError,
    Throttled,
    TooLarge,
)
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.prefix import (
    build_prefix,
    is_prefix,
    point_below,
    prefix_content,
    prefix_name,
)
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.engine.base import Built

PLACE = ObjectRef("b", "videos/2026/")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore(now=lambda: NOON)
    store.create_bucket("b")
    return store


def fill(store: MemoryStore, *keys: str, body: bytes = b"content") -> None:
    for key in keys:
        store.upload(ObjectRef("b", key), body)


def paths(store: MemoryStore, place: ObjectRef = PLACE, **more: Any) -> list[str]:
    return ["/".join(file.path) for file in prefix_content(place, store, **more).files]


def built(store: Any, place: ObjectRef = PLACE, **policy: Any) -> Built:
    content = prefix_content(place, store)
    return build_prefix(
        place, content, TorrentPolicy(**policy), NativeEngine(2), store=store, progress=lambda *_: None
    )


class TestWhatIsInIt:
    def test_every_object_below_by_its_path_from_there(self, store: MemoryStore):
        """In tree order; what lies beside or above is none of it."""
        fill(store, *(f"videos/2026/{name}" for name in ("b", "a.x", "a/z", "é + 100%")))
        fill(store, "videos/2026", "videos/20260/x", "videos/2025/x", "x")
        content = prefix_content(PLACE, store)
        assert [file.path for file in content.files] == [("a", "z"), ("a.x",), ("b",), ("é + 100%",)]
        assert (content.name, content.single_file) == ("2026", False)

    @pytest.mark.parametrize(
        "marker", ["videos/2026/", "videos/2026/sub/", "videos/2026/sub_$folder$"], ids=str
    )
    def test_no_folder_marker(self, store: MemoryStore, marker: str):
        fill(store, marker, body=b"")
        fill(store, "videos/2026/sub/a")
        assert paths(store) == ["sub/a"]

    def test_no_torrent_whose_object_is_in_it(self, store: MemoryStore):
        """Also one of that; a .torrent that lies there alone is content like any other."""
        fill(store, *(f"videos/2026/{name}" for name in ("a", "a b", "a.torrent", "a.torrent.torrent")))
        fill(store, "videos/2026/alone.torrent", "videos/2026/a.TORRENT")
        assert paths(store) == ["a", "a b", "a.TORRENT", "alone.torrent"]

    def test_no_torrent_of_a_folder_in_it(self, store: MemoryStore):
        """Made by a rule of its own, it would be other content whenever that folder is; one beside a folder
        that holds nothing but a marker, or beside none, is content.
        """
        fill(store, *(f"videos/2026/{name}" for name in ("sub.torrent", "sub/deep.torrent", "sub/deep/a")))
        fill(store, "videos/2026/subs.torrent", "videos/2026/subsequent/a", "videos/2026/bare.torrent")
        fill(store, "videos/2026/bare/", body=b"")
        assert paths(store) == ["bare.torrent", "sub/deep/a", "subs.torrent", "subsequent/a"]

    def test_nothing_of_s3torrent_s_own(self, store: MemoryStore):
        """Below the control prefix of the bucket, wherever that is; the same name elsewhere is not ours."""
        fill(store, ".s3torrent/checkpoints/x", "a", "sub/.s3torrent/y", "own/z")
        assert paths(store, ObjectRef("b", "")) == ["a", "own/z", "sub/.s3torrent/y"]
        assert paths(store, ObjectRef("b", ""), control_prefix="own/") == [
            ".s3torrent/checkpoints/x", "a", "sub/.s3torrent/y",
        ]  # fmt: skip

    def test_empty_objects_are_files(self, store: MemoryStore):
        fill(store, "videos/2026/a")
        fill(store, "videos/2026/empty", body=b"")
        assert paths(store) == ["a", "empty"]

    def test_its_date_is_that_of_the_newest_file(self):
        """So the same content gives the same bytes, whenever the torrent is made."""
        clock = iter(NOON + timedelta(hours=hours) for hours in (0, 5, 2, 9))
        store = MemoryStore(now=lambda: next(clock))
        store.create_bucket("b")
        fill(store, "videos/2026/a", "videos/2026/b", "videos/2026/c", "videos/2026/c.torrent")
        made = built(store).metainfo
        assert made.creation_date == NOON + timedelta(hours=5)
        assert built(store).metainfo.encode() == made.encode()

    @pytest.mark.parametrize(
        ("key", "name"), [("", "b"), ("a/", "a"), ("a/b.c d/", "b.c d"), ("a/é/", "é"), ("/a/", "a")]
    )
    def test_its_name_is_the_last_folder_or_the_bucket(self, key: str, name: str):
        assert prefix_name(ObjectRef("b", key)) == name

    def test_what_names_a_prefix(self):
        refs = [ObjectRef("b", ""), ObjectRef("b", "a/"), ObjectRef("b", "a"), ObjectRef("", "/a/")]
        assert list(map(is_prefix, refs)) == [True, True, False, False]


class TestRefused:
    @pytest.mark.parametrize(
        ("names", "error", "said"),
        [
            (["a//b"], BadName, "'a//b' is an empty name"),
            (["/b"], BadName, "'/b' is an empty name"),
            (["b/"], BadName, "'b/' is an empty name"),
            (["a/./b"], BadName, "'a/./b' is a name that means a folder"),
            (["../../etc/passwd"], BadName, "'../../etc/passwd' is a name that means a folder"),
            (["a\0b"], BadName, r"'a\x00b' is a name with a NUL in it"),
            (["a\ud800"], BadName, r"'a\ud800' is not UTF-8"),
            (["d/" * 100 + "x"], BadName, "is a path of 101 components"),
            (["a", "a/b"], PathConflict, "'a' is a file, and the folder of 'a/b'"),
            (["x/a/b/c", "x/a", "z"], PathConflict, "'x/a' is a file, and the folder of 'x/a/b/c'"),
        ],
        ids=lambda value: repr(value)[:40] if isinstance(value, list) else None,
    )
    def test_keys_that_are_no_files_below_one_folder(
        self, store: MemoryStore, names: list[str], error: type[S3TorrentError], said: str
    ):
        """One line, with the prefix and the keys below it."""
        fill(store, "videos/2026/fine", *(f"videos/2026/{name}" for name in names))
        with pytest.raises(error) as caught:
            prefix_content(PLACE, store)
        assert caught.value.message.startswith("below s3://b/videos/2026/: ")
        assert said in caught.value.message
        assert "\n" not in caught.value.message
        assert caught.value.hint

    @pytest.mark.parametrize("version", ["v2", "hybrid"])
    def test_a_path_too_deep_for_v2_is_refused_before_anything_is_read(
        self, store: MemoryStore, version: str
    ):
        fill(store, "videos/2026/" + "d/" * 95 + "x")
        with pytest.raises(BadName, match="has 96 components; v2 allows 95") as caught:
            prefix_content(PLACE, store, version=version)
        assert caught.value.hint == "make a v1 torrent, or move it nearer to the top"
        assert len(paths(store)) == 1

    def test_paths_too_long_for_v2_are_refused_before_anything_is_read(
        self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("s3torrent.metainfo.paths.MAX_TREE_PATHS", 10)
        fill(store, "videos/2026/0123456789")
        with pytest.raises(TooLarge, match="1 files have paths of 11 bytes; v2 allows 10"):
            prefix_content(PLACE, store, version="v2")
        assert len(paths(store)) == 1

    @pytest.mark.parametrize("key", ["a//", "/", "a/../", "./", "a\0b/"], ids=repr)
    def test_a_prefix_that_ends_in_no_name(self, store: MemoryStore, key: str):
        fill(store, f"{key}x")
        with pytest.raises(BadName, match="for its last folder; expected a name for the torrent"):
            prefix_content(ObjectRef("b", key), store)

    def test_nothing_below(self, store: MemoryStore):
        fill(store, "videos/2026", "videos/2027/a")
        with pytest.raises(NoSuchObject, match=r"nothing lies below s3://b/videos/2026/"):
            prefix_content(PLACE, store)

    def test_an_empty_bucket(self, store: MemoryStore):
        with pytest.raises(NoSuchObject, match=r"nothing lies below s3://b/"):
            prefix_content(ObjectRef("b", ""), store)

    def test_nothing_but_what_is_left_out(self, store: MemoryStore):
        fill(store, "videos/2026/", "videos/2026/sub/", body=b"")
        with pytest.raises(EmptyContent, match=r"below s3://b/videos/2026/ lie only folder markers.*\(2\)"):
            prefix_content(PLACE, store)

    def test_only_empty_objects(self, store: MemoryStore):
        fill(store, "videos/2026/a", "videos/2026/b", body=b"")
        with pytest.raises(EmptyContent, match=r"'2026' is empty \(0 bytes\)"):
            built(store)

    def test_a_folder_marker_with_content(self, store: MemoryStore):
        """Its path below the prefix would be no name at all; so it is named whole."""
        fill(store, "videos/2026/", "videos/2026/a")
        with pytest.raises(
            BadName, match=r"s3://b/videos/2026/ .*of 7 bytes is named like the folder"
        ) as caught:
            prefix_content(PLACE, store)
        assert caught.value.hint

    @pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
    def test_more_objects_than_a_torrent_can_name_end_the_listing(self, version: str):
        """A bucket of a billion is not held in memory to be refused by its size afterwards."""
        listing = Endless()
        with pytest.raises(
            TooLarge, match=r"below s3://b/videos/2026/ lie more than 3\d\d,\d{3} objects"
        ) as caught:
            prefix_content(PLACE, listing, version=version)
        assert listing.told < 400_000
        assert "\n" not in caught.value.message
        assert caught.value.hint == "name a prefix with fewer objects below it"

    def test_no_more_are_refused_than_have_to_be(self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch):
        """Nothing that the torrent itself could hold: neither of the shortest names, nor of deep ones."""
        names = [f"{number:x}" for number in range(300)] + [
            "dir/" * 20 + f"{number:x}" for number in range(300)
        ]
        fill(store, *(f"videos/2026/{name}" for name in names), body=b"")
        fill(store, "videos/2026/a-file")
        for version in ("v1", "v2", "hybrid"):
            made = built(store, version=version).metainfo
            least = len(made.encode()) - len(made.info.get(b"pieces", b""))
            monkeypatch.setattr("s3torrent.pipeline.prefix.MAX_TORRENT", least)
            assert len(prefix_content(PLACE, store, version=version).files) == 601

    def test_a_missing_bucket(self, store: MemoryStore):
        with pytest.raises(NoSuchBucket, match="elsewhere"):
            prefix_content(ObjectRef("elsewhere", "a/"), store)


class Endless:
    """As many objects as anybody wants to hear of, in order."""

    told = 0

    def list_objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[ObjectVersion]:
        while True:
            yield ObjectVersion(ObjectRef(bucket, f"{prefix}{self.told:09}"), None, "e", 0, NOON)
            self.told += 1


class Meanwhile:
    """``inner``, where ``does`` happens once the first listing has ended, or the first object has been read."""

    def __init__(self, inner: MemoryStore, does: Callable[[], object], *, after: str) -> None:
        self.inner, self.does, self.after = inner, does, after

    def list_objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[ObjectVersion]:
        yield from self.inner.list_objects(bucket, prefix, after=after)
        self.happen("listing")

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        yield from self.inner.read(version, start, end)
        self.happen("read")

    def happen(self, what: str) -> None:
        if what == self.after:
            self.after = "never again"
            self.does()


@pytest.mark.parametrize("versioned", [False, True], ids=["without versions", "with versions"])
@pytest.mark.parametrize("after", ["listing", "read"])
class TestMeanwhile:
    """Objects change after they were listed, or after they were read."""

    @pytest.fixture
    def bucket(self, *, versioned: bool) -> MemoryStore:
        store = MemoryStore(now=lambda: NOON)
        store.create_bucket("b", versioned=versioned)
        fill(store, "videos/2026/a", "videos/2026/b")
        return store

    def test_one_that_is_replaced_is_named(self, bucket: MemoryStore, after: str):
        store = Meanwhile(bucket, lambda: fill(bucket, "videos/2026/a", body=b"another"), after=after)
        with pytest.raises(ObjectChanged, match=r"s3://b/videos/2026/a ") as caught:
            built(store)
        assert caught.value.hint == "make the torrent again when nobody writes below the prefix"

    def test_one_that_is_deleted_is_named(self, bucket: MemoryStore, after: str):
        store = Meanwhile(bucket, lambda: bucket.delete(ObjectRef("b", "videos/2026/a")), after=after)
        with pytest.raises(ObjectGone, match=r"s3://b/videos/2026/a ") as caught:
            built(store)
        assert caught.value.hint == "make the torrent again when nobody writes below the prefix"

    def test_one_that_comes_in_is_not_in_it(self, bucket: MemoryStore, after: str):
        expected = built(bucket).metainfo.encode()
        store = Meanwhile(bucket, lambda: fill(bucket, "videos/2026/aa"), after=after)
        assert built(store).metainfo.encode() == expected
        assert built(store).metainfo.encode() != expected

    def test_the_same_bytes_again_are_the_same_object(self, bucket: MemoryStore, after: str):
        expected = built(bucket).metainfo.encode()
        store = Meanwhile(bucket, lambda: fill(bucket, "videos/2026/a"), after=after)
        assert built(store).metainfo.encode() == expected


def test_an_empty_object_that_is_filled_meanwhile_is_noticed(store: MemoryStore):
    """Nothing of it was ever read."""
    fill(store, "videos/2026/a")
    fill(store, "videos/2026/empty", body=b"")
    later = Meanwhile(store, lambda: fill(store, "videos/2026/empty"), after="read")
    with pytest.raises(ObjectChanged, match="videos/2026/empty"):
        built(later)


def test_an_archived_object_is_named(store: MemoryStore):
    fill(store, "videos/2026/a")
    store.upload(ObjectRef("b", "videos/2026/old"), b"x", storage_class="GLACIER")
    with pytest.raises(Archived, match="videos/2026/old") as caught:
        built(store)
    assert "event" not in caught.value.hint


class TestPointBelow:
    def error(self, store: Any) -> NoSuchObject:
        error = NoSuchObject("s3://b/videos does not exist")
        point_below(ObjectRef("b", "videos"), store, error)
        return error

    def test_the_hint_says_to_add_the_slash_where_objects_lie_below(self, store: MemoryStore):
        fill(store, "videos/2026/a")
        assert "s3://b/videos/ (with a slash at its end)" in self.error(store).hint

    def test_the_hint_stays_where_none_does(self, store: MemoryStore):
        fill(store, "videos2026/a")
        assert self.error(store).hint == NoSuchObject.default_hint

    def test_a_listing_that_is_refused_changes_nothing(self):
        class Refusing:
            def list_objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[ObjectVersion]:
                raise Throttled(f"{bucket} {prefix} {after}")

        assert self.error(Refusing()).hint == NoSuchObject.default_hint


class TestPadFiles:
    def test_each_file_begins_with_a_piece(self, store: MemoryStore):
        """None behind the last one; of several empty files the pad comes behind the last."""
        fill(store, *(f"videos/2026/{name}" for name in "acz"), body=bytes(20_000))
        fill(store, "videos/2026/b", body=b"")
        made = built(store, piece_length=16384, pad_files=True).metainfo
        assert [(str(entry), pad) for entry, pad in made.v1_layout] == [
            ("a", False), ("b", False), (".pad/12768", True), ("c", False), (".pad/12768", True), ("z", False),
        ]  # fmt: skip
        assert made.piece_count == 6
        assert made.size == 60_000

    def test_without_them_a_policy_is_what_it_was_before_there_were_any(self):
        """Torrents that were made under it stay as they are."""
        plain = TorrentPolicy()
        assert plain.policy_id == "v1-auto-0c0c8bc6e4fb65e0"
        assert replace(plain, pad_files=True).policy_id != plain.policy_id

    def test_what_they_cost_is_counted(self, store: MemoryStore):
        """Each file has pieces of its own, so many small ones may need longer pieces, or be too many."""
        fill(store, *(f"videos/2026/{number}" for number in range(50)), body=b"x")
        content = prefix_content(PLACE, store)
        from s3torrent.engine.document import piece_length_of

        plain = piece_length_of(content, TorrentPolicy())
        padded = piece_length_of(content, TorrentPolicy(pad_files=True))
        assert "1 piece of 16 KiB" in plain.reason
        assert "50 pieces of 16 KiB" in padded.reason
