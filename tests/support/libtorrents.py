"""What libtorrent's own creator makes of a file or folder, with the same parameters as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libtorrent as lt

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 32768
# libtorrent 2.1.1's creator lists "a.txt" before "a/b" wherever it pads, also in a hybrid's v1 half, though the
# file tree has them the other way round, and then refuses to load what it made. There it judges ours by loading
# and recheck alone.
REFUSED_BY_ITS_OWN_MAKER = ("nested", "order")


def libtorrents(path: Path, version: str, piece_length: int = PIECE) -> tuple[bytes | None, bytes | None]:
    """Its v1 and v2 info-hashes; ``version`` "padded" is v1 with pad files (BEP 47), none behind the last file."""
    flags = {
        "v1": lt.create_torrent.v1_only,
        "padded": lt.create_torrent.v1_only | lt.create_torrent.canonical_files_no_tail_padding,
        "v2": lt.create_torrent.v2_only,
        "hybrid": lt.create_torrent.canonical_files,
    }[version]
    storage = lt.file_storage()
    if path.is_dir():
        for file in sorted(
            path.rglob("*"), key=lambda f: [part.encode() for part in f.relative_to(path).parts]
        ):
            if file.is_file():
                storage.add_file(str(path.name / file.relative_to(path)), file.stat().st_size)
    else:
        storage.add_file(path.name, path.stat().st_size)
    creator = lt.create_torrent(storage, piece_length, flags)
    lt.set_piece_hashes(creator, str(path.parent))
    hashes = lt.load_torrent_buffer(lt.bencode(creator.generate())).ti.info_hashes()
    return (
        hashes.v1.to_bytes() if hashes.has_v1() else None,
        hashes.v2.to_bytes() if hashes.has_v2() else None,
    )
