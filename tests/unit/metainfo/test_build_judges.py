"""build against other creators and readers, over the same content: libtorrent, torf, transmission-show."""

import shutil
import subprocess

import libtorrent as lt
import pytest
import torf

from s3torrent.metainfo import infohash
from s3torrent.metainfo.build import build, tree_order
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.parse import parse
from support.naive import padded_stream, v1_pieces, v2_root_and_layer

VERSIONS = ("v1", "v2", "hybrid")
PIECES = (16384, 65536)
SIZES = (1, 16383, 16384, 16385, 65535, 65536, 65537, 5 * 65536 + 3)
FOLDERS = {
    "one": {"x": 20_000},
    "one like the folder": {"dir": 20_000},
    "tiny": {"a": 1, "b": 2},
    "empty ones": {"a": 0, "b": 70_000, "c/d": 0, "e": 1, "f": 0},
    "nested": {"a/b/c/d": 16_385, "a/b/e": 65_536, "a/f": 0, "g": 131_073, "z/z": 40_000},
    "unicode": {"Ω/é ü": 3, "shows/é+ü & 100%.bin": 70_000, "日本/語": 16_384, "𐀀": 5, "￿": 5},
    "same content": {"a": 65_537, "b/a": 65_537},
}
TRACKERS = [
    ["http://one.example.org/announce", "udp://two.example.org:6969"],
    ["https://three.example.org/a"],
]


