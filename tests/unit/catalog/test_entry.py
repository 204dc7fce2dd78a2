"""From a status item to a row of the catalogue."""

from typing import Any
from urllib.parse import quote

import pytest

from s3torrent.catalog.entry import Entry, of_item, page_id
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.parse import parse
from s3torrent.status.base import StatusItem
from support.catalogs import HOSTILE, item


def entry_of(key: str, **more: Any) -> Entry | None:
    return of_item(item(key, 5, **more), key)


@pytest.mark.parametrize("key", [*HOSTILE, "a/b/"])
def test_the_magnet_link_is_the_items_own(key: str) -> None:
    found = entry_of(key)
    assert found
    assert found.magnet == item(key, 5).get("magnet")


def test_a_magnet_link_is_as_the_torrent_has_it() -> None:
    info = b"d6:lengthi1e4:name7:a b & %12:piece lengthi16384e6:pieces20:" + bytes(20) + b"e"
    metainfo = parse(b"d8:announce27:udp://tracker.example.org:14:info" + info + b"e")
    link = magnet(metainfo)
    found = entry_of("x/a b & %", magnet=link, infoHashV1=link[20:60])
    assert found
    assert found.magnet == link


@pytest.mark.parametrize(
    "more",
    [
        {"size": "12"},
        {"size": -1},
        {"size": 1 << 60},
        {"size": True},
        {"torrentSize": None},
        {"completedAt": "yesterday"},
        {"completedAt": None},
        {"infoHashV1": "ABC"},
        {"infoHashV1": None},
        {"infoHashV1": "<script>".ljust(40)},
    ],
    ids=str,
)
def test_an_item_that_does_not_tell_enough_has_no_row(more: dict[str, Any]) -> None:
    assert entry_of("k", **more) is None


@pytest.mark.parametrize(
    "bad", ["javascript:alert(1)", "data:text/html,x", "http://", "https://h/\u202e", "//h/x"]
)
def test_addresses_that_are_none_are_left_out(bad: str) -> None:
    link = f"magnet:?dn=k&tr={quote(bad)}&ws={quote(bad)}"
    found = entry_of("k", magnet=link)
    assert found
    assert (found.trackers, found.seeds, found.direct) == ((), (), None)


def test_a_link_too_long_for_the_table_leaves_the_hashes() -> None:
    key = "x/film.mkv"
    found = of_item(StatusItem("x", {k: v for k, v in item(key).attributes.items() if k != "magnet"}), key)
    assert found
    assert found.magnet == f"magnet:?xt=urn:btih:{found.v1}&dn=film.mkv"


def test_an_address_of_a_page_stays_when_the_object_is_replaced() -> None:
    assert page_id("b", "k") == page_id("b", "k")
    assert len({page_id("b", "k"), page_id("b", "K"), page_id("c", "k"), page_id("b/k", "")}) == 4


def test_what_no_url_can_name_has_no_direct_link() -> None:
    for key in ("a/../b", "./a", "a/.", ".."):
        found = entry_of(key)
        assert found
        assert found.direct is None
