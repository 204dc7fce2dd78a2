"""The by-size rule and its reasons; what a person may ask for."""

import pytest

from s3torrent.errors import PieceLengthError, TooLarge
from s3torrent.metainfo.piece_length import MAX, MAX_TORRENT, MIN, choose, describe, parse_piece_length

KIB, MIB, GIB, TIB = (1 << shift for shift in (10, 20, 30, 40))


@pytest.mark.parametrize(
    ("size", "length", "reason"),
    [
        (0, 16 * KIB, "0 pieces of 16 KiB: the shortest piece length there is"),
        (1, 16 * KIB, "1 piece of 16 KiB: the shortest piece length there is"),
        (1000 * 16 * KIB, 16 * KIB, "1,000 pieces of 16 KiB: the shortest piece length there is"),
        (1000 * 16 * KIB + 1, 16 * KIB, "1,001 pieces of 16 KiB: the power of two that gives 1,000 to 2,000 pieces"),
        (2000 * 16 * KIB, 16 * KIB, "2,000 pieces of 16 KiB: the power of two that gives 1,000 to 2,000 pieces"),
        (2000 * 16 * KIB + 1, 32 * KIB, "1,001 pieces of 32 KiB: the power of two that gives 1,000 to 2,000 pieces"),
        (64 * MIB, 64 * KIB, "1,024 pieces of 64 KiB: the power of two that gives 1,000 to 2,000 pieces"),
        (1 * GIB, 1 * MIB, "1,024 pieces of 1 MiB: the power of two that gives 1,000 to 2,000 pieces"),
        (2000 * 16 * MIB, 16 * MIB, "2,000 pieces of 16 MiB: the power of two that gives 1,000 to 2,000 pieces"),
        (1 * TIB, 16 * MIB, "65,536 pieces of 16 MiB: the longest piece length in common use"),
        (10 * TIB, 32 * MIB, "327,680 pieces of 32 MiB: the first power of two that keeps the .torrent under 10,000,000 bytes"),
        (50 * TIB, 128 * MIB, "409,600 pieces of 128 MiB: the first power of two that keeps the .torrent under 10,000,000 bytes"),
    ],
)  # fmt: skip
def test_the_choice_by_size_and_its_reason(size, length, reason):
    choice = choose(size, version="v1")
    assert (choice.piece_length, choice.reason) == (length, reason)


@pytest.mark.parametrize(("version", "length"), [("v1", 16 * MIB), ("v2", 32 * MIB), ("hybrid", 64 * MIB)])
def test_above_16_mib_it_is_the_bytes_a_piece_that_count(version, length):
    assert choose(7 * TIB, version=version).piece_length == length


@pytest.mark.parametrize(("version", "each"), [("v1", 20), ("v2", 32), ("hybrid", 52)])
def test_the_torrent_stays_loadable_and_no_piece_is_longer_than_that_takes(version, each):
    for size in (1 * TIB, 3 * TIB, 9 * TIB, 20 * TIB):
        length = choose(size, version=version).piece_length
        assert -(-size // length) * each < MAX_TORRENT
        assert length == 16 * MIB or -(-size // (length // 2)) * each > MAX_TORRENT - 10_001


def test_a_long_file_list_takes_room_from_the_pieces():
    assert choose(1 * TIB, version="v1").piece_length == 16 * MIB
    assert choose(1 * TIB, version="v1", file_overhead=9_000_000).piece_length == 32 * MIB
    choice = choose(1 * GIB, version="v1", file_overhead=9_980_000)
    assert choice.reason.startswith(
        "256 pieces of 4 MiB: the first power of two that keeps the .torrent under"
    )


def test_what_no_piece_length_makes_loadable_is_too_large():
    with pytest.raises(
        TooLarge,
        match=r"in pieces of 128 MiB make a \.torrent of about 13,117,200 bytes; expected at most",
    ):
        choose(50 * TIB, version="v2")
    with pytest.raises(TooLarge):
        choose(1, version="v1", file_overhead=10_000_000)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("16KiB", MIN),
        ("128MiB", MAX),
        ("1MiB", MIB),
        ("1024kib", MIB),
        (" 4 mib ", 4 * MIB),
        ("16384", MIN),
        ("0064KIB", 64 * KIB),
    ],
)
def test_a_piece_length_as_people_write_it(text, length):
    assert parse_piece_length(text) == length


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("100KiB", "'100KiB' is not a power of two from 16 KiB to 128 MiB; nearest: 64 KiB and 128 KiB"),
        ("16385", "nearest: 16 KiB and 32 KiB"),
        ("8KiB", "nearest: 16 KiB"),
        ("0", "nearest: 16 KiB"),
        ("256MiB", "nearest: 128 MiB"),
        ("999999999999999999MiB", "nearest: 128 MiB"),
        ("127MiB", "nearest: 64 MiB and 128 MiB"),
    ],
)
def test_a_piece_length_out_of_the_range_names_the_nearest(text, says):
    with pytest.raises(PieceLengthError) as caught:
        parse_piece_length(text)
    assert caught.value.message.endswith(says)


@pytest.mark.parametrize(
    "text", ["", "KiB", "-1", "1.5MiB", "1MB", "1M", "1 GiB", "auto", "٤MiB", "1" * 5000, "1e3", "0x10"]
)
def test_what_is_no_number_of_bytes_is_refused(text):
    with pytest.raises(PieceLengthError, match="expected a number of bytes, KiB or MiB") as caught:
        parse_piece_length(text)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 bytes"),
        (1000, "1,000 bytes"),
        (16384, "16 KiB"),
        (5 * MIB, "5 MiB"),
        (MIB + 16384, "1,040 KiB"),
    ],
)
def test_a_length_in_words(length, words):
    assert describe(length) == words
