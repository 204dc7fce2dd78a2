"""What build writes, and what it refuses. Whether others agree: test_build_judges.py."""

from typing import Any

import pytest

from s3torrent.errors import BadName, EmptyContent, PathConflict, UrlError
from s3torrent.metainfo.build import build, tree_order
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.parse import parse
from support.naive import padded_stream, v1_pieces, v2_root_and_layer

PIECE = 16384


def files_of(*entries):
    return [FileEntry(tuple(path.split("/")), length) for path, length in entries]


def digests(files, version, piece_length=PIECE):
    """The arguments that the hashing room gives, for content of zeros."""
    contents = [bytes(entry.length) for entry in files]
    trees = [v2_root_and_layer(data, piece_length) for data in contents]
    return {
        "files": files,
        "version": version,
        "piece_length": piece_length,
        "pieces": None
        if version == "v2"
        else v1_pieces(padded_stream(contents, piece_length, version), piece_length),
        "file_roots": None if version == "v1" else [root for root, _ in trees],
        "piece_layers": None if version == "v1" else {root: layer for root, layer in trees if layer},
    }


def single(version="v1", length=40_000, **more):
    return build(
        **({"name": "n.bin", "single_file": True} | digests(files_of(("n.bin", length)), version) | more)
    )


def folder(*entries, version="v1", **more):
    return build(**({"name": "dir", "single_file": False} | digests(files_of(*entries), version) | more))


@pytest.mark.parametrize(
    ("version", "keys"),
    [
        ("v1", [b"length", b"name", b"piece length", b"pieces"]),
        ("v2", [b"file tree", b"meta version", b"name", b"piece length"]),
        ("hybrid", [b"file tree", b"length", b"meta version", b"name", b"piece length", b"pieces"]),
    ],
)
def test_an_info_dict_has_the_keys_of_its_version_and_no_other(version, keys):
    metainfo = single(version)
    assert sorted(metainfo.info) == keys
    assert metainfo.torrent_version == version
    assert metainfo.single_file
    assert metainfo.files == (FileEntry(("n.bin",), 40_000),)
    assert (b"piece layers" in metainfo.top) == (version != "v1")
    assert parse(metainfo.encode()) == metainfo


def test_piece_layers_are_there_even_if_empty():
    assert single("v2", PIECE).top[b"piece layers"] == {}
    assert single("hybrid", PIECE).top[b"piece layers"] == {}


def test_a_v2_single_file_lies_in_the_tree_under_its_name():
    assert list(single("v2").info[b"file tree"]) == [b"n.bin"]


def test_an_empty_file_has_no_pieces_root():
    metainfo = folder(("a", 0), ("b", 1), version="v2")
    assert metainfo.info[b"file tree"][b"a"] == {b"": {b"length": 0}}
    assert metainfo.file_roots[0] is None


def test_a_hybrid_pads_after_every_unaligned_file_and_the_last_one_too():
    metainfo = folder(("a", 1), ("b", 0), ("c", PIECE), ("d", 2 * PIECE + 1), version="hybrid")
    assert [(str(entry), is_pad) for entry, is_pad in metainfo.v1_layout] == [
        ("a", False),
        (".pad/16383", True),
        ("b", False),
        ("c", False),
        ("d", False),
        (".pad/16383", True),
    ]
    assert metainfo.info[b"files"][1] == {b"attr": b"p", b"length": 16383, b"path": [b".pad", b"16383"]}


def test_a_hybrid_folder_of_one_file_has_no_pad():
    metainfo = folder(("a", 1), version="hybrid")
    assert metainfo.info[b"files"] == [{b"length": 1, b"path": [b"a"]}]


def test_a_v1_folder_has_no_pads():
    assert folder(("a", 1), ("b", 2)).info[b"files"] == [
        {b"length": 1, b"path": [b"a"]},
        {b"length": 2, b"path": [b"b"]},
    ]


def test_private_and_source_are_in_info_and_only_where_asked_for():
    assert single().info.keys().isdisjoint({b"private", b"source"})
    marked = single(private=True, source="ü")
    assert (marked.private, marked.source) == (True, "ü")
    assert single(write_private_zero=True).info[b"private"] == 0
    assert single(write_private_zero=True, private=True).info[b"private"] == 1


@pytest.mark.parametrize(
    ("trackers", "announce", "tiers"),
    [
        ([], None, None),
        ([[]], None, None),
        ([["http://a/"]], b"http://a/", None),
        ([["http://a/", "udp://b:1"]], b"http://a/", [[b"http://a/", b"udp://b:1"]]),
        ([[], ["http://a/"], ["wss://b/"]], b"http://a/", [[b"http://a/"], [b"wss://b/"]]),
    ],
)
def test_announce_list_is_written_with_announce_when_there_is_more_than_one_tracker(
    trackers, announce, tiers
):
    top = single(trackers=trackers).top
    assert top.get(b"announce") == announce
    assert top.get(b"announce-list") == tiers


def test_one_web_seed_is_a_string_and_several_are_a_list():
    assert b"url-list" not in single().top
    assert single(web_seeds=["https://a/n"]).top[b"url-list"] == b"https://a/n"
    assert single(web_seeds=["https://a/n", "https://b/n"]).top[b"url-list"] == [
        b"https://a/n",
        b"https://b/n",
    ]


def test_a_folder_s_web_seed_ends_in_a_slash():
    assert folder(("a", 1), web_seeds=["https://a/x"]).web_seeds == ("https://a/x/",)


