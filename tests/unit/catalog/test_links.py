"""Where the pages' links lead."""

from urllib.parse import quote

import pytest

from s3torrent.catalog.entry import Entry, of_item
from s3torrent.catalog.links import Links, harmless
from s3torrent.metainfo.model import FileEntry
from support.catalogs import BUCKET, item


def entry_of(key: str, *, seeds: bool = True) -> Entry:
    found = of_item(item(key, seeds=seeds), key)
    assert found
    return found


HARD = "data/100% + é #1?.iso"
CODED = "data/100%25%20%2B%20%C3%A9%20%231%3F.iso.torrent"


def test_a_torrent_lies_beside_its_web_seed() -> None:
    assert Links(BUCKET).torrent(entry_of(HARD)) == f"https://cdn.example.org/{CODED}"


def test_without_a_web_seed_nobody_knows() -> None:
    assert Links(BUCKET).torrent(entry_of(HARD, seeds=False)) is None


def test_in_the_same_bucket_the_way_is_relative() -> None:
    links = Links(BUCKET, up="../../", base="https://h.example.org/a/b/")
    assert links.torrent(entry_of(HARD), "../") == f"../../../{CODED}"
    assert links.absolute(links.torrent(entry_of(HARD))) == f"https://h.example.org/{CODED}"
    assert links.torrent(entry_of("/x")) == "../..//x.torrent"


def test_a_template_comes_before_all() -> None:
    links = Links(BUCKET, files="https://other.example.org/{bucket}/{key}", up="../")
    assert links.torrent(entry_of(HARD)) == f"https://other.example.org/{BUCKET}/{CODED}"
    assert links.torrents == f"https://other.example.org/{BUCKET}/{{key}}"


def test_a_page_has_an_absolute_address_where_the_base_is_known() -> None:
    entry = entry_of("k")
    assert Links(BUCKET).absolute(Links(BUCKET).page(entry)) == Links(BUCKET).page(entry)
    links = Links(BUCKET, base="https://h.example.org/c/")
    assert links.absolute(links.page(entry)) == f"https://h.example.org/c/{links.page(entry)}"
    assert links.absolute("../../../x") == "https://h.example.org/x"


def test_a_folders_torrent_lies_beside_it() -> None:
    """Clients add the name to the web seed (BEP 19), whether or not it ends in a slash."""
    for seed in ("https://cdn.example.org/shows/", "https://cdn.example.org/shows"):
        key = "shows/a b/"
        magnet = f"magnet:?xt=urn:btih:{'0' * 40}&dn=a%20b&ws={quote(seed, safe='')}"
        found = of_item(item(key, magnet=magnet), key)
        assert found
        assert Links(BUCKET).torrent(found) == "https://cdn.example.org/shows/a%20b.torrent"
    assert Links(BUCKET).torrent(entry_of("shows/a b/", seeds=False)) is None


def test_a_folders_files_are_below_its_web_seed() -> None:
    entry = entry_of("shows/2026/")
    url = Links(BUCKET).file(entry, FileEntry(("a b", "c#.mkv"), 1))
    assert url == "https://cdn.example.org/shows/2026/2026/a%20b/c%23.mkv"
    assert Links(BUCKET).file(entry, FileEntry(("..", "x"), 1)) is None


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:x",
        "data:text/html,x",
        "//h/x",
        "/x",
        "\\\\h",
        "vbscript:x",
        "http://[",
        "",
        None,
    ],
)
def test_what_is_no_link_of_ours_is_none(url: str | None) -> None:
    assert harmless(url) is None


@pytest.mark.parametrize("url", ["https://h/x", "http://h/x", "magnet:?xt=1", "../a:b/c", "t/x.html"])
def test_links_stay(url: str) -> None:
    assert harmless(url) == url
