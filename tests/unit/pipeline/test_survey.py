"""Objects and their torrents out of one listing, in flat memory, and from any marker on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from s3torrent.pipeline.survey import PATIENCE, Found, survey
from s3torrent.types import ObjectRef, ObjectVersion

NOW = datetime(2026, 11, 24, tzinfo=UTC)
names = st.text(alphabet="ab.-/~é", min_size=1, max_size=4)
keys = st.sets(
    st.tuples(names, st.sampled_from(["", ".torrent", ".torrent.torrent", "x", "/y"])).map("".join)
)


def version(key: str, seconds: int = 0) -> ObjectVersion:
    return ObjectVersion(ObjectRef("bucket", key), None, "etag", 1, NOW + timedelta(seconds=seconds))


def listing(found: set[str], after: str = "") -> list[ObjectVersion]:
    return [version(key) for key in sorted(found, key=str.encode) if key > after]


def told(found: Found) -> tuple[str | None, str | None]:
    return found.object and found.object.ref.key, found.torrent and found.torrent.ref.key


def naive(found: set[str]) -> set[tuple[str | None, str | None]]:
    """A folder's marker (``a/``) has no torrent beside it: ``a.torrent`` is the folder's."""
    objects = {key for key in found if not key.endswith(".torrent")}
    files = {key for key in objects if not key.endswith("/")}
    pairs = {
        (key, key + ".torrent" if key in files and key + ".torrent" in found else None) for key in objects
    }
    return pairs | {(None, key) for key in found - objects if key.removesuffix(".torrent") not in files}


@given(found=keys)
@example(found={"a", "a-b", "a-b.torrent", "a.torrent", "a.tor", "a/b"})
def test_each_object_has_its_torrent_and_none_is_told_twice(found: set[str]) -> None:
    answered = list(map(told, survey(listing(found))))
    assert len(answered) == len(set(answered))
    assert set(answered) == naive(found)


@given(found=keys, at=st.integers(0, 30))
def test_from_any_marker_on_comes_at_least_what_was_not_told(found: set[str], at: int) -> None:
    """And what is told again is what was waiting, not a page."""
    answered = list(survey(listing(found)))
    before, marker = answered[: at + 1], answered[at].marker if at < len(answered) else ""
    if at >= len(answered):
        return
    rest = set(map(told, survey(listing(found, marker), marker)))
    assert set(map(told, answered[at + 1 :])) <= rest
    assert set(map(told, before)) | rest == naive(found)


@given(found=keys)
def test_memory_is_a_chain_of_keys_that_begin_with_each_other(found: set[str]) -> None:
    """Whatever waits begins the key that is looked at."""
    seen = 0
    for number, one in enumerate(survey(listing(found))):
        seen = number + 1
        assert one.object or one.torrent
    assert seen == len(naive(found))


@given(found=keys, at=st.integers(0, 30), patience=st.integers(1, 3))
def test_with_a_look_nothing_waits_longer_than_that_and_all_else_is_the_same(
    found: set[str], at: int, patience: int
) -> None:
    asked: list[str] = []

    def look(ref: ObjectRef) -> ObjectVersion | None:
        asked.append(ref.key)
        return version(ref.key) if ref.key in found else None

    answered = list(survey(listing(found), "", look, patience))
    assert len(answered) == len(set(answered)) == len(naive(found))
    assert set(map(told, answered)) == naive(found)
    assert len(asked) == len(set(asked))
    if at < len(answered):
        marker = answered[at].marker
        rest = list(survey(listing(found, marker), marker, look, patience))
        known = set(map(told, answered[: at + 1])) | set(map(told, rest))
        assert {pair for pair in known if pair[0]} == {pair for pair in naive(found) if pair[0]}


def test_the_marker_moves_although_an_object_begins_all_other_keys() -> None:
    """``data`` beside a million ``data/...``; and a folder's marker waits for nothing."""
    listed = [version("data"), *(version(f"data/{number:05}") for number in range(5000))]
    answered = list(survey(listed, "", lambda _: None))
    at = [one.object.ref.key for one in answered if one.object].index("data")
    assert at <= PATIENCE
    assert all(one.marker >= "data/" for one in answered[at:])
    folder = [version("shows/"), *(version(f"shows/{number:05}") for number in range(50))]
    assert [one.marker for one in survey(folder)][:2] == ["shows/", "shows/00000"]


def test_a_million_keys_wait_for_nobody() -> None:
    """An object is told as soon as the next key shows that no torrent comes."""
    listed = iter([version("a"), version("b"), version("c")])
    first = next(iter(survey(listed)))
    assert told(first) == ("a", None)
    assert next(listed).ref.key == "c"


def test_a_torrent_older_than_its_object_is_stale() -> None:
    assert Found(version("a", 1), version("a.torrent"), "").is_stale
    assert not Found(version("a"), version("a.torrent"), "").is_stale
    assert not Found(version("a"), None, "").is_stale
