"""A file of keys, one a line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.errors import UsageError
from s3torrent.pipeline.keys_file import KeysFile

KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), min_size=1, max_size=40)


def keys_file(body: bytes) -> KeysFile:
    return KeysFile(io.BytesIO(body), "keys.txt", "movies", len(body))


def keys(body: bytes, after: str = "") -> list[str]:
    return [one.ref.key for one in keys_file(body).named(after)]


def test_keys_are_taken_as_they_are() -> None:
    """Nothing is decoded or stripped but the line's end; empty lines are no keys."""
    assert keys(b"\xef\xbb\xbfa b+c%20\r\n\n s3://x \nlast") == ["a b+c%20", " s3://x ", "last"]


@given(
    names=st.lists(KEYS.filter(lambda key: not key.startswith("\ufeff")), min_size=1, max_size=9),
    data=st.data(),
)
def test_from_any_marker_on_it_tells_exactly_the_rest(names: list[str], data: st.DataObject) -> None:
    body = "\n".join(names).encode()
    found = keys_file(body)
    markers = [one.marker for one in found.named()]
    assert found.read == found.total
    stop = data.draw(st.integers(0, len(names) - 1))
    assert keys(body, markers[stop]) == names[stop + 1 :]


def test_another_file_than_the_marker_was_of_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"keys\.txt, row 2: found 'c', expected 'b', where the backfill was"
    ):
        keys(b"a\nc\n", "0:2:b")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"good\n\xff\n", r"keys\.txt, line 2 is not UTF-8"),
        (b"x" * 1025 + b"\n", r"line 1 is longer than 1,024 bytes"),
        (b"\0" * 5_000_000, r"line 1 is longer"),
    ],
)
def test_a_line_that_is_no_key_is_named(body: bytes, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        keys(body)


def test_the_longest_key() -> None:
    assert keys(b"\xef\xbb\xbf" + b"x" * 1024 + b"\r\nb") == ["x" * 1024, "b"]
