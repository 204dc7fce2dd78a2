"""Edits beside the info dict: what they change, and that the info-hash is not among it."""

from __future__ import annotations

import libtorrent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.errors import UrlError
from s3torrent.metainfo import infohash
from s3torrent.metainfo.build import build
from s3torrent.metainfo.edit import Edit, edit, kept, restored
from s3torrent.metainfo.model import FileEntry, Metainfo
from s3torrent.metainfo.parse import parse

A, B, C = "udp://a.example:1/announce", "http://b.example/announce", "https://c.example/announce?key=1"
SEED = "https://cdn.example.org/a.bin"


def torrent(*, folder: bool = False, **more: object) -> Metainfo:
    files = [FileEntry(("a.bin",), 5), FileEntry(("b",), 5)] if folder else [FileEntry(("a.bin",), 5)]
    return build(
        name="dir" if folder else "a.bin",
        files=files,
        single_file=not folder,
        piece_length=16384,
        version="v1",
        pieces=bytes(20),
        file_roots=None,
        piece_layers=None,
        **more,  # type: ignore[arg-type]
    )


def test_a_tracker_is_added_as_a_tier_of_its_own() -> None:
    assert edit(torrent(trackers=[[A, B]]), Edit(trackers=(C,))).trackers == [[A, B], [C]]
    assert edit(torrent(), Edit(trackers=(A,))).top[b"announce"] == A.encode()
    assert b"announce-list" not in edit(torrent(), Edit(trackers=(A,))).top


def test_what_is_there_already_changes_nothing() -> None:
    metainfo = torrent(trackers=[[A], [B]], web_seeds=[SEED], comment="c")
    wish = Edit(trackers=(B,), web_seeds=(SEED,), comment="c", remove_trackers=(C,), replace=(("zzz", "y"),))
    assert edit(metainfo, wish) is metainfo


def test_the_last_tracker_can_be_taken_out() -> None:
    top = edit(torrent(trackers=[[A], [B]]), Edit(remove_trackers=(A, B))).top
    assert not {b"announce", b"announce-list"} & top.keys()


@pytest.mark.parametrize("comment", ["new é", ""])
def test_a_comment_that_clients_prefer_goes_with_it(comment: str) -> None:
    """libtorrent shows ``comment.utf-8`` where a torrent has it, whatever ``comment`` says."""
    plain = torrent(comment="old")
    before = Metainfo(plain.info_raw, plain.info, {**plain.top, b"comment.utf-8": b"preferred"})
    after = edit(before, Edit(comment=comment))
    assert libtorrent.load_torrent_buffer(after.encode()).comment == comment
    assert (b"comment.utf-8" in after.top) == bool(comment)
    assert restored(after, kept(before)).encode() == before.encode()
    assert edit(after, Edit(comment=comment)) is after


def test_a_comment_alone_gets_no_second() -> None:
    assert b"comment.utf-8" not in edit(torrent(comment="old"), Edit(comment="new")).top


def test_a_part_of_each_announce_url_is_replaced_and_what_falls_together_is_one() -> None:
    metainfo = torrent(trackers=[[A, "udp://old.example:1/announce"], ["http://old.example/announce"]])
    assert edit(metainfo, Edit(replace=(("old.", "a."),))).trackers == [[A], ["http://a.example/announce"]]


def test_web_seeds_of_a_folder_end_in_a_slash() -> None:
    assert edit(torrent(folder=True), Edit(web_seeds=("https://x.example/d",))).web_seeds == (
        "https://x.example/d/",
    )


def test_web_seeds_come_and_go() -> None:
    one = edit(torrent(), Edit(web_seeds=(SEED,)))
    assert one.top[b"url-list"] == SEED.encode()
    other = edit(one, Edit(web_seeds=("https://y.example/a.bin",), remove_web_seeds=(SEED,)))
    assert other.web_seeds == ("https://y.example/a.bin",)
    assert b"url-list" not in edit(one, Edit(remove_web_seeds=(SEED,))).top


def test_an_empty_comment_takes_it_out() -> None:
    assert edit(torrent(), Edit(comment="é")).comment == "é"
    assert b"comment" not in edit(torrent(comment="x"), Edit(comment="")).top


@pytest.mark.parametrize(
    "wish",
    [Edit(trackers=("foo",)), Edit(web_seeds=("ftp://x/y",)), Edit(replace=(("udp://a", "gopher://a"),))],
)
def test_what_is_no_url_of_its_kind_is_refused(wish: Edit) -> None:
    with pytest.raises(UrlError):
        edit(torrent(trackers=[[A]]), wish)


def test_keys_of_other_programs_stay() -> None:
    metainfo = torrent(trackers=[[A]])
    strange = Metainfo(
        metainfo.info_raw, metainfo.info, {**metainfo.top, b"zz": [1, b"x"], b"announce": b"??"}
    )
    assert edit(strange, Edit(comment="c")).top == {**strange.top, b"comment": b"c"}


URLS = st.sampled_from([A, B, C])
WISHES = st.builds(
    Edit,
    trackers=st.lists(URLS, max_size=3).map(tuple),
    remove_trackers=st.lists(URLS, max_size=2).map(tuple),
    replace=st.lists(st.tuples(st.sampled_from(["a.", "b.", "example"]), st.sampled_from(["x.", "y"]))).map(
        tuple
    ),
    web_seeds=st.lists(st.sampled_from([SEED, "https://y.example/%20"]), max_size=2).map(tuple),
    remove_web_seeds=st.lists(st.just(SEED), max_size=1).map(tuple),
    comment=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)


@given(tiers=st.lists(st.lists(URLS, max_size=2), max_size=3), wish=WISHES, folder=st.booleans())
def test_any_edit_keeps_the_info_dict_and_can_be_undone(
    tiers: list[list[str]], wish: Edit, folder: bool
) -> None:
    before = torrent(folder=folder, trackers=tiers, web_seeds=[SEED], comment="c")
    after = edit(before, wish)
    assert parse(after.encode()) == after
    assert infohash.v1(after) == infohash.v1(before)
    assert edit(after, Edit(comment=after.comment)) is after
    listed = [url for tier in after.trackers for url in tier]
    if after.trackers != before.trackers:
        assert len(listed) == len(set(listed))
    assert restored(after, kept(before)).encode() == before.encode()
