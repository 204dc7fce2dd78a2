"""verify names the bad pieces and the files they touch, whatever is wrong with them."""

from pathlib import Path

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo.build import build
from s3torrent.metainfo.model import FileEntry, Metainfo
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.content import tree_content
from s3torrent.pipeline.verify import Verification, layout_of, verify
from s3torrent.store.local import LocalStore
from support.trees import TREES, write_tree

PIECE = 32768
VERSIONS = ["v1", "v2", "hybrid"]


def torrent_of(root: Path, version: str) -> Metainfo:
    content = tree_content(root.name, LocalStore().walk(root))
    policy = TorrentPolicy(version=version, piece_length=PIECE)
    return NativeEngine(threads=1).build(content, policy, LocalStore(), lambda _: None).metainfo


def check(metainfo: Metainfo, root: Path) -> Verification:
    return verify(metainfo, dict(LocalStore().walk(root)), LocalStore(), threads=2, progress=lambda _: None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "content", {"a": 3 * PIECE + 5, "b/c": 10, "b/d": 2 * PIECE, "empty": 0})


@pytest.mark.parametrize("version", VERSIONS)
def test_untouched_content_is_good(root: Path, version: str) -> None:
    result = check(torrent_of(root, version), root)
    assert result == Verification(result.piece_count, (), (), (), ())
    assert result.good


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flipped_byte_is_one_bad_piece_of_its_file(root: Path, version: str) -> None:
    metainfo = torrent_of(root, version)
    data = bytearray((root / "a").read_bytes())
    data[PIECE] ^= 1
    (root / "a").write_bytes(data)
    result = check(metainfo, root)
    assert (result.bad_pieces, result.bad_files, result.missing, result.wrong_size) == ((1,), ("a",), (), ())


def test_a_v1_piece_names_every_file_it_touches(root: Path) -> None:
    metainfo = torrent_of(root, "v1")
    (root / "b/c").write_bytes(b"x" * 10)
    assert check(metainfo, root).bad_files == ("a", "b/c", "b/d")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_missing_file_is_missing_and_all_its_pieces_are_bad(root: Path, version: str) -> None:
    metainfo = torrent_of(root, version)
    (root / "b/d").unlink()
    result = check(metainfo, root)
    assert result.missing == ("b/d",)
    assert "b/d" in result.bad_files
    assert len(result.bad_pieces) in (2, 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_cut_short_is_bad_from_its_last_byte_on_even_if_zeros_are_missing(
    tmp_path: Path, version: str
) -> None:
    root = tmp_path / "content"
    root.mkdir()
    (root / "zeros").write_bytes(bytes(3 * PIECE))
    metainfo = torrent_of(root, version)
    (root / "zeros").write_bytes(bytes(2 * PIECE + 1))
    result = check(metainfo, root)
    assert result.bad_pieces == (2,)
    assert [(wrong.path, wrong.expected, wrong.found) for wrong in result.wrong_size] == [
        ("zeros", 3 * PIECE, 2 * PIECE + 1)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_too_long_is_not_good_though_no_piece_is_bad(root: Path, version: str) -> None:
    metainfo = torrent_of(root, version)
    with (root / "empty").open("ab") as file:
        file.write(b"more")
    result = check(metainfo, root)
    assert (result.good, result.bad_pieces) == (False, ())


def test_a_missing_empty_file_is_not_good(root: Path) -> None:
    metainfo = torrent_of(root, "v1")
    (root / "empty").unlink()
    assert (check(metainfo, root).good, check(metainfo, root).missing) == (False, ("empty",))


@pytest.mark.parametrize("tree", [name for name in TREES if name != "all empty"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_tree_verifies_against_its_parsed_torrent(tree: str, version: str, tmp_path: Path) -> None:
    root = write_tree(tmp_path / "content", TREES[tree])
    assert check(parse(torrent_of(root, version).encode()), root).good


def test_a_v1_torrent_with_pad_files_of_its_own_verifies(tmp_path: Path) -> None:
    """Other creators pad v1 torrents: their pad files are zeros in the stream and nothing on disk."""
    root = write_tree(tmp_path / "content", {"a": 100, "b": 200})
    hybrid = torrent_of(root, "hybrid")
    info = {key: value for key, value in hybrid.info.items() if key not in (b"file tree", b"meta version")}
    from s3torrent.metainfo import bencode

    padded = parse(bencode.encode({b"info": info}))
    assert padded.torrent_version == "v1"
    assert layout_of(padded).size == 2 * PIECE
    assert check(padded, root).good


def test_layouts_of_plain_torrents_come_from_their_file_list() -> None:
    metainfo = build(
        name="n",
        files=[FileEntry(("a",), 5), FileEntry(("b",), 7)],
        single_file=False,
        piece_length=16384,
        version="v1",
        pieces=bytes(20),
        file_roots=None,
        piece_layers=None,
    )
    assert (layout_of(metainfo).size, layout_of(metainfo).piece_count) == (12, 1)
