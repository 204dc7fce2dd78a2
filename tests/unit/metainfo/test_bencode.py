"""The strict reader and the canonical writer."""

import pytest

from s3torrent.errors import BencodeError
from s3torrent.metainfo.bencode import decode, decode_spans, encode


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (0, b"i0e"),
        (-42, b"i-42e"),
        (1 << 63, b"i9223372036854775808e"),
        (b"", b"0:"),
        (b"\xff\0", b"2:\xff\0"),
        ([], b"le"),
        ([1, [b"a"]], b"li1el1:aee"),
        ({}, b"de"),
        ({b"a": 1, b"b": {b"c": []}}, b"d1:ai1e1:bd1:cleee"),
    ],
)
def test_a_value_and_its_one_encoding(value, raw):
    assert encode(value) == raw
    assert decode(raw) == value
    assert decode(memoryview(raw)) == value


def test_text_is_written_as_utf_8_and_keys_sort_as_raw_bytes():
    assert encode({"é": "ü", "z": 1, b"A": (2,)}) == b"d1:Ali2ee1:zi1e2:\xc3\xa92:\xc3\xbce"


@pytest.mark.parametrize("value", [True, False, None, 1.5, {1: 2}, [object()], bytearray(b"x")])
def test_what_bencoding_cannot_hold_is_a_type_error(value):
    with pytest.raises(TypeError):
        encode(value)


def test_a_key_given_twice_as_bytes_and_as_text_is_an_error():
    with pytest.raises(ValueError, match="twice"):
        encode({b"a": 1, "a": 2})


@pytest.mark.parametrize(
    ("raw", "offset", "says"),
    [
        (b"", 0, "the data ends where a value"),
        (b"x", 0, "b'x' where a value should begin"),
        (b"e", 0, "end marker with nothing open"),
        (b"l", 1, "the data ends where"),
        (b"i5", 0, "the data ends inside an integer"),
        (b"ie", 0, "an integer broken off by b'e'"),
        (b"i-e", 0, "an integer broken off"),
        (b"i+5e", 0, "an integer broken off by b'+'"),
        (b"i 5e", 0, "an integer broken off by b' '"),
        (b"i-0e", 0, "minus zero"),
        (b"li05ee", 1, "leading zero"),
        (b"01:a", 0, "a string length with a leading zero"),
        (b"5:abcd", 0, "a string of 5 bytes, of which 4 are there"),
        (b"l4:spami1ex", 10, "b'x' where a value"),
        (b"12", 0, "the data ends inside a string length"),
        (b"1a", 0, "a string length broken off by b'a'"),
        (b"-1:a", 0, "b'-' where a value should begin"),
        (b"di1ei2ee", 1, "a dict key that is not a string"),
        (b"dlei2ee", 1, "a dict key that is not a string"),
        (b"d1:a1:b1:ce", 10, "dict key b'c' without a value"),
        (b"d1:bi1e1:ai1ee", 7, "dict keys not sorted as raw bytes"),
        (b"d1:ai1e1:ai1ee", 7, "the same dict key twice"),
        (b"i1ei2e", 3, "3 bytes after the end"),
        (b"4:info\n", 6, "1 bytes after the end"),
        ("i٣e".encode(), 0, "an integer broken off"),
    ],
)
def test_malformed_input_is_refused_at_its_byte(raw, offset, says):
    with pytest.raises(BencodeError) as caught:
        decode(raw)
    assert caught.value.offset == offset
    assert says in caught.value.message
    assert caught.value.message.endswith(f"at byte {offset}")


@pytest.mark.parametrize(
    "raw",
    [
        b"i" + b"9" * 1_000_000 + b"e",
        b"i-" + b"1" * 33 + b"e",
        b"9" * 1_000_000 + b":",
        b"99999999999999999999:x",
        b"9999999999:x",
        b"l" * 1_000_000,
        b"d1:a" * 500_000,
        b"l" * 101 + b"e" * 101,
    ],
    ids=["digits", "33 digits", "length digits", "length > 2**64", "length", "lists", "dicts", "101 levels"],
)
def test_hostile_input_is_refused_without_work_or_memory(raw):
    with pytest.raises(BencodeError):
        decode(raw)


def test_limits_are_inclusive_and_can_be_chosen():
    assert decode(b"l" * 100 + b"e" * 100) is not None
    assert decode(b"lli1eee", max_depth=2, max_items=3) == [[1]]
    with pytest.raises(BencodeError, match="more than 1 levels"):
        decode(b"lli1eee", max_depth=1)
    with pytest.raises(BencodeError, match="more than 2 values"):
        decode(b"lli1eee", max_items=2)


def test_spans_are_those_of_the_outermost_dict_s_values():
    raw = b"d1:ad1:bi1ee4:infod4:name1:ne1:zlee"
    value, spans = decode_spans(raw)
    assert value == {b"a": {b"b": 1}, b"info": {b"name": b"n"}, b"z": []}
    assert {key: raw[start:end] for key, (start, end) in spans.items()} == {
        b"a": b"d1:bi1ee",
        b"info": b"d4:name1:ne",
        b"z": b"le",
    }
    assert decode_spans(b"ld1:ai1eee")[1] == {}
