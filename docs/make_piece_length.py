"""Write docs/piece-length.md from the rule itself: ``python docs/make_piece_length.py``. A test compares."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from s3torrent.errors import TooLarge
from s3torrent.metainfo.build import build
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.piece_length import MAX, MIN, USUAL_MAX, choose, describe
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.metainfo.rules_v2 import layer_root
from s3torrent.pipeline.parts import for_file

VERSIONS = ("v1", "v2", "hybrid")
NAME = "film.mkv"
LARGEST = 10_000 * (5 << 30)
"""Of an S3 object: 10,000 parts of 5 GiB."""
UNITS = (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))

HEAD = """# The piece length

A torrent cuts its content into pieces of one length and keeps a hash of each. Clients check, announce and fetch again whole pieces. The length is inside the
info dict: another one is another info-hash, and clients of the one torrent find no peers of the other. So it is best decided once.

| `TORRENT_PIECE_LENGTH`, `--piece-length` | is |
|---|---|
| `auto` (default) | the length of the object's parts, where they are known and can be pieces (v1 of one object, [below](#parts-of-s3)); else `by-size` |
| `by-size` | from the size of the content alone, by the first table |
| `16KiB` to `128MiB` | that; a power of two. One that makes a .torrent of more than 10,000,000 bytes is refused |

`s3torrent create` says which it took and why; `s3torrent status` has it as the item's reason.

## By size

The power of two that gives 1,000 to 2,000 pieces, from 16 KiB to 16 MiB. This page is printed by `docs/make_piece_length.py`: the lengths by the rule itself, and the
.torrent sizes by building one, of a single file called `{name}` of the largest size in the row, without trackers or web seeds.

{by_size}
Above 16 MiB a piece grows only as far as the .torrent would otherwise be too large for clients: here content of one file may be up to

{large}
An S3 object has at most {largest}. A v1 torrent holds any; where v2 and hybrid end, the error is TooLarge. In v2 and hybrid each file has pieces of its own, so a folder
of very many files meets these ends earlier, and its file list takes its share of the 10,000,000 bytes.

## What another length costs

| | shorter pieces | longer pieces |
|---|---|---|
| the .torrent | larger: 20 bytes a piece in v1, 32 in v2, 52 in hybrid | smaller |
| one bad byte | little is fetched again | the whole piece is: with 16 MiB pieces, 16 MiB |
| a new downloader | has something to share soon | has nothing to share until its first piece is whole |
| making it | the same: every byte is hashed once | the same |

In v2 the leaves of the hash tree are 16 KiB whatever the piece length, so a client may find the bad 16 KiB in a piece (BEP 52). Whether clients do was not measured.

What clients load, tried on 2026-11-24 by handing each a v1 torrent of two pieces, and one whose hashes alone take that many bytes:

| | longest piece | a .torrent of 9,900,000 bytes | of 10,100,000 bytes |
|---|---|---|---|
| libtorrent 2.1.1 | 256 MiB (512 MiB: "invalid or missing 'piece length' entry") | loads | "metadata too large"; the same bytes decoded first (`bdecode`) load |
| transmission-show 3.00 | 512 MiB, and no more was tried | loads | loads |
| aria2c 1.36.0 (`-S`) | 512 MiB, and no more was tried | loads | loads |

