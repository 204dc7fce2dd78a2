"""EventBridge patterns against one event: taken, not taken, or not to be told."""

from __future__ import annotations

from typing import Any

import pytest

from s3torrent.doctor.filters import KeyFilter
from s3torrent.doctor.pattern import ANY, keys, takes

EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "s3torrent-films"}, "object": {"key": ANY}},
}


@pytest.mark.parametrize(
    ("matcher", "taken"),
    [
        ("s3torrent-films", True),
        ("my-recordings", False),
        (None, False),
        (7, False),
        ({"prefix": "s3torrent"}, True),
        ({"prefix": "films"}, False),
        ({"prefix": {"equals-ignore-case": "S3Torrent"}}, True),
        ({"suffix": "-films"}, True),
        ({"suffix": "s3"}, False),
        ({"suffix": {"equals-ignore-case": "-songs"}}, False),
        ({"equals-ignore-case": "S3TORRENT-FILMS"}, True),
        ({"wildcard": "s3*-f*s"}, True),
        ({"wildcard": "s3*-f"}, False),
        ({"wildcard": "s3torrent\\*films"}, False),
        ({"anything-but": "s3torrent-films"}, False),
        ({"anything-but": ["a", "b"]}, True),
        ({"anything-but": ["a", "s3torrent-films"]}, False),
        ({"anything-but": {"prefix": "s3"}}, False),
        ({"anything-but": {"prefix": ["a", "b"]}}, True),
        ({"anything-but": {"suffix": "films"}}, False),
        ({"anything-but": {"wildcard": "*films"}}, False),
        ({"anything-but": {"equals-ignore-case": ["S3torrent-Films"]}}, False),
        ({"anything-but": {"cidr": "10.0.0.0/8"}}, None),
        ({"exists": True}, True),
        ({"exists": False}, False),
        ({"numeric": [">", 0]}, None),
        ({"a matcher of next year": "x"}, None),
        ({"prefix": 3}, None),
        ({}, None),
    ],
)
def test_a_matcher_takes_a_value_or_not(matcher: Any, taken: bool | None) -> None:
    assert takes({"detail": {"bucket": {"name": [matcher]}}}, EVENT) is taken
    assert takes({"detail": {"bucket": {"name": ["s3torrent-films", matcher]}}}, EVENT) is True


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ({}, True),
        ({"source": ["aws.s3"], "detail-type": ["Object Created"]}, True),
        ({"source": ["aws.ec2"], "$or": []}, False),
        ({"source": ["aws.s3"], "$or": [{"detail": {}}]}, None),
        ({"detail": {"reason": ["PutObject"]}}, None),
        ({"detail": {"object": {"size": [{"numeric": [">", 5]}]}}}, None),
        ({"detail": {"object": {"key": [{"prefix": "x"}]}}}, True),
        ({"detail": ["x"]}, False),
        ({"source": {"x": ["y"]}}, False),
        ({"source": "aws.s3"}, None),
    ],
)
def test_every_field_has_to_match(pattern: dict[str, Any], taken: bool | None) -> None:
    assert takes(pattern, EVENT) is taken


@pytest.mark.parametrize(
    ("matchers", "filters"),
    [
        ([{"prefix": "only-this/"}], [KeyFilter("only-this/")]),
        ([{"suffix": ".mkv"}, {"prefix": "a"}], [KeyFilter("", ".mkv"), KeyFilter("a")]),
        ([{"wildcard": "shows/*.mkv"}], [KeyFilter("shows/", ".mkv")]),
        ([{"wildcard": "*"}], [KeyFilter()]),
        ([{"wildcard": "a*b*c"}], None),
        ([{"wildcard": "a\\*"}], None),
        (["one"], [KeyFilter("one", "one")]),
        ([{"prefix": ""}, {"numeric": ["=", 1]}], [KeyFilter()]),
        ([{"exists": True}], [KeyFilter()]),
        ([{"anything-but": {"suffix": ".torrent"}}], [KeyFilter()]),
        ([{"anything-but": {"suffix": ["-v1.torrent", ".mkv"]}}], None),
        ([{"anything-but": {"prefix": "tmp/"}}], None),
        ([{"prefix": {"equals-ignore-case": "a"}}], None),
        ("shows", None),
    ],
)
def test_keys_are_told_as_filters_where_filters_can_say_it(
    matchers: Any, filters: list[KeyFilter] | None
) -> None:
    assert keys({"detail": {"object": {"key": matchers}}}) == filters


def test_a_pattern_without_keys_takes_every_key() -> None:
    assert keys({"source": ["aws.s3"]}) == [KeyFilter()]
    assert keys({"detail": ["odd"]}) is None
