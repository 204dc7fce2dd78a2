"""Bulk hashing, by every kernel that this CPU can run and by hashlib: the same digests, the same refusals."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from hashlib import sha1
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from native.agreement import (
    HYBRID_PIECE_LENGTHS,
    LEAF,
    MILLION_A,
    NIST,
    PIECE_LENGTHS,
    RANDOM,
    SIZES,
    STARTS,
    file_of,
    leaves_of,
    pairs_of,
    pieces_of,
)
from s3torrent.hashing import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

KERNELS = (kernel.HASHLIB, *kernel.usable(), kernel.AUTO)
every_kernel = pytest.mark.parametrize("name", KERNELS)


@contextmanager
def using(name: str) -> Iterator[None]:
    kernel.choose(name)
    try:
        yield
    finally:
        kernel.choose(kernel.AUTO)


@every_kernel
@pytest.mark.parametrize("message", NIST)
def test_it_gives_the_digests_that_the_standard_prints(name: str, message: str) -> None:
    data = message.encode()
    with using(name):
        stream = kernel.sha1_stream()
        kernel.update_streams([stream], [memoryview(data)])
        assert stream.digest().hex() == NIST[message][0]
        if data:
            assert kernel.piece_digests(data, len(data)).hex() == NIST[message][0]
            assert kernel.leaf_digests(data).hex() == NIST[message][1]


@every_kernel
def test_a_million_letters_a(name: str) -> None:
    with using(name):
        assert kernel.piece_digests(b"a" * 3_000_000, 1_000_000).hex() == MILLION_A * 3


@every_kernel
@given(size=SIZES, start=STARTS, piece_length=PIECE_LENGTHS)
@settings(max_examples=40, deadline=None)
def test_pieces_and_leaves_are_hashlibs(name: str, size: int, start: int, piece_length: int) -> None:
    data = memoryview(RANDOM)[start : start + size]
    with using(name):
        assert kernel.piece_digests(data, piece_length) == pieces_of(data, piece_length)
        assert kernel.leaf_digests(data) == leaves_of(data)


@every_kernel
@given(size=SIZES, start=STARTS, piece_length=HYBRID_PIECE_LENGTHS)
@settings(max_examples=40, deadline=None)
def test_one_pass_for_both_gives_both(name: str, size: int, start: int, piece_length: int) -> None:
    data = memoryview(RANDOM)[start : start + size]
    with using(name):
        assert kernel.hybrid_digests(data, piece_length) == (pieces_of(data, piece_length), leaves_of(data))


@every_kernel
@given(size=SIZES, start=STARTS, piece_length=PIECE_LENGTHS, hybrid_length=HYBRID_PIECE_LENGTHS)
@settings(max_examples=25, deadline=None)
def test_a_file_gives_what_its_bytes_give(
    name: str, size: int, start: int, piece_length: int, hybrid_length: int
) -> None:
    data = memoryview(RANDOM)[start : start + size]
    with using(name), file_of(RANDOM[: start + size] + b"more") as fd:
        end = start + size
        assert kernel.file_piece_digests(fd, start, end, piece_length, os.pread) == pieces_of(
            data, piece_length
        )
        assert kernel.file_leaf_digests(fd, start, end, os.pread) == leaves_of(data)
        assert kernel.file_hybrid_digests(fd, start, end, hybrid_length, os.pread) == (
            pieces_of(data, hybrid_length),
            leaves_of(data),
        )


@every_kernel
@given(pairs=st.integers(0, 600), start=STARTS)
@settings(max_examples=40, deadline=None)
def test_pairs_are_hashlibs(name: str, pairs: int, start: int) -> None:
    hashes = RANDOM[start : start + 64 * pairs]
    with using(name):
        assert kernel.pair_digests(hashes) == pairs_of(hashes)


@every_kernel
@given(lengths=st.lists(st.one_of(st.integers(0, 3 * LEAF), st.sampled_from([0, 1, LEAF])), max_size=12))
@settings(max_examples=40, deadline=None)
def test_each_of_many_files_has_its_own_leaves(name: str, lengths: list[int]) -> None:
    data, expected, at = RANDOM[: sum(lengths)], b"", 0
    for length in lengths:
        expected += leaves_of(data[at : at + length])
        at += length
    with using(name):
        assert kernel.leaf_digests_of_files(data, lengths) == expected


@every_kernel
@given(parts=st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=20), max_size=5))
@settings(max_examples=40, deadline=None)
def test_streams_side_by_side_are_hashlibs(name: str, parts: list[list[int]]) -> None:
    """Each round gives every stream so many bytes; a shorter list leaves the last ones out."""
    with using(name):
        streams = [kernel.sha1_stream() for _ in range(20)]
        expected = [sha1() for _ in range(20)]
        for number, lengths in enumerate(parts):
            data = [memoryview(RANDOM)[number * i : number * i + n] for i, n in enumerate(lengths)]
            kernel.update_streams(streams[: len(data)], data)
            for state, view in zip(expected, data, strict=False):
                state.update(view)
        assert [stream.digest() for stream in streams] == [state.digest() for state in expected]


@every_kernel
@pytest.mark.parametrize("piece_length", [0, -1, -(1 << 63)])
def test_a_piece_has_at_least_a_byte(name: str, piece_length: int) -> None:
    with using(name), file_of(b"abc") as fd:
        for call in (
            lambda: kernel.piece_digests(b"abc", piece_length),
            lambda: kernel.file_piece_digests(fd, 0, 3, piece_length, os.pread),
        ):
            with pytest.raises(ValueError, match=f"piece length is {piece_length}; expected at least 1"):
                call()


@every_kernel
@pytest.mark.parametrize("piece_length", [0, -LEAF, 8192, 3 * LEAF, LEAF + 1])
def test_a_piece_of_both_is_a_power_of_two_of_whole_leaves(name: str, piece_length: int) -> None:
    with using(name), file_of(b"abc") as fd:
        for call in (
            lambda: kernel.hybrid_digests(b"abc", piece_length),
            lambda: kernel.file_hybrid_digests(fd, 0, 3, piece_length, os.pread),
        ):
            with pytest.raises(ValueError, match=f"piece length is {piece_length}; expected"):
                call()


@every_kernel
def test_what_is_no_row_of_bytes_is_refused(name: str) -> None:
    gaps = memoryview(RANDOM)[:1000:2]
    with using(name):
        for call in (
            lambda: kernel.piece_digests(gaps, 100),
            lambda: kernel.leaf_digests(gaps),
            lambda: kernel.hybrid_digests(gaps, LEAF),
            lambda: kernel.pair_digests(gaps),
            lambda: kernel.leaf_digests_of_files(gaps, [500]),
        ):
            with pytest.raises(ValueError, match="contiguous"):
                call()
        with pytest.raises(TypeError):
            kernel.leaf_digests("text")  # type: ignore[arg-type]


@every_kernel
def test_wider_items_are_bytes_too(name: str) -> None:
    with using(name):
        assert kernel.piece_digests(memoryview(RANDOM[:8000]).cast("I"), 999) == pieces_of(RANDOM[:8000], 999)


@every_kernel
@pytest.mark.parametrize("lengths", [[1], [4], [1, 1], [5, -2], [-1, 4], [1 << 64, 3], []], ids=str)
def test_lengths_of_files_must_add_up(name: str, lengths: list[int]) -> None:
    with using(name), pytest.raises(ValueError, match="file"):
        kernel.leaf_digests_of_files(b"abc", lengths)


@every_kernel
def test_half_a_pair_is_refused(name: str) -> None:
    with using(name), pytest.raises(ValueError, match="96 bytes of hashes; expected pairs"):
        kernel.pair_digests(bytes(96))


@every_kernel
def test_a_file_that_ends_early_is_told(name: str) -> None:
    with using(name), file_of(b"abc") as fd:
        for call in (
            lambda: kernel.file_piece_digests(fd, 0, 4, 2, os.pread),
            lambda: kernel.file_leaf_digests(fd, 1, 5, os.pread),
            lambda: kernel.file_hybrid_digests(fd, 3, 4, LEAF, os.pread),
            lambda: kernel.file_piece_digests(fd, 0, 1 << 62, 1 << 40, os.pread),
        ):
            with pytest.raises(EOFError, match="the file ends at 3; expected at least"):
                call()


@every_kernel
@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2, 1), (-5, -3)])
def test_a_range_of_a_file_goes_forward(name: str, start: int, end: int) -> None:
    with using(name), file_of(b"abc") as fd, pytest.raises(ValueError, match=f"range is {start}..{end}"):
        kernel.file_leaf_digests(fd, start, end, os.pread)


@every_kernel
def test_a_file_that_cannot_be_read_is_an_os_error(name: str) -> None:
    with using(name), file_of(b"abc") as fd:
        other = os.open(f"/dev/fd/{fd}", os.O_WRONLY)
        try:
            with pytest.raises(OSError, match="Bad file descriptor"):
                kernel.file_leaf_digests(other, 0, 3, os.pread)
        finally:
            os.close(other)


@pytest.mark.parametrize("name", kernel.usable())
def test_numbers_past_64_bits_are_refused(name: str) -> None:
    """Only the kernel has such a limit; that it holds is what matters."""
    with using(name):
        for call in (
            lambda: kernel.piece_digests(b"abc", 1 << 63),
            lambda: kernel.file_leaf_digests(0, 0, 1 << 63, os.pread),
            lambda: kernel.file_piece_digests(1 << 40, 0, 1, 1, os.pread),
        ):
            with pytest.raises(ValueError, match="64 bits"):
                call()


@pytest.mark.parametrize("name", kernel.usable())
def test_a_stream_is_one_threads_at_a_time(name: str) -> None:
    with using(name):
        stream, other = kernel.sha1_stream(), kernel.sha1_stream()
        with pytest.raises(ValueError, match="the same Sha1 twice"):
            kernel.update_streams([stream, other, stream], [memoryview(b"abc")] * 3)
        kernel.update_streams([stream], [memoryview(b"abc")])
        assert stream.digest() == sha1(b"abc").digest()


@every_kernel
def test_as_many_buffers_as_streams(name: str) -> None:
    with using(name), pytest.raises(ValueError, match=r"streams and 0 buffers|shorter"):
        kernel.update_streams([kernel.sha1_stream()], [])


@every_kernel
def test_streams_of_before_a_choice_go_on_after_it(name: str) -> None:
    with using(kernel.HASHLIB):
        old = kernel.sha1_stream()
    with using(name):
        new = kernel.sha1_stream()
        kernel.update_streams([old, new], [memoryview(b"abc")] * 2)
    with using(kernel.HASHLIB):
        kernel.update_streams([old, new], [memoryview(b"def")] * 2)
    assert old.digest() == new.digest() == sha1(b"abcdef").digest()


@every_kernel
def test_threads_hash_at_the_same_time_and_do_not_disturb_each_other(name: str) -> None:
    found: dict[int, tuple[bytes, bytes]] = {}

    def hash_many(number: int) -> None:
        for _ in range(20):
            found[number] = kernel.hybrid_digests(memoryview(RANDOM)[number:], 4 * LEAF)

    with using(name):
        threads = [threading.Thread(target=hash_many, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number, digests in found.items():
        assert digests == (pieces_of(RANDOM[number:], 4 * LEAF), leaves_of(RANDOM[number:]))