qBittorrent uses libtorrent; its creator ends at 256 MiB for the same reason ([qBittorrent pull request 19535](https://github.com/qbittorrent/qBittorrent/pull/19535)).
That a client loads a torrent does not say that it downloads well: downloads with pieces above 16 MiB were not measured. `s3torrent` itself reads up to 256 MiB and writes up to 128 MiB.

## Parts of S3

An object that was uploaded in parts under SHA-1 has, in S3, the SHA-1 of each part. Where all parts but the last are of one length, a power of two, they *are* the pieces of a v1
torrent, which is then made without reading a byte ([ADR 15](adr/0015-zero-read.md)). So `auto` takes the part length, in this order:

1. the object's metadata `s3torrent-piece-length`, which `s3torrent put`, `record` and the recorder write and a copy keeps;
2. for v1, the length that S3 itself tells by a composite SHA-1 of eight parts or more;
3. else `by-size`.

`s3torrent put` cuts a file so (v1, `auto`):

{parts}
A file of one part has the shortest piece length that holds it, so it is one piece. That is why the same small file has another info-hash after `s3torrent put` than after `aws s3 cp`:
its bytes are the same, its pieces are not. `TORRENT_PIECE_LENGTH=by-size` for the function and for `put` gives both the same, and gives up reading nothing: the object is then read wherever its parts are not the
pieces of that rule.

v2 and hybrid never take hashes from S3: their leaves are 16 KiB, and no part is. Other checksums (CRC, SHA-256, MD5) are of no use either.
"""


def binary(size: int) -> str:
    """``31.25 MiB``, ``7.62 TiB``."""
    unit, bytes_ = next((one for one in UNITS if size >= one[1]), ("bytes", 1))
    told = f"{size / bytes_:.2f}".rstrip("0").rstrip(".")
    return f"{told} {unit}"


def last_of(where: Callable[[int], bool], low: int, high: int) -> int:
    """The largest size in [low, high] for which it holds; it holds for ``low`` and, up to there, for all."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if where(middle) else (low, middle - 1)
    return low


def chosen(size: int, version: str) -> int:
    """Twice the longest where there is none."""
    try:
        return choose(size, version=version).piece_length
    except TooLarge:
        return 2 * MAX


def fits(length: int, version: str, size: int) -> bool:
    return chosen(size, version) <= length


def rows(version: str) -> Iterator[tuple[int, int, int]]:
    """Piece length, and from and up to which size."""
    first, length = 1, MIN
    while length <= MAX and first <= 1 << 60:
        last = last_of(partial(fits, length, version), first, 1 << 60)
        yield length, first, last
        first, length = last + 1, chosen(last + 1, version)


def torrent_bytes(size: int, length: int, version: str) -> int:
    """Of the .torrent that ``build`` makes; its hashes are zeros."""
    count = -(-size // length)
    layer = bytes(32 * count)
    root = layer_root(layer, length) if count > 1 else bytes(32)
    made = build(
        name=NAME,
        files=[FileEntry((NAME,), size)],
        single_file=True,
        piece_length=length,
        version=version,
        pieces=None if version == "v2" else bytes(20 * count),
        file_roots=None if version == "v1" else [root],
        piece_layers=None if version == "v1" else {root: layer} if count > 1 else {},
        creation_date=1_800_000_000,
    )
    return len(made.encode())


def by_size() -> str:
    lines = [
        "| content | piece length | pieces | .torrent at most: v1 | v2 | hybrid |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for length, first, last in rows("v1"):
        if length > USUAL_MAX:
            break
        # The row of 16 MiB ends elsewhere in each version.
        ends = {version: min(last, dict(row[::2] for row in rows(version))[length]) for version in VERSIONS}
        sizes = " | ".join(f"{torrent_bytes(ends[version], length, version):,}" for version in VERSIONS)
        fewest, most = -(-first // length), -(-last // length)
        upto = f"up to {binary(last)}" if first == 1 else f"above {binary(first - 1)} to {binary(last)}"
        lines.append(f"| {upto} | {describe(length)} | {fewest:,} to {most:,} | {sizes} |")
    return "\n".join(lines) + "\n"


def large() -> str:
    ends = {version: dict(row[::2] for row in rows(version)) for version in VERSIONS}
    lengths = [length for length in ends["v1"] if length >= USUAL_MAX]
    lines = ["| piece length | v1 | v2 | hybrid |", "|---:|---:|---:|---:|"]
    lines += [
        f"| {describe(length)} | {' | '.join(binary(ends[version][length]) for version in VERSIONS)} |"
        for length in lengths
    ]
    return "\n".join(lines) + "\n"


def part_of(size: int) -> int:
    return for_file(size, TorrentPolicy()).part_size


def piece_of(size: int) -> int:
    return for_file(size, TorrentPolicy()).lengths(size)[0]


def parts() -> str:
    lines = ["| file | part | piece length |", "|---|---:|---:|"]
    first = 1
    while True:
        part = part_of(first)
        try:
            last = last_of(partial(_part_within, part), first, LARGEST)
        except TooLarge:
            break
        pieces = sorted({piece_of(first), piece_of(last)})
        told = " to ".join(map(describe, pieces))
        upto = f"up to {binary(last)}" if first == 1 else f"to {binary(last)}"
        lines.append(f"| {upto} | {describe(part)} | {told} |")
        if not _any_part(last + 1):
            break
        first = last + 1
    return "\n".join(lines) + "\n"


def _part_within(part: int, size: int) -> bool:
    return _any_part(size) and part_of(size) <= part


def _any_part(size: int) -> bool:
    try:
        part_of(size)
    except TooLarge:
        return False
    return True


def page() -> str:
    return HEAD.format(name=NAME, by_size=by_size(), large=large(), parts=parts(), largest=binary(LARGEST))


if __name__ == "__main__":
    Path(__file__).with_name("piece-length.md").write_text(page())
    sys.exit(0)
