"""libtorrent as the demo's judge: it finds good content good and one flipped bit bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from s3torrent.devstack import recheck as module
from s3torrent.devstack.recheck import recheck, require_libtorrent
from s3torrent.errors import Mismatch, StackError

if TYPE_CHECKING:
    from pathlib import Path

lt = pytest.importorskip("libtorrent")
PIECE = 16384
SIZE = 3 * PIECE + 1


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content.bin"
    path.write_bytes(bytes(range(256)) * (SIZE // 256) + b"!" * (SIZE % 256))
    return path


@pytest.fixture
def torrent(content: Path) -> bytes:
    """Made by libtorrent; its web seed and tracker would be asked, were the check not offline."""
    maker = lt.create_torrent([lt.create_file_entry(content.name, SIZE)], PIECE, lt.create_torrent.v1_only)
    maker.add_url_seed("http://127.0.0.1:9/content.bin")
    maker.add_tracker("http://127.0.0.1:9/announce")
    lt.set_piece_hashes(maker, str(content.parent))
    return bytes(lt.bencode(maker.generate()))


def test_good_content_gives_the_number_of_pieces(torrent: bytes, content: Path) -> None:
    assert recheck(torrent, content.parent) == 4


def test_one_flipped_bit_is_a_mismatch(torrent: bytes, content: Path) -> None:
    changed = bytearray(content.read_bytes())
    changed[PIECE] ^= 1
    content.write_bytes(changed)
    with pytest.raises(Mismatch, match=r"3 of 4 pieces of content\.bin"):
        recheck(torrent, content.parent)


def test_content_that_is_not_there_is_a_mismatch(torrent: bytes, content: Path) -> None:
    content.unlink()
    with pytest.raises(Mismatch, match="0 of 4 pieces"):
        recheck(torrent, content.parent)


def test_without_libtorrent_the_demo_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(StackError, match="libtorrent is not installed"):
        require_libtorrent()
