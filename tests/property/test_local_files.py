"""Files of this machine give the torrent of the naive reference, however they are cut, buffered and shared out."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from s3torrent.engine import files as engine_files
from s3torrent.engine.native import NativeEngine
from s3torrent.hashing import kernel
from s3torrent.metainfo.build import build
from s3torrent.metainfo.model import FileEntry, Metainfo
from s3torrent.metainfo.policy import CREATED_BY, TorrentPolicy
from s3torrent.pipeline.content import object_content, tree_content
from s3torrent.pipeline.verify import verify
from s3torrent.store.local import LocalStore
from s3torrent.types import ObjectRef
from support.naive import LEAF, padded_stream, v1_pieces, v2_root_and_layer

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = LocalStore()
VERSIONS = st.sampled_from(["v1", "v2", "hybrid"])
PIECES = st.sampled_from([LEAF, 2 * LEAF, 4 * LEAF])
KERNELS = st.sampled_from([kernel.HASHLIB, *kernel.usable()])


@st.composite
def folders(draw: st.DrawFn) -> tuple[int, dict[str, bytes]]:
    """A piece length, and files around its edges, from none to three pieces long; or hundreds of tiny ones."""
    piece = draw(PIECES)
    edge = st.sampled_from(
        [0, 1, LEAF - 1, LEAF, LEAF + 1, piece - 1, piece, piece + 1, 2 * piece, 3 * piece]
    )
    sizes = draw(
        st.lists(edge | st.integers(0, 3 * piece), min_size=1, max_size=14)
        | st.lists(st.integers(0, 3000), min_size=100, max_size=300)
    )
    sizes[0] = sizes[0] or 1
    paths = [f"{'d/' * (index % 3)}{index}" for index in range(len(sizes))]
    rng = Random(draw(st.integers(0, 3)))
    return piece, {path: rng.randbytes(size) for path, size in zip(paths, sizes, strict=True)}


@st.composite
def cuts(draw: st.DrawFn) -> dict[str, int]:
    """Other numbers for those of engine/files.py: what takes gigabytes at full size happens in kilobytes."""
    buffer = LEAF * draw(st.integers(1, 8))
    return {
        "BUFFERS": buffer,
        "LEAST_BUFFER": buffer,
        "MOST_BUFFER": buffer,
        "LANES": draw(st.integers(1, 4)),
        "SHARES": draw(st.integers(1, 3)),
        "LEAST_RANGE": draw(st.sampled_from([1, LEAF, 8 * LEAF])),
        "USUAL_RANGE": draw(st.sampled_from([LEAF, 6 * LEAF, 1 << 24])),
        "MOST_RANGE": draw(st.sampled_from([LEAF, 5 * LEAF, 1 << 27])),
        "SMALL": draw(st.sampled_from([0, 1000, 1 << 20])),
        "LARGE": draw(st.sampled_from([1, LEAF, 3 * LEAF, 1 << 20])),
    }


def reference(name: str, contents: dict[str, bytes], piece: int, version: str, date: int) -> Metainfo:
    """From BEP 3 and 52 alone; a single file is called ``name``."""
    single = set(contents) == {name}
    ordered = sorted(contents, key=lambda path: path.encode().split(b"/"))
    bodies = [contents[path] for path in ordered]
    trees = [v2_root_and_layer(body, piece) for body in bodies]
    has_v1, has_v2 = version != "v2", version != "v1"
    return build(
        name=name,
        files=[FileEntry(tuple(path.split("/")), len(contents[path])) for path in ordered],
        single_file=single,
        piece_length=piece,
        version=version,
        pieces=v1_pieces(padded_stream(bodies, piece, version), piece) if has_v1 else None,
        file_roots=[root for root, _ in trees] if has_v2 else None,
        piece_layers={root: layer for root, layer in trees if root and layer} if has_v2 else None,
        creation_date=date,
        created_by=CREATED_BY,
    )


@contextmanager
def cut_as(cut: dict[str, int], name: str = kernel.AUTO) -> Iterator[Path]:
    """An empty folder; meanwhile work is cut that way and hashed by that kernel."""
    kernel.choose(name)
    try:
        with tempfile.TemporaryDirectory() as place, patch.multiple(engine_files, **cut):
            yield Path(place)
    finally:
        kernel.choose(kernel.AUTO)


def write(root: Path, contents: dict[str, bytes]) -> Path:
    for path, body in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(body)
    return root


@settings(deadline=None, max_examples=150)
@given(folders(), cuts(), VERSIONS, st.integers(1, 4), KERNELS)
def test_a_folder_gives_the_torrent_of_the_reference(
    folder: tuple[int, dict[str, bytes]], cut: dict[str, int], version: str, threads: int, name: str
) -> None:
    piece, contents = folder
    with cut_as(cut, name) as place:
        content = tree_content("name", STORE.walk(write(place, contents)))
        policy = TorrentPolicy(version=version, piece_length=piece)
        made = NativeEngine(threads).build(content, policy, STORE, lambda _: None)
    assert (
        made.metainfo.encode() == reference("name", contents, piece, version, content.creation_date).encode()
    )
    assert made.bytes_read == sum(map(len, contents.values()))


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 12 * LEAF), PIECES, cuts(), VERSIONS, st.integers(1, 4), KERNELS)
def test_a_file_gives_the_torrent_of_the_reference(
    size: int, piece: int, cut: dict[str, int], version: str, threads: int, name: str
) -> None:
    contents = {"film.mkv": Random(size).randbytes(size)}
    with cut_as(cut, name) as place:
        path = write(place, contents) / "film.mkv"
        content = object_content(STORE.head(ObjectRef("", str(path))))
        policy = TorrentPolicy(version=version, piece_length=piece)
        made = NativeEngine(threads).build(content, policy, STORE, lambda _: None)
    assert (
        made.metainfo.encode()
        == reference("film.mkv", contents, piece, version, content.creation_date).encode()
    )


@settings(deadline=None, max_examples=150)
@given(folders(), cuts(), VERSIONS, st.integers(1, 4), KERNELS, st.data())
def test_verify_finds_just_the_pieces_that_differ(
    folder: tuple[int, dict[str, bytes]],
    cut: dict[str, int],
    version: str,
    threads: int,
    name: str,
    data: st.DataObject,
) -> None:
    """Files flipped, cut short, lengthened and missing; each piece is hashed by the reference, absent bytes
    are bad.
    """
    piece, contents = folder
    metainfo = reference("name", contents, piece, version, 0)
    found = dict(contents)
    for path in data.draw(st.lists(st.sampled_from(sorted(contents)), max_size=4, unique=True)):
        body = bytearray(contents[path])
        match data.draw(st.sampled_from(["flip", "cut", "lengthen", "remove"])):
            case "flip" if body:
                body[data.draw(st.integers(0, len(body) - 1))] ^= 1
                found[path] = bytes(body)
            case "cut":
                found[path] = bytes(body[: data.draw(st.integers(0, len(body)))])
            case "lengthen":
                found[path] = bytes(body) + b"more"
            case _:
                del found[path]
    with cut_as(cut, name) as place:
        write(place, found)
        told = verify(metainfo, dict(STORE.walk(place)), STORE, threads=threads, progress=lambda _: None)
    assert told.bad_pieces == tuple(bad_pieces(metainfo, contents, found, version))
    assert set(told.missing) == contents.keys() - found.keys()
    assert {wrong.path for wrong in told.wrong_size} == {
        path for path, body in found.items() if len(body) != len(contents[path])
    }


def bad_pieces(
    metainfo: Metainfo, contents: dict[str, bytes], found: dict[str, bytes], version: str
) -> list[int]:
    """Byte by byte: a piece is bad where one of its bytes is another, or is not there."""
    bad: set[int] = set()
    at = 0
    piece = metainfo.piece_length
    aligned = version != "v1" and len(contents) > 1
    for entry in metainfo.files:
        expected = contents[str(entry)]
        actual = found.get(str(entry), b"")[: entry.length]
        for offset in range(0, entry.length, 512):
            if expected[offset : offset + 512] != actual[offset : offset + 512]:
                differing = [
                    index
                    for index in range(offset, min(offset + 512, entry.length))
                    if index >= len(actual) or expected[index] != actual[index]
                ]
                bad.update((at + index) // piece for index in differing)
        at += entry.length
        if aligned:
            at += -at % piece
    return sorted(bad)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 70_000),
    st.lists(st.integers(0, 90_000), min_size=1, max_size=6),
    cuts(),
    st.integers(1, 3),
    KERNELS,
)
def test_any_v1_piece_length_verifies(
    piece: int, sizes: list[int], cut: dict[str, int], threads: int, name: str
) -> None:
    """Other creators write any length, from one byte on, though s3torrent writes powers of two."""
    piece = max(piece, sum(sizes) // 2000)
    sizes[0] = sizes[0] or 1
    contents = {f"{index}": Random(index).randbytes(size) for index, size in enumerate(sizes)}
    metainfo = reference("name", contents, piece, "v1", 0)
    with cut_as(cut, name) as place:
        write(place, contents)
        told = verify(metainfo, dict(STORE.walk(place)), STORE, threads=threads, progress=lambda _: None)
    assert told.good
