"""Many Merkle trees at once: each root is that of the tree alone."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.hashing.trees import roots, trees_of
from support.naive import LEAF, tree_levels, v2_root_and_layer

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
