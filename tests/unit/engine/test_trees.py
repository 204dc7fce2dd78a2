"""Many Merkle trees at once: each root is that of the tree alone."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.engine.trees import roots, trees_of
from s3torrent.hashing.kernel import READ as CHUNK
from s3torrent.hashing.kernel import file_hybrid_digests, file_leaf_digests, file_piece_digests
from support.naive import LEAF, tree_levels, v1_pieces, v2_root_and_layer

WIDTHS = st.sampled_from([1, 2, 4, 8])


@given(st.lists(st.tuples(WIDTHS, st.integers(0, 9)), max_size=12))
def test_roots_come_in_their_order_whatever_the_widths(shapes: list[tuple[int, int]]) -> None:
    trees = [(width, Random(seed).randbytes(32 * (1 + seed % width))) for width, seed in shapes]
    assert roots(trees) == b"".join(roots([tree]) for tree in trees)


@pytest.mark.parametrize("leaves", [1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("piece_leaves", [1, 2, 4, 16])
def test_the_trees_of_a_file_have_the_roots_of_its_pieces(leaves: int, piece_leaves: int) -> None:
    data, piece = Random(leaves).randbytes(leaves * LEAF - 5), piece_leaves * LEAF
    root, layer = v2_root_and_layer(data, piece)
    found = roots(list(trees_of(b"".join(tree_levels(data, piece)[0][:leaves]), len(data), piece)))
    assert found == (layer or root)


@pytest.mark.parametrize("piece", [LEAF, 4 * LEAF, CHUNK, 4 * CHUNK])
@pytest.mark.parametrize(
    ("start", "end"), [(0, 5), (0, CHUNK), (LEAF, 3 * CHUNK + 7), (CHUNK, CHUNK + LEAF + 1)]
)
def test_digests_by_a_descriptor_are_those_of_the_bytes(tmp_path, start: int, end: int, piece: int) -> None:
    data = Random(0).randbytes(4 * CHUNK)
    (tmp_path / "a").write_bytes(data)
    handle = os.open(tmp_path / "a", os.O_RDONLY)
    try:
        pieces = v1_pieces(data[start:end], piece)
        leaves = b"".join(tree_levels(data[start:end], LEAF)[0][: -(-(end - start) // LEAF)])
        assert file_piece_digests(handle, start, end, piece, os.pread) == pieces
        assert file_leaf_digests(handle, start, end, os.pread) == leaves
        assert file_hybrid_digests(handle, start, end, piece, os.pread) == (pieces, leaves)
    finally:
        os.close(handle)


@pytest.mark.parametrize("end", [4 * CHUNK + 1, 5 * CHUNK, 100 * CHUNK])
def test_a_file_that_ends_before_is_an_eof_error(tmp_path, end: int) -> None:
    (tmp_path / "a").write_bytes(bytes(4 * CHUNK))
    handle = os.open(tmp_path / "a", os.O_RDONLY)
    try:
        for digest in (
            lambda: file_piece_digests(handle, 0, end, LEAF, os.pread),
            lambda: file_leaf_digests(handle, 0, end, os.pread),
            lambda: file_hybrid_digests(handle, 0, end, LEAF, os.pread),
        ):
            with pytest.raises(EOFError):
                digest()
    finally:
        os.close(handle)
