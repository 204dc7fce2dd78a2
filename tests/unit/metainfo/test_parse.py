"""Reading torrents that other tools made: facts and provenance in tests/vectors/valid.json."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from s3torrent.errors import InvalidMetainfo
from s3torrent.metainfo import bencode, infohash
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.parse import parse, read

VECTORS = Path(__file__).parents[2] / "vectors"
FACTS = json.loads((VECTORS / "valid.json").read_text())


def vector(name: str) -> bytes:
    return (VECTORS / "valid" / f"{name}.torrent").read_bytes()


def one_file(**top):
    info = {"length": 1, "name": "n", "piece length": 16384, "pieces": b"x" * 20} | top.pop("info", {})
    return parse(bencode.encode({"info": info, **top}))


def test_every_vector_states_what_made_it():
    assert {path.stem for path in (VECTORS / "valid").iterdir()} == FACTS.keys()
    assert all(facts["tool"] and facts["command"] for facts in FACTS.values())


@pytest.mark.parametrize("name", sorted(FACTS.keys() - {"v2_folder_of_one"}))
def test_a_torrent_reads_as_libtorrent_reads_it(name):
    metainfo, facts = parse(vector(name)), FACTS[name]
    assert metainfo.name == facts["name"]
    assert infohash.v1_hex(metainfo) == facts["infoHashV1"]
    assert infohash.v2_hex(metainfo) == facts["infoHashV2"]
    assert metainfo.piece_length == facts["pieceLength"]
    assert metainfo.piece_count == facts["pieceCount"]
    root = "" if metainfo.single_file else metainfo.name + "/"
    assert [[root + str(entry), entry.length] for entry in metainfo.files] == facts["files"]
    assert metainfo.size == sum(length for _, length in facts["files"])
    assert metainfo.torrent_version == name.split("_")[0]
    assert metainfo.single_file == (name in {"v1_single", "v2_single", "hybrid_single", "v1_transmission"})


def test_a_v2_folder_of_one_file_stays_a_folder_where_libtorrent_shows_only_the_file():
    metainfo, facts = parse(vector("v2_folder_of_one")), FACTS["v2_folder_of_one"]
    assert (facts["name"], facts["files"]) == ("x", [["x", 20_000]])
    assert infohash.v2_hex(metainfo) == facts["infoHashV2"]
    assert (metainfo.name, metainfo.single_file) == ("one", False)
    assert metainfo.files == (FileEntry(("x",), 20_000),)


@pytest.mark.parametrize("name", FACTS)
def test_a_torrent_writes_back_byte_for_byte(name):
    assert parse(vector(name)).encode() == vector(name)


def test_everything_torf_wrote_is_read():
    metainfo = parse(vector("v1_torf"))
    assert metainfo.trackers == [["http://one.example.org/announce"], ["udp://two.example.org:6969"]]
    assert metainfo.web_seeds == ("http://seed.example.org/",)
    assert metainfo.private
    assert metainfo.source == "torf"
    assert metainfo.comment == "made by torf"
    assert metainfo.created_by is not None
    assert metainfo.created_by.startswith("torf ")
    assert metainfo.creation_date == datetime.fromtimestamp(1_700_000_000, UTC)
    assert FileEntry(("z", "é ü.bin"), 16384) in metainfo.files


def test_private_zero_of_transmission_is_not_private():
    metainfo = parse(vector("v1_transmission"))
    assert metainfo.info[b"private"] == 0
    assert not metainfo.private
    assert metainfo.comment == "ü"
    assert metainfo.trackers == [["http://t.example.org/a"]]


def test_pad_files_are_in_the_v1_layout_and_not_among_the_files():
    metainfo = parse(vector("hybrid_folder"))
    assert metainfo.v1_layout == (
        (FileEntry(("a",), 40_000), False),
        (FileEntry((".pad", "9152"), 9152), True),
        (FileEntry(("b", "c"), 5), False),
        (FileEntry((".pad", "16379"), 16379), True),
    )
    assert metainfo.files == (FileEntry(("a",), 40_000), FileEntry(("b", "c"), 5))
    assert [len(root or b"") for root in metainfo.file_roots] == [32, 32]
    assert list(metainfo.piece_layers) == [metainfo.file_roots[0]]
    assert parse(vector("v2_folder")).v1_layout == ()


def test_unknown_keys_inside_and_outside_info_are_kept():
    metainfo = one_file(info={"x-crc": 7}, azureus_properties={"dht": 1}, zz=[b"\xff"])
    assert metainfo.info[b"x-crc"] == 7
    assert metainfo.top == {b"azureus_properties": {b"dht": 1}, b"zz": [b"\xff"]}
    assert parse(metainfo.encode()) == metainfo


def test_piece_layers_of_a_v1_torrent_are_an_unknown_key():
    metainfo = one_file(**{"piece layers": [b"junk"]})
    assert metainfo.piece_layers == {}
    assert metainfo.top == {b"piece layers": [b"junk"]}


def test_text_that_is_not_utf_8_shows_with_replacements_and_is_kept_as_it_is():
    metainfo = one_file(
        info={"name": b"caf\xe9", "source": b"\xff"}, comment=b"\xfe", announce=b"http://\xe9/"
    )
    assert (metainfo.name, metainfo.source, metainfo.comment) == ("caf�", "�", "�")
    assert metainfo.trackers == [["http://�/"]]
    assert b"caf\xe9" in metainfo.encode()


@pytest.mark.parametrize(
    ("top", "seeds"),
    [
        ({}, ()),
        ({"url-list": ""}, ()),
        ({"url-list": []}, ()),
        ({"url-list": "http://a.example.org/n"}, ("http://a.example.org/n",)),
        ({"url-list": ["http://a.example.org/n", "", "http://b/"]}, ("http://a.example.org/n", "http://b/")),
    ],
)
def test_a_url_list_is_one_url_or_several(top, seeds):
    assert one_file(**top).web_seeds == seeds


@pytest.mark.parametrize(
    ("top", "tiers"),
    [
        ({}, []),
        ({"announce": ""}, []),
        ({"announce": "http://a/"}, [["http://a/"]]),
        ({"announce": "http://a/", "announce-list": []}, [["http://a/"]]),
        (
            {"announce": "http://a/", "announce-list": [["http://b/", "http://c/"], [], ["http://d/"]]},
            [["http://b/", "http://c/"], ["http://d/"]],
        ),
    ],
)
def test_an_announce_list_goes_before_announce(top, tiers):
    assert one_file(**top).trackers == tiers


@pytest.mark.parametrize("date", [b"yesterday", 1 << 62, -(1 << 62), []])
def test_a_creation_date_no_calendar_has_is_none(date):
    assert one_file(**{"creation date": date}).creation_date is None


def test_optional_text_of_another_type_is_none():
    metainfo = one_file(info={"source": 5, "private": "1"}, comment=[], **{"created by": 7})
    assert (metainfo.source, metainfo.comment, metainfo.created_by, metainfo.private) == (
        None,
        None,
        None,
        False,
    )


def test_a_torrent_past_the_size_limit_is_refused_unread():
    with pytest.raises(InvalidMetainfo, match="11 bytes; expected at most 10") as caught:
        parse(b"x" * 11, max_bytes=10)
    assert caught.value.rule == "metainfo"


def test_read_leaves_the_rules_unchecked():
    assert read(b"d4:infodee").info == {}