def test_creation_date_comment_and_creator_are_written_where_given():
    assert single(created_by=None).top == {}
    assert single(comment="ü", creation_date=0).top == {
        b"comment": "ü".encode(),
        b"created by": b"s3torrent",
        b"creation date": 0,
    }


def test_what_is_outside_info_does_not_change_it():
    plain = single()
    full = single(
        trackers=[["http://a/"]], web_seeds=["https://a/n"], comment="c", creation_date=5, created_by=None
    )
    assert full.info_raw == plain.info_raw


def test_tree_order_goes_component_by_component_as_raw_bytes():
    files = files_of(
        ("b", 1), ("a.x", 1), ("é", 1), ("a/z", 1), ("a/b/c", 1), ("Z", 1), ("a-", 1), ("￿", 1), ("𐀀", 1)
    )
    assert [str(entry) for entry in tree_order(files)] == [
        "Z",
        "a/b/c",
        "a/z",
        "a-",
        "a.x",
        "b",
        "é",
        "￿",
        "𐀀",
    ]


def test_files_that_cannot_lie_together_are_refused_with_both_names():
    with pytest.raises(PathConflict, match=r"'a/b' is a file, and the folder of 'a/b/c'"):
        tree_order(files_of(("a/b/c", 1), ("a/b.x", 1), ("a/b", 1)))
    with pytest.raises(PathConflict, match=r"'a' is there twice"):
        tree_order(files_of(("a", 1), ("b", 1), ("a", 2)))


@pytest.mark.parametrize("version", ["v1", "hybrid"])
def test_a_file_in_the_place_of_a_pad_file_is_refused(version: str):
    """Clients would take the one for the other (BEP 47)."""
    files = tree_order(files_of((".pad/16379", 5), ("x", 5), ("y", 5)))
    more: Any = {"file_roots": [bytes(32)] * 3, "piece_layers": {}} if version == "hybrid" else {}
    made: Any = {
        "name": "d", "files": files, "single_file": False, "piece_length": 16384, "version": version,
        "pieces": bytes(60), "file_roots": None, "piece_layers": None, "pad_files": True, **more,
    }  # fmt: skip
    with pytest.raises(PathConflict, match=r"\.pad/16379 is a file, and the name of a pad file"):
        build(**made)
    files = tree_order(files_of((".pad/5", 5), ("x", 5), ("y", 5)))
    assert build(**{**made, "files": files}).files == tuple(files)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ((), "an empty path"),
        (("a", ""), "an empty name"),
        (("..", "a"), "a name that means a folder"),
        ((".",), "a name that means a folder"),
        (("a/b",), "a name with a slash"),
        (("a\0b",), "a name with a NUL"),
        (("\udcff",), "not UTF-8"),
        (("d",) * 101, "a path of 101 components"),
    ],
)
def test_a_path_no_torrent_may_hold_is_a_bad_name(path, says):
    with pytest.raises(BadName, match=says) as caught:
        tree_order([FileEntry(path, 1)])
    caught.value.message.encode()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "\udcff"])
def test_a_name_that_is_no_path_component_is_a_bad_name(name):
    with pytest.raises(BadName):
        single(name=name)


def test_a_path_too_deep_for_v2_clients_is_refused_in_v2_only():
    deep = "/".join("d" * 96)
    assert folder((deep, 1)).size == 1
    assert parse(folder((deep[2:], 1), version="v2").encode()).size == 1
    for version in ("v2", "hybrid"):
        with pytest.raises(BadName, match="96 components; v2 allows 95"):
            folder((deep, 1), version=version)


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_empty_content_is_refused(version):
    with pytest.raises(EmptyContent, match=r"'n\.bin' has 0 bytes"):
        single(version, 0)
    with pytest.raises(EmptyContent, match="'dir' has 0 bytes"):
        folder(("a", 0), ("b", 0), version=version)
    with pytest.raises(EmptyContent):
        folder(version=version)


def test_an_address_that_is_none_is_refused():
    with pytest.raises(UrlError, match="tracker"):
        single(trackers=[["nonsense"]])
    with pytest.raises(UrlError, match="ends in /"):
        single(web_seeds=["https://a/"])


@pytest.mark.parametrize(
    ("version", "wrong"),
    [
        ("v3", {}),
        ("v1", {"pieces": None}),
        ("v1", {"pieces": b"x" * 40}),
        ("v1", {"pieces": b"x" * 59}),
        ("v1", {"piece_length": 0}),
        ("hybrid", {"piece_length": 0}),
        ("hybrid", {"piece_length": 3 * 16384}),
        ("v2", {"file_roots": None}),
        ("v2", {"piece_layers": None}),
        ("v2", {"piece_layers": {}}),
        ("v2", {"file_roots": []}),
        ("v2", {"file_roots": [None]}),
        ("v2", {"file_roots": [b"x" * 32]}),
        ("v1", {"files": files_of(("n.bin", 40_000), ("m", 1))}),
        ("v1", {"single_file": False, "files": files_of(("b", 20_000), ("a", 20_000))}),
    ],
)
def test_digests_that_do_not_fit_the_files_are_a_programmer_s_error(version, wrong):
    arguments = digests(files_of(("n.bin", 40_000)), version if version != "v3" else "v1") | {
        "version": version
    }
    with pytest.raises(ValueError):
        build(**({"name": "n.bin", "single_file": True} | arguments | wrong))
