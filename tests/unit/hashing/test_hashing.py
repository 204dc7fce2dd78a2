"""Any chunking, any split into ranges, any order: the digests of the naive reference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3torrent.hashing.assemble import assemble, join, piece_roots
from s3torrent.hashing.hasher import RangeHasher
from s3torrent.hashing.layout import Layout
from s3torrent.hashing.merkle import root, tree_width, zero_root
from s3torrent.hashing.ranges import PieceRange, RangeHashes
from s3torrent.hashing.verify import bad_pieces
from support.naive import padded_stream, v1_pieces, v2_root_and_layer

PIECE = 32768
SIZES = [0, 1, 16383, 16384, 16385, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7, 5 * PIECE - 16384]


def content(size: int, seed: int = 0) -> bytes:
    return bytes((i * 31 + i // 251 + seed) & 0xFF for i in range(size))


def hash_files(layout: Layout, files: list[bytes], target: int, chunk: int) -> list[RangeHashes]:
    results = []
    for piece_range in layout.split(target):
        hasher = RangeHasher(layout, piece_range)
        for extent in layout.extents(piece_range):
            if extent.file is None:
                hasher.pad(extent.length)
                continue
            data = files[extent.file][extent.offset : extent.offset + extent.length]
            for at in range(0, len(data), chunk):
                hasher.update(data[at : at + chunk])
            hasher.end_extent()
        results.append(hasher.result())
    return results


def check(files: list[bytes], version: str, piece_length: int, target: int, chunk: int) -> None:
    layout = Layout.of_files([len(data) for data in files], piece_length, version)
    results = hash_files(layout, files, target, chunk)
    result = assemble(layout, reversed(results))
    if version == "v2":
        assert result.pieces is None
    else:
        assert result.pieces == v1_pieces(padded_stream(files, piece_length, version), piece_length)
    if version == "v1":
        assert result.file_roots is None
        return
    expected = [v2_root_and_layer(data, piece_length) for data in files]
    assert result.file_roots == tuple(root for root, _ in expected)
    assert result.piece_layers == {root: layer for root, layer in expected if layer}
    assert piece_roots(layout, result.file_roots, result.piece_layers) == join(layout, results)[1]


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
@pytest.mark.parametrize("size", SIZES[1:])
def test_a_single_file_of_every_edge_size_hashes_as_the_reference(size: int, version: str) -> None:
    check([content(size)], version, PIECE, PIECE, 1000)


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_files_of_all_edge_sizes_together_hash_as_the_reference(version: str) -> None:
    files = [content(size, seed) for seed, size in enumerate([*SIZES, *reversed(SIZES)])]
    check(files, version, PIECE, 2 * PIECE, 16384)


@settings(max_examples=150, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 100_000), min_size=1, max_size=6).filter(any),
    version=st.sampled_from(["v1", "v2", "hybrid"]),
    piece_length=st.sampled_from([16384, 32768, 65536]),
    target=st.integers(1, 200_000),
    chunk=st.integers(1, 70_000).filter(lambda n: n > 50),
)
def test_any_chunking_and_any_split_give_the_same_digests(
    sizes: list[int], version: str, piece_length: int, target: int, chunk: int
) -> None:
    check([content(size, seed) for seed, size in enumerate(sizes)], version, piece_length, target, chunk)


def test_ranges_that_miss_or_overlap_are_refused() -> None:
    layout = Layout.of_files([4 * PIECE], PIECE, "v1")
    results = hash_files(layout, [content(4 * PIECE)], PIECE, 4096)
    for wrong in (results[1:], results[:-1], [*results, results[2]], [results[0], *results[2:]]):
        with pytest.raises(ValueError, match="range hashes"):
            assemble(layout, wrong)


def test_a_range_that_got_too_few_bytes_has_no_result() -> None:
    layout = Layout.of_files([PIECE], PIECE, "v1")
    hasher = RangeHasher(layout, PieceRange(0, PIECE))
    hasher.update(content(PIECE - 1))
    with pytest.raises(ValueError, match="range ends"):
        hasher.result()


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_one_flipped_bit_makes_exactly_its_piece_bad(version: str) -> None:
    files = [content(2 * PIECE + 5), content(3), content(PIECE)]
    layout = Layout.of_files([len(data) for data in files], PIECE, version)
    v1, v2 = join(layout, hash_files(layout, files, PIECE, 4096))
    damaged = [files[0], files[1], b"\xff" + files[2][1:]]
    found = [
        piece
        for result in hash_files(layout, damaged, 2 * PIECE, 4096)
        for piece in bad_pieces(layout, result, v1=v1, v2=v2)
    ]
    assert len(found) == 1
    assert 2 in layout.files_of_piece(found[0])


def test_tree_width_is_the_power_of_two_that_holds_the_count() -> None:
    assert [tree_width(count) for count in (1, 2, 3, 4, 5, 8, 9)] == [1, 2, 4, 4, 8, 8, 16]


def test_missing_hashes_count_as_zero_subtrees() -> None:
    assert root(zero_root(4) * 3, 4, 4) == zero_root(16)
