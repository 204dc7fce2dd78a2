"""The files in which all rows lie."""

import json

import pytest

from s3torrent.catalog import shards
from s3torrent.catalog.entry import Entry, of_item, page_id
from support.catalogs import BUCKET, HOSTILE, item


def entries() -> list[Entry]:
    keys = [*HOSTILE, "plain", "a folder/"]
    found = [of_item(item(key, number), key) for number, key in enumerate(keys)]
    return [entry for entry in found if entry]


def test_what_is_written_is_read_again() -> None:
    body = shards.encode(BUCKET, entries())
    assert shards.decode(body) == {page_id(BUCKET, entry.key): entry for entry in entries()}


def test_the_order_in_which_they_come_changes_nothing() -> None:
    assert shards.encode(BUCKET, entries()) == shards.encode(BUCKET, reversed(entries()))


def test_trackers_and_web_seeds_are_told_once() -> None:
    whole = json.loads(shards.encode(BUCKET, entries()))
    assert len(whole["trackers"]) == 1
    assert whole["seeds"] == [["https://cdn.example.org/{key}"]]


def test_a_name_that_is_not_the_keys_is_kept() -> None:
    found = of_item(item("k", magnet="magnet:?dn=another"), "k")
    assert found
    (read,) = shards.decode(shards.encode(BUCKET, [found])).values()
    assert read.name == "another"


@pytest.mark.parametrize(("count", "digits"), [(0, 0), (500, 0), (501, 1), (8000, 1), (8001, 2), (10**6, 2)])
def test_a_larger_catalogue_has_more_shards(count: int, digits: int) -> None:
    assert shards.digits_for(count) == digits
    assert len(shards.names(digits)) == 16**digits


ROW = ["0" * 16, "k", 1, 1, "a" * 40, "", 1, 0, 0, ""]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "../../x"),
        (0, 1),
        (1, None),
        (2, -1),
        (2, "1"),
        (3, 10**13),
        (4, "<b>"),
        (5, "ab"),
        (7, 3),
        (8, "x"),
        (9, 1),
    ],
)
def test_a_row_that_is_none_is_refused(place: int, value: object) -> None:
    whole = {"version": 1, "columns": list(shards.COLUMNS), "trackers": [[]], "seeds": [[]]}
    assert shards.decode(json.dumps(whole | {"rows": [ROW]}).encode())
    row = [*ROW[:place], value, *ROW[place + 1 :]]
    with pytest.raises(shards.Unreadable):
        shards.decode(json.dumps(whole | {"rows": [row]}).encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"version":2,"columns":[]}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_shard_is_refused(body: bytes) -> None:
    with pytest.raises(shards.Unreadable):
        shards.decode(body)
