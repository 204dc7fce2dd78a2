"""Torrents that are small, or small enough, and try to be large where they are read or shown."""

from __future__ import annotations

import json
import resource
import sys
from typing import TYPE_CHECKING

from s3torrent.cli.summary import as_json, as_rows
from s3torrent.errors import MetainfoError
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.parse import MAX_BYTES, parse
from support.bad_torrents import text, with_info, with_tree

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 1 << 30
"""Bytes of address space: what the bomb itself takes, too."""
CPU_SECONDS = 60

ROOT = bytes(32)
ONE = b"d0:d6:lengthi1e11:pieces root32:%see" % ROOT
EMPTY = b"d0:d6:lengthi0eee"


def single(name: bytes = b"n", more: bytes = b"") -> bytes:
    info = b"d6:lengthi1e4:name%s12:piece lengthi16384e6:pieces20:%se" % (text(name), bytes(20))
    return b"d%s4:info%se" % (more, info)


def folders(names: list[bytes], files: int) -> bytes:
    """A file tree: ``files`` files below folders inside folders."""
    inner = (
        b"d" + b"".join(b"7:%07d%s" % (number, EMPTY if number else ONE) for number in range(files)) + b"e"
    )
    return with_tree(b"".join(b"d" + text(name) for name in names) + inner + b"e" * len(names))


def layer(length: int) -> bytes:
    pieces = length // 32
    tree = b"d1:ad0:d6:lengthi%de11:pieces root32:%seee" % (pieces * 16384, ROOT)
    return with_tree(tree, b"12:piece layersd32:%s%se" % (ROOT, text(bytes(pieces * 32))))


def listed(count: int) -> bytes:
    files = b"".join(b"d6:lengthi1e4:pathl7:%07dee" % number for number in range(count))
    return with_info(b"d5:filesl%se4:name1:n12:piece lengthi268435456e6:pieces20:%se" % (files, bytes(20)))


BOMBS: dict[str, Callable[[], bytes]] = {
    "64-mib-of-empty-dicts": lambda: b"l" + b"de" * (MAX_BYTES // 2 - 1) + b"e",
    "200000-keys": lambda: b"d" + b"".join(b"7:%07di0e" % number for number in range(200_000)) + b"e",
    "a-billion-levels": lambda: b"l" * (MAX_BYTES - 1),
    "one-byte-too-long": lambda: b"0" * (MAX_BYTES + 1),
    "string-longer-than-the-file": lambda: b"9999999999:",
    "a-name-of-60-mib": lambda: single(b"\xff" * (60 << 20)),
    "a-path-of-60-mib": lambda: folders([b"\1" * (60 << 20)], 1),
    "a-folder-of-1-mib-around-10000-files": lambda: folders([b"x" * (1 << 20)], 10_000),
    "90-folders-around-60000-files": lambda: folders([b"y" * 255] * 90, 60_000),
    "a-tracker-of-60-mib": lambda: single(more=b"8:announce" + text(b"\xff" * (60 << 20))),
    "a-million-web-seeds": lambda: single()[:-1] + b"8:url-listl" + b"1:\xff" * 1_100_000 + b"ee",
    "a-piece-layer-of-8-mib": lambda: layer(8 << 20),
}  # fmt: skip
"""Each is refused."""

BURDENS: dict[str, Callable[[], bytes]] = {
    "a-folder-of-4000-bytes-around-4000-files": lambda: folders([b"\1" * 4000], 4000),
    "as-many-trackers-as-may-be": lambda: single(
        more=b"13:announce-listll" + text(b"\xff" * 64) * (1 << 14) + b"ee"
    ),
    "a-comment-of-8-mib": lambda: single(more=b"7:comment" + text(b"\xff" * (8 << 20))),
    "60000-files": lambda: listed(60_000),
}
"""Each is accepted and shown."""


def main(name: str) -> None:
    """``python -m fuzz.bombs NAME``: read it, show it, and say on stdout what came of it."""
    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS)):
        resource.setrlimit(limit, (most, most))
    try:
        metainfo = parse((BOMBS | BURDENS)[name]())
    except MetainfoError as error:
        print("refused", len(error.message))
        return
    print("shown", len(json.dumps(as_json(metainfo))), len(as_rows(metainfo)), len(magnet(metainfo)))


if __name__ == "__main__":
    main(sys.argv[1])
