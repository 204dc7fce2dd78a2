"""What build writes keeps every rule of a torrent, also those it does not look up again; and it knows its files."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from s3torrent.errors import NotTorrentable
from s3torrent.metainfo.build import build, tree_order
from s3torrent.metainfo.model import FileEntry
from s3torrent.metainfo.parse import parse
from support.naive import padded_stream, v1_pieces, v2_root_and_layer

PIECE = 16384
# What a name may be made of, and what it may not: dots, slashes, NUL, a lone surrogate, none at all.
NAMES = st.text(st.sampled_from("ab.-/\0é日\ud800 "), max_size=5) | st.sampled_from(
    ["a", "b", ".", "..", ".a"]
)
SIZES = st.sampled_from([0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])


@st.composite
def listed(draw: st.DrawFn) -> list[FileEntry]:
    paths = draw(st.lists(st.lists(NAMES, max_size=3).map(tuple), max_size=6))
    return [FileEntry(path, draw(SIZES)) for path in paths]


@settings(max_examples=500)
@given(listed(), NAMES, st.sampled_from(["v1", "v2", "hybrid"]), st.booleans())
def test_whatever_comes_out_parses_and_reads_as_it_was_built(
    files: list[FileEntry], name: str, version: str, single: bool
) -> None:
    """parse checks all rules and reads names and lengths anew; build has seeded them."""
    try:
        ordered = tree_order(files)[: 1 if single else None]
        contents = [bytes(entry.length) for entry in ordered]
        trees = [v2_root_and_layer(body, PIECE) for body in contents]
        made = build(
            name=name,
            files=ordered,
            single_file=single and len(ordered) == 1,
            piece_length=PIECE,
            version=version,
            pieces=v1_pieces(padded_stream(contents, PIECE, version), PIECE) if version != "v2" else None,
            file_roots=[root for root, _ in trees] if version != "v1" else None,
            piece_layers={root: layer for root, layer in trees if root and layer}
            if version != "v1"
            else None,
        )
    except NotTorrentable:
        return
    read = parse(made.encode())
    assert read == made
    assert read.info == made.info
    assert (read.files, read.v1_layout, read.file_roots) == (made.files, made.v1_layout, made.file_roots)
    assert (read.size, read.piece_count) == (made.size, made.piece_count)


@settings(max_examples=500)
@given(st.lists(st.lists(NAMES, max_size=3).map(tuple), max_size=5))
def test_many_paths_are_refused_just_where_one_of_them_is(paths: list[tuple[str, ...]]) -> None:
    """One look at all of them is a shortcut, no other rule."""
    from s3torrent.metainfo.paths import component_fault

    def sound(path: tuple[str, ...]) -> bool:
        try:
            return bool(path) and not any(component_fault(name.encode()) for name in path)
        except UnicodeEncodeError:
            return False

    clashes = any(
        other[: len(path)] == path for i, path in enumerate(paths) for j, other in enumerate(paths) if i != j
    )
    expected = all(map(sound, paths)) and not clashes
    try:
        ordered = tree_order([FileEntry(path, 1) for path in paths])
    except NotTorrentable:
        assert not expected
    else:
        assert expected
        assert [entry.path for entry in ordered] == sorted(
            paths, key=lambda path: [name.encode() for name in path]
        )
