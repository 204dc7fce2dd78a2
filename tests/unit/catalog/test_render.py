"""The pages and the feed, as they are written."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import feedparser
import pytest

from s3torrent.catalog import render
from s3torrent.catalog.entry import Entry, of_item
from s3torrent.catalog.links import Links
from s3torrent.catalog.render import Renderer
from s3torrent.errors import UsageError
from support.catalogs import BUCKET, HOSTILE, URL, item, items

if TYPE_CHECKING:
    from s3torrent.status.base import StatusItem

RENDERER = Renderer("Films & <b>more</b>\u202e", Links(BUCKET, base=URL))
MAY_LINK = re.compile(r"(https?://|magnet:\?|\.\./|t/|assets/|feed\.xml$|catalog\.json$|#main$)")


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def entries(found: list[StatusItem]) -> list[Entry]:
    made = [of_item(one, one.job_id.removeprefix(f"s3://{BUCKET}/")) for one in found]
    return sorted((entry for entry in made if entry), key=lambda entry: -entry.at)


def hostile() -> list[Entry]:
    return entries([item(key, number) for number, key in enumerate(HOSTILE)])


def index(listed: list[Entry], count: int | None = None) -> bytes:
    return RENDERER.index(listed, count or len(listed), 1, listed[0].at, {"d/all.json": "0" * 64})


def test_hostile_names_are_text_on_every_page() -> None:
    plain = Tags(index(entries([item("plain")])).decode())
    page = Tags(index(hostile()).decode())
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert "<script src=x>" in page.text
    assert "script>.mkv <script>alert('key')</" in page.text  # the name, then the folder it lies in
    assert r"safe\u202egnp.exe" in page.text
    assert r"line\none\r\ttwo" in page.text
    for entry in hostile():
        one = Tags(RENDERER.page(entry).decode())
        assert [dict_["src"] for tag, dict_ in one.tags if tag == "script"] == [
            "../assets/theme.js",
            "../assets/catalog.js",
        ]
        page.tags += one.tags
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        for name in ("href", "src"):
            if name in attributes:
                assert MAY_LINK.match(str(attributes[name])), attributes


def test_nothing_unseen_is_in_the_html() -> None:
    for body in (index(hostile()), *map(RENDERER.page, hostile())):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u200b]", body.decode())


def test_every_page_forbids_all_but_its_own() -> None:
    for body in (index(hostile()), RENDERER.page(hostile()[0])):
        policy = next(tag["content"] for _, tag in Tags(body.decode()).tags if tag.get("http-equiv"))
        assert policy is not None
        assert policy.split("; ") == [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
            "img-src 'self' data:", "base-uri 'none'", "form-action 'none'",
        ]  # fmt: skip


def test_data_for_the_script_ends_no_script() -> None:
    links = Links("a</script><!--", files="https://h/{key}", base=URL)
    html = Renderer("t", links).index(hostile(), 1, 1, 1, {"d/all.json": "0"}).decode()
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert "<" not in text
    assert json.loads(text)["bucket"] == "a</script><!--"


def test_the_first_page_lists_the_newest_as_far_as_there_is_room() -> None:
    many = entries(items(300))
    assert index(many, 300).count(b'<tr role="row">\n<th role="rowheader"') == 100
    long = entries([item("é" * 500 + str(number), number) for number in range(100)])
    assert len(index(long, 100)) < 160_000


def test_the_feed_has_what_a_client_needs() -> None:
    listed = entries(items(120, *HOSTILE))[:100]
    found = feedparser.parse(RENDERER.feed(listed, listed[0].at))
    assert not found.bozo
    assert found.version == "rss20"
    assert [one.id for one in found.entries] == [
        f"{RENDERER.links.base}{RENDERER.links.page(entry)}#{entry.urn}" for entry in listed
    ]
    for one, entry in zip(found.entries, listed, strict=True):
        assert one.link == f"{URL}{RENDERER.links.page(entry)}"
        enclosures = [(link.type, link.length) for link in one.enclosures]
        expected = [("application/x-bittorrent", str(entry.torrent_size))] if entry.direct else []
        assert enclosures == expected
        assert one.published_parsed


def test_titles_of_the_feed_are_the_names_as_text() -> None:
    tree = ET.fromstring(RENDERER.feed(hostile(), 1))
    titles = [one.findtext("title") for one in tree.iter("item")]
    assert r"safe\u202egnp.exe" in titles
    assert "&lt;script src=x>" in titles
    assert tree.findtext("channel/title") == r"Films & &lt;b>more&lt;/b>\u202e"


def test_what_readers_of_feeds_take_for_html_has_no_tags() -> None:
    """A description is HTML by convention, a title may be taken for it: nobody's folder is an image in a reader."""
    keys = ('<img src="http://evil.example/t.png">/f.mkv', "a & b/<b>bold</b>.mkv")
    body = RENDERER.feed(entries([item(key, number) for number, key in enumerate(keys)]), 1)
    for one in ET.fromstring(body).iter("item"):
        told = Tags((one.findtext("title") or "") + " " + (one.findtext("description") or ""))
        assert told.tags == []
        assert any(part in told.text for part in ('<img src="http://evil.example/t.png">/', "a & b/"))
    channel = ET.fromstring(body).find("channel")
    assert channel is not None
    assert Tags(channel.findtext("description") or "").tags == []


def test_the_feed_of_nothing_has_no_date_and_leads_to_the_page() -> None:
    channel = ET.fromstring(RENDERER.feed([], 0)).find("channel")
    assert channel is not None
    assert channel.findtext("lastBuildDate") is None
    assert channel.findtext("link") == f"{URL}index.html"


def test_scripts_that_depend_on_each_other_are_named_by_their_content() -> None:
    """After an upgrade a cache may still have the old ones."""
    html = index(hostile()).decode()
    for name in ("rows.js", "list.js", "search.js"):
        digest = hashlib.sha256(render.asset(name)).hexdigest()[:12]
        assert html.count(f'"assets/{name}?{digest}"') == html.count(f"assets/{name}") == 1


def test_an_empty_catalogue_says_so() -> None:
    html = RENDERER.index([], 0, 0, 0, {"d/all.json": "0"}).decode()
    assert "No torrent yet" in html


def test_without_jinja2_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    render._environment.cache_clear()
    with pytest.raises(UsageError, match="jinja2") as caught:
        render.require()
    assert "s3torrent[catalog]" in caught.value.hint
    render._environment.cache_clear()


def test_the_look_changes_with_what_changes_all_pages() -> None:
    same = Renderer(RENDERER.title, RENDERER.links)
    others = [Renderer("other", RENDERER.links), Renderer(RENDERER.title, Links(BUCKET))]
    assert same.look == RENDERER.look
    assert RENDERER.look not in {one.look for one in others}


def test_the_first_view_of_100_000_torrents_is_under_200_kb_however_long_their_keys() -> None:
    shards = {f"d/{number:02x}.json": "0" * 64 for number in range(256)}
    for key in ("é" * 500, "x" * 1000, "a/b c", "<" * 1000):
        listed = entries([item(f"{key}{number}", number) for number in range(100)])
        body = RENDERER.index(listed, 100_000, 1 << 50, listed[0].at, shards)
        assert len(body) + sum(len(render.asset(name)) for name in render.ASSETS) < 200_000
