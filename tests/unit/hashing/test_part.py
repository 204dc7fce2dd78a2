"""Parts hashed for several piece lengths at once give what one reading with the chosen length gives."""

from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.hashing.part import assemble_parts, hash_part
from s3torrent.metainfo.piece_length import USUAL_MAX, candidates, choose
from support.naive import v1_pieces, v2_root_and_layer
from support.reference import content

KIB = 1024
PART = 64 * KIB
LENGTHS = (16 * KIB, 32 * KIB, 64 * KIB)


@given(
    size=st.one_of(
        st.integers(1, 300 * KIB),
        st.sampled_from([n * 16 * KIB + d for n in (1, 2, 4, 8) for d in (-1, 0, 1)]),
    ),
    piece_length=st.sampled_from(LENGTHS),
    version=st.sampled_from(["v1", "v2", "hybrid"]),
)
def test_any_candidate_may_be_chosen_at_the_end(size: int, piece_length: int, version: str) -> None:
    data = content(size)
    parts = [
        hash_part(
            memoryview(data)[at : at + PART],
            at,
            version=version,
            # a length that the content has outgrown is no longer kept
            lengths=[length for length in LENGTHS if length >= piece_length or at < PART],
            last=at + PART >= size,
        )
        for at in range(0, size, PART)
    ]
    assert [part.sha1 for part in parts] == [
        sha1(data[at : at + PART]).digest() for at in range(0, size, PART)
    ]
    result = assemble_parts(parts, size, piece_length, version)
    if version != "v2":
        assert result.pieces == v1_pieces(data, piece_length)
    if version != "v1":
        root, layer = v2_root_and_layer(data, piece_length)
        assert result.file_roots == (root,)
        assert result.piece_layers == ({root: layer} if layer else {})


def test_a_piece_longer_than_a_part_s_content_is_one_piece() -> None:
    data = content(5000)
    part = hash_part(memoryview(data), 0, version="hybrid", lengths=(1 << 20,), last=True)
    result = assemble_parts([part], 5000, 1 << 20, "hybrid")
    assert (result.pieces, result.file_roots) == (sha1(data).digest(), (v2_root_and_layer(data, 1 << 20)[0],))


def test_a_length_that_was_not_kept_is_missed() -> None:
    part = hash_part(memoryview(b"x" * KIB), 0, version="v1", lengths=(32 * KIB,), last=True)
    with pytest.raises(KeyError):
        assemble_parts([part], KIB, 16 * KIB, "v1")


@given(
    size=st.integers(1, 3 * 10**12), earlier=st.floats(0, 1), version=st.sampled_from(["v1", "v2", "hybrid"])
)
def test_the_length_chosen_at_the_end_was_a_candidate_all_along(
    size: int, earlier: float, version: str
) -> None:
    chosen = choose(size, version=version).piece_length
    assert chosen in candidates(max(1, int(size * earlier)))
    assert chosen in candidates(size)


def test_candidates_die_as_the_content_outgrows_them() -> None:
    assert candidates(1)[0] == 16 * KIB
    assert candidates(2000 * 16 * KIB + 1)[0] == 32 * KIB
    assert candidates(1 << 50) == (USUAL_MAX,)
