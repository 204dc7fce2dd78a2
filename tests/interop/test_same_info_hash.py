"""The same info-hashes as libtorrent's own creator with the same parameters; its recheck; transmission-show."""

import shutil
import subprocess
from pathlib import Path

import pytest

from s3torrent.devstack.recheck import recheck
from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo import infohash
from s3torrent.metainfo.model import Metainfo
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.content import object_content, tree_content
from s3torrent.store.local import LocalStore
from s3torrent.types import ObjectRef
from support.libtorrents import PIECE, REFUSED_BY_ITS_OWN_MAKER, libtorrents
from support.trees import TREES, write_tree

pytestmark = pytest.mark.filterwarnings("ignore:create_torrent constructor:DeprecationWarning")

SIZES = [1, 16383, 16384, 16385, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 12345]
VERSIONS = ["v1", "padded", "v2", "hybrid"]


def ours(path: Path, version: str, piece_length: int = PIECE) -> Metainfo:
    store = LocalStore()
    if path.is_dir():
        content = tree_content(path.name, store.walk(path))
    else:
        content = object_content(store.head(ObjectRef("", str(path))))
    padded = version == "padded"
    policy = TorrentPolicy(version="v1" if padded else version, piece_length=piece_length, pad_files=padded)
    return NativeEngine(threads=2).build(content, policy, store, lambda _: None).metainfo


def check(path: Path, version: str, *, same: bool = True) -> None:
    metainfo = ours(path, version)
    if same:
        assert (infohash.v1(metainfo), infohash.v2(metainfo)) == libtorrents(path, version)
    elif version == "hybrid":
        with pytest.raises(RuntimeError, match="does not match"):
            libtorrents(path, version)
    torrent = metainfo.encode()
    # A v2 folder of one file is, to libtorrent, that file alone, whatever the torrent's name.
    bare = version == "v2" and path.is_dir() and len(metainfo.files) == 1
    assert recheck(torrent, path if bare else path.parent) == metainfo.piece_count
    if version in ("v1", "padded") and shutil.which("transmission-show"):
        file = path.parent / "judged.torrent"
        file.write_bytes(torrent)
        shown = subprocess.run(
            ["transmission-show", str(file)], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        assert f"Hash: {infohash.v1(metainfo).hex()}" in shown
        assert f"Piece Count: {metainfo.piece_count}" in shown


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_every_edge_size(size: int, version: str, tmp_path: Path) -> None:
    path = tmp_path / "file é & +.bin"
    path.write_bytes(bytes((i * 37 + i // 199) & 0xFF for i in range(size)))
    check(path, version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tree", [name for name in TREES if name != "all empty"])
def test_a_directory_of_every_kind(tree: str, version: str, tmp_path: Path) -> None:
    same = version not in ("padded", "hybrid") or tree not in REFUSED_BY_ITS_OWN_MAKER
    check(write_tree(tmp_path / "content", TREES[tree]), version, same=same)


@pytest.mark.skipif(
    not shutil.which("transmission-show"), reason="transmission-show is not installed (apt: transmission-cli)"
)
def test_transmission_show_is_among_the_judges() -> None:
    """check() asks it where it is there; this says in the report whether it was."""
    shown = subprocess.run(["transmission-show", "--version"], capture_output=True, text=True, timeout=30)
    assert "transmission-show" in shown.stdout + shown.stderr


def test_torf_agrees_that_the_content_is_the_torrents(tmp_path: Path) -> None:
    torf = pytest.importorskip("torf")
    path = write_tree(tmp_path / "content", TREES["nested"])
    (tmp_path / "t.torrent").write_bytes(ours(path, "v1").encode())
    assert torf.Torrent.read(str(tmp_path / "t.torrent")).verify(str(path))
