"""Every target over its corpus, and over some hundred damaged copies of it. ``run.py`` does it by coverage, for hours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.bounded import bounded
from fuzz.targets import TARGETS, seeds

EXAMPLES = {"bencode": 600, "config": 200, "event": 400, "s3": 200, "status": 100, "torrent": 200}
TOKENS = {
    "bencode": [b"i-0e", b"le", b"de", b"e", b"9:", b"0:", b"i1e", b"l" * 101, b"99999999999:", b"\xff"],
    "config": ["é".encode(), b"\n", b",", b"9" * 5000, b"=", b"{key}", b"://", b"nan", b"inf", b"1e400", b"%"],
    "event": [b"null", b'""', b"[]", b"{}", b"1e400", b"-1", b'"\\ud800"', b"%FF", b"9" * 5000, b"\\", b"true"],
    "s3": [b"\0", b"-1", b"9" * 5000, b"200", b"206", b"503", b"<", b"&#1;", b"</Part>", b'""', b"\n", b"0001-01-01"],
    "status": [b"\0", b'{"N": "x"}', b'{"NULL": true}', b'{"S": "soon"}', b'{"SS": ["a"]}', b"{}", b"null", b"9" * 40],
    "torrent": [b"i-0e", b"le", b"de", b"0:", b"i0e", b"i-1e", b"2:..", b"1:/", b"\xff", b"i9223372036854775807e"],
}  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """A seed with a few places overwritten, taken out, put in again, or filled from another seed."""
    data = bytearray(draw(st.sampled_from(seeds(name))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8))
        match draw(st.sampled_from(["token", "bytes", "cut", "again", "splice"])):
            case "token":
                data[at : at + length] = draw(st.sampled_from(TOKENS[name]))
            case "bytes":
                data[at : at + length] = draw(st.binary(max_size=8))
            case "cut":
                del data[at : at + draw(st.integers(1, 64))]
            case "again":
                data[at:at] = data[at : at + draw(st.integers(1, 64))]
            case "splice":
                other = draw(st.sampled_from(seeds(name)))
                data[at:] = other[min(at, len(other)) :]
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_meets_nothing_but_the_errors_that_are_meant(name: str) -> None:
    for seed in seeds(name):
        with bounded():
            TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_input_meets_nothing_but_the_errors_that_are_meant(name: str) -> None:
    @settings(
        max_examples=EXAMPLES[name], deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(damaged(name))
    def attempt(data: bytes) -> None:
        with bounded():
            TARGETS[name](data)

    attempt()