def content(path, length):
    """Bytes that depend on the last name only, so that two files may be the same."""
    seed = sum(path[-1].encode())
    return bytes((seed + at * 7 + at // 251) % 256 for at in range(length))


def lay_out(root, name, files):
    """Write the files below ``root``; a name alone is a single file."""
    for path, length in files.items():
        target = root.joinpath(name, *path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content(path or (name,), length))


def ours(name, files, version, piece_length, **more):
    single = list(files) == [()]
    entries = tree_order(FileEntry(path or (name,), length) for path, length in files.items())
    contents = [content(entry.path, entry.length) for entry in entries]
    trees = [v2_root_and_layer(data, piece_length) for data in contents]
    return build(
        name=name,
        files=entries,
        single_file=single,
        piece_length=piece_length,
        version=version,
        pieces=None
        if version == "v2"
        else v1_pieces(padded_stream(contents, piece_length, version), piece_length),
        file_roots=None if version == "v1" else [root for root, _ in trees],
        piece_layers=None if version == "v1" else {root: layer for root, layer in trees if layer},
        **more,
    )


def libtorrents(root, name, files, version, piece_length):
    """What libtorrent's own creator makes; in tree order, for a v1 list has the order it is given."""
    flags = {"v1": lt.create_torrent.v1_only, "v2": lt.create_torrent.v2_only, "hybrid": 0}[version]
    entries = tree_order(FileEntry((name, *path), length) for path, length in files.items())
    torrent = lt.create_torrent(
        [lt.create_file_entry(str(entry), entry.length) for entry in entries],
        piece_length,
        flags | lt.create_torrent.no_attributes,
    )
    lt.set_piece_hashes(torrent, str(root))
    return torrent.generate()


def folder(label):
    return {tuple(path.split("/")): length for path, length in FOLDERS[label].items()}


def check(tmp_path, name, files, version, piece_length):
    lay_out(tmp_path, name, files)
    theirs = libtorrents(tmp_path, name, files, version, piece_length)
    metainfo = ours(name, files, version, piece_length)
    assert metainfo.info_raw == lt.bencode(theirs[b"info"])
    assert metainfo.piece_layers == theirs.get(b"piece layers", {})

    judged = lt.load_torrent_buffer(metainfo.encode()).info_hashes
    assert infohash.v1(metainfo) == (judged.v1.to_bytes() if judged.has_v1() else None)
    assert infohash.v2(metainfo) == (judged.v2.to_bytes() if judged.has_v2() else None)
    assert parse(metainfo.encode()) == metainfo


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("piece_length", PIECES)
@pytest.mark.parametrize("size", SIZES)
def test_a_single_file_has_the_info_dict_that_libtorrent_writes(tmp_path, size, piece_length, version):
    check(tmp_path, "é+ü & 100%.bin", {(): size}, version, piece_length)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("piece_length", PIECES)
@pytest.mark.parametrize("label", FOLDERS)
def test_a_folder_has_the_info_dict_that_libtorrent_writes(tmp_path, label, piece_length, version):
    check(tmp_path, "dir", folder(label), version, piece_length)


def test_a_hybrid_keeps_tree_order_where_libtorrent_s_creator_breaks_it(tmp_path):
    """libtorrent 2.1.1 sorts ``a.x`` before ``a/z`` in the v1 list, and then refuses its own torrent."""
    files = {("a", "z"): 20_000, ("a.x",): 5}
    lay_out(tmp_path, "dir", files)
    theirs = lt.bencode(libtorrents(tmp_path, "dir", files, "hybrid", 16384))
    with pytest.raises(RuntimeError, match="does not match"):
        lt.load_torrent_buffer(theirs)
    assert lt.load_torrent_buffer(ours("dir", files, "hybrid", 16384).encode()).info_hashes.has_v1()


@pytest.mark.parametrize(("version", "depth"), [("v1", 100), ("v2", 95), ("hybrid", 95)])
def test_libtorrent_loads_the_deepest_path_that_build_allows(version, depth):
    metainfo = ours("dir", {("d",) * depth: 5}, version, 16384)
    assert lt.load_torrent_buffer(metainfo.encode()).info_hashes.has_v1() == (version != "v2")


@pytest.mark.parametrize("version", VERSIONS)
def test_libtorrent_reads_all_that_is_around_the_info_dict(version):
    metainfo = ours(
        "dir",
        folder("nested"),
        version,
        16384,
        private=True,
        source="src",
        trackers=TRACKERS,
        web_seeds=["https://cdn.example.org/base"],
        comment="für dich",
        creation_date=1_700_000_000,
    )
    read = lt.load_torrent_buffer(metainfo.encode())
    assert read.trackers == [url for tier in TRACKERS for url in tier]
    assert read.tracker_tiers == [0, 0, 1]
    assert read.url_seeds == ["https://cdn.example.org/base/"]
    assert read.comment == "für dich"
    assert read.created_by == "s3torrent"
    assert read.creation_date == 1_700_000_000
    assert read.ti.priv()


@pytest.mark.parametrize("version", VERSIONS)
def test_libtorrent_reads_the_magnet_link(version):
    metainfo = ours(
        "é+ü & 100%.bin", {(): 20_000}, version, 16384, trackers=TRACKERS, web_seeds=["https://x/%2B"]
    )
    read = lt.parse_magnet_uri(magnet(metainfo))
    assert read.info_hashes == lt.load_torrent_buffer(metainfo.encode()).info_hashes
    assert read.name == "é+ü & 100%.bin"
    assert read.trackers == [url for tier in TRACKERS for url in tier]
    assert read.url_seeds == ["https://x/%2B"]


@pytest.mark.parametrize("label", FOLDERS)
def test_torf_verifies_a_v1_folder_against_its_content(tmp_path, label):
    lay_out(tmp_path, "dir", folder(label))
    torrent = torf.Torrent.read_stream(ours("dir", folder(label), "v1", 16384, trackers=TRACKERS).encode())
    assert torrent.verify(tmp_path / "dir")
    assert torrent.infohash == infohash.v1_hex(ours("dir", folder(label), "v1", 16384))
    assert [list(tier) for tier in torrent.trackers] == TRACKERS


@pytest.mark.skipif(shutil.which("transmission-show") is None, reason="transmission-show is not installed")
@pytest.mark.parametrize("files", [{(): 40_000}, *map(folder, FOLDERS)], ids=["single", *FOLDERS])
def test_transmission_reads_every_v1_torrent(tmp_path, files):
    metainfo = ours("dir", files, "v1", 16384, trackers=TRACKERS, private=True, comment="c")
    target = tmp_path / "it.torrent"
    target.write_bytes(metainfo.encode())
    shown = subprocess.run(["transmission-show", target], check=True, capture_output=True, text=True).stdout
    assert f"Hash: {infohash.v1_hex(metainfo)}" in shown
    assert f"Piece Count: {metainfo.piece_count}" in shown
    assert "Private torrent" in shown
    assert all(url in shown for tier in TRACKERS for url in tier)
    assert all(entry.path[-1] in shown for entry in metainfo.files)
