"""The catalogue as people use it, in Chromium."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.conftest import AXE
from s3torrent.catalog import shards
from s3torrent.catalog.entry import Entry, of_item, page_id
from s3torrent.catalog.links import Links
from s3torrent.catalog.text import date_text, seen, size_text
from support.catalogs import BUCKET, HOSTILE, URL, items
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from browser.conftest import Site

ALL = 700 + len(HOSTILE)


def entries() -> dict[str, Entry]:
    found = [of_item(one, str(one.get("key"))) for one in items(700, *HOSTILE)]
    return {entry.key: entry for entry in found if entry}


def names(page: Page) -> list[str]:
    """Of all rows, also those that are shown a moment after the first screen."""
    all_there = "() => document.body.dataset.shown === document.body.dataset.answered"
    until(
        lambda: bool(page.evaluate(all_there)), "all rows are shown"
    )  # not wait_for_function: the CSP forbids it
    return page.locator("#rows .name").all_text_contents()


def state(page: Page) -> str:
    return page.locator("#state").inner_text()


def test_search_as_one_types(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url())
    typed = "season 3 episode 31"
    page.locator("#query").press_sequentially(typed)
    expected = {one.name for key, one in entries().items() if all(term in key for term in typed.split())}
    expect(page.locator("#state")).to_have_text(f"{len(expected)} torrents found")
    assert set(names(page)) == expected
    page.fill("#query", "")
    expect(page.locator("#state")).to_have_text(f"1 to 100 of {ALL} torrents")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("EPISODE 699", ["episode 699.mkv"]),
        ("699 season", ["episode 699.mkv"]),
        ("E #1?", ["100% + é #1?.iso"]),
        ("<script src", ["<script src=x>"]),
        (entries()["shows/season 1/episode 123.mkv"].v1, ["episode 123.mkv"]),
        (entries()["shows/season 1/episode 123.mkv"].magnet[:200], ["episode 123.mkv"]),
        ("urn:btih:" + entries()["shows/season 1/episode 123.mkv"].v1.upper(), ["episode 123.mkv"]),
        ("nothing is so called", []),
    ],
)
def test_what_is_found(site: Site, opened: Callable[..., Page], typed: str, found: list[str]) -> None:
    page = opened(site.url())
    page.fill("#query", typed)
    number = len(found)
    told = f"{number} torrent{'' if number == 1 else 's'} found" if number else f"Nothing found for “{typed}”"
    expect(page.locator("#state")).to_have_text(told)
    assert names(page) == found


@pytest.mark.parametrize(
    ("head", "first", "then"),
    [
        ("Name", "ascending", lambda one: None),
        ("Size", "descending", lambda one: one.size),
        ("Date", "ascending", lambda one: one.at),
    ],
)
def test_sort(
    site: Site, opened: Callable[..., Page], head: str, first: str, then: Callable[[Entry], object]
) -> None:
    page = opened(site.url())
    column = page.locator("thead th", has_text=head)
    page.get_by_role("button", name=head, exact=True).click()
    expect(column).to_have_attribute("aria-sort", first)
    expect(page.locator("#state")).to_have_text(f"1 to 100 of {ALL} torrents")
    assert page.locator("thead [aria-sort]").count() == 1
    expect(page.locator("#rows tr")).to_have_count(100)
    if head == "Size":
        expected = sorted((one.size for one in entries().values()), reverse=True)[:100]
        assert page.locator("#rows .size").all_text_contents() == [size_text(size) for size in expected]
    if head == "Date":
        expected = sorted(one.at for one in entries().values())[:100]
        assert page.locator("#rows time").all_text_contents() == [date_text(at) for at in expected]
    if head == "Name":
        numbered = [int(name[8:-4]) for name in names(page) if re.fullmatch(r"episode \d+\.mkv", name)]
        assert numbered == sorted(numbered)
        assert numbered[0] == 0
    page.get_by_role("button", name=head, exact=True).click()
    other = "ascending" if first == "descending" else "descending"
    expect(column).to_have_attribute("aria-sort", other)


def test_pages_of_the_list_and_an_address_that_remembers(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url())
    shown = names(page)
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#state")).to_have_text(f"101 to 200 of {ALL} torrents")
    assert not set(shown) & set(names(page))
    page.fill("#query", "episode")
    expect(page.locator("#state")).to_have_text("1 to 100 of 700 torrents found")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#state")).to_have_text("101 to 200 of 700 torrents found")
    page.go_back()
    expect(page.locator("#state")).to_have_text("1 to 100 of 700 torrents found")
    page.go_forward()
    expect(page.locator("#state")).to_have_text("101 to 200 of 700 torrents found")
    again = opened(page.url)
    expect(again.locator("#state")).to_have_text("101 to 200 of 700 torrents found")
    assert again.locator("#query").input_value() == "episode"
    assert names(again) == names(page)


def test_the_way_back_from_a_torrent_leads_to_the_list_as_it_was(
    site: Site, opened: Callable[..., Page]
) -> None:
    page = opened(site.url())
    page.fill("#query", "episode 69")
    expect(page.locator("#state")).to_have_text("17 torrents found")
    page.get_by_role("link", name="episode 699.mkv").first.click()
    page.locator("a.way").click()
    expect(page.locator("#state")).to_have_text("17 torrents found")
    assert page.locator("#query").input_value() == "episode 69"
    page.fill("#query", "")
    expect(page.locator("#state")).to_have_text(f"1 to 100 of {ALL} torrents")
    page.locator("#rows .name").first.click()
    page.locator("a.way").click()
    expect(page.locator("h1")).to_be_visible()
    assert page.url == site.url()


def test_what_others_write_into_the_address_is_no_search(site: Site, opened: Callable[..., Page]) -> None:
    site.sent.clear()
    page = opened(site.url("index.html?utm_source=mail"))
    page.wait_for_load_state("networkidle")
    assert not [path for path in site.sent if path.startswith("d/")]
    expect(page.locator("#state")).to_contain_text("The newest")


def test_a_catalogue_opened_from_a_disk_says_what_it_lacks(site: Site, opened: Callable[..., Page]) -> None:
    page = opened((site.root / "index.html").as_uri())
    expect(page.locator("#state")).to_contain_text("Searching and sorting need a web server")
    expect(page.locator("#find")).to_be_hidden()


def test_rows_of_the_script_are_rows_of_the_page(site: Site, opened: Callable[..., Page]) -> None:
    """Every row, hostile ones among them: name, size, date and all links as Python writes them."""
    page = opened(site.url())
    links = Links(BUCKET, base=URL)
    by_page = {links.page(one): one for one in entries().values()}
    seen_pages = set()
    for start in range(0, ALL, 100):
        page.goto(site.url(f"index.html?from={start}" if start else "index.html?sort=-date&q="))
        end = min(start + 100, ALL)
        expect(page.locator("#state")).to_have_text(f"{start + 1} to {end} of {ALL} torrents")
        expect(page.locator("#rows tr")).to_have_count(end - start)
        for row in page.evaluate(
            """() => [...document.querySelectorAll('#rows tr')].map((row) => ({
                page: row.querySelector('.name').getAttribute('href'), name: row.querySelector('.name').textContent,
                size: row.querySelector('.size').textContent, time: row.querySelector('time').dateTime,
                date: row.querySelector('time').textContent,
                links: Object.fromEntries([...row.querySelectorAll('a.act')].map((a) => [a.textContent, a.getAttribute('href')])),
            }))"""
        ):
            one = by_page[row["page"]]
            seen_pages.add(row["page"])
            wanted = {"Magnet": one.magnet, ".torrent": links.torrent(one), "Direct": one.direct}
            assert row["links"] == {label: url for label, url in wanted.items() if url}
            assert (row["name"], row["size"], row["date"]) == (
                seen(one.name),
                size_text(one.size),
                date_text(one.at),
            )
    assert seen_pages == set(by_page)


def test_the_first_view_has_the_same_rows_without_javascript(site: Site, opened: Callable[..., Page]) -> None:
    plain, page = (opened(site.url(), java_script_enabled=on) for on in (False, True))
    assert names(plain) == names(page)
    assert len(names(plain)) > 80
    for place in ("#find", "#theme", "#rows button", "#pager"):
        expect(plain.locator(place).first).to_be_hidden()
    expect(plain.locator("noscript p")).to_contain_text("turn JavaScript on")


@pytest.mark.parametrize("secure", [True, False])
def test_copy_magnet(site: Site, opened: Callable[..., Page], secure: bool) -> None:
    """Also where the page came by plain http, as from a bucket's own website: there is no clipboard API."""
    page = opened(site.url(), permissions=["clipboard-read", "clipboard-write"])
    if not secure:
        page.evaluate("Object.defineProperty(globalThis, 'isSecureContext', {value: false})")
    page.fill("#query", "episode 123.")
    expect(page.locator("#state")).to_have_text("1 torrent found")
    button = page.get_by_role("button", name="Copy magnet episode 123.mkv")
    button.click()
    expect(page.locator("#said")).to_have_text("Magnet link of episode 123.mkv copied")
    assert (
        page.evaluate("navigator.clipboard.readText()") == entries()["shows/season 1/episode 123.mkv"].magnet
    )
    assert page.locator("#said").get_attribute("aria-live") == "polite"


def test_everything_by_keyboard(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url(), permissions=["clipboard-read", "clipboard-write"])

    def focused() -> str:
        outline = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.outlineWidth })()"
        )
        assert outline == "solid3px"
        return str(page.evaluate("document.activeElement.textContent || document.activeElement.id"))

    page.keyboard.press("Tab")
    assert focused() == "Skip to the content"
    page.keyboard.press("/")
    assert focused() == "query"
    page.keyboard.type("episode 7/")
    page.keyboard.press("Escape")
    assert page.locator("#query").input_value() == ""
    page.keyboard.type("episode 699.")
    expect(page.locator("#state")).to_have_text("1 torrent found")
    stops = []
    for _ in range(8):
        page.keyboard.press("Tab")
        stops.append(focused())
    assert stops == ["Name", "Size", "Date", "episode 699.mkv", "Magnet", "Copy magnet", ".torrent", "Direct"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Magnet link of episode 699.mkv copied")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("episode 699.mkv")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_until_another_is_chosen(
    site: Site, opened: Callable[..., Page], scheme: str
) -> None:
    page = opened(site.url(), color_scheme=scheme)
    other = {"light": "dark", "dark": "light"}[scheme]

    def is_dark() -> bool:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return max(map(int, re.findall(r"\d+", colour)[:3])) < 100

    assert is_dark() == (scheme == "dark")
    page.get_by_role("button", name=f"{other} theme").click()
    assert is_dark() == (other == "dark")
    page.reload()
    assert is_dark() == (other == "dark")
    page.locator("#rows .name").first.click()
    page.wait_for_url("**/t/*.html")
    assert is_dark() == (other == "dark")


def test_375_pixels_are_enough(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url(), viewport={"width": 375, "height": 700}, has_touch=True)
    places = [
        site.url(),
        site.url("index.html?q=x"),
        *(site.url(f"t/{page_id(BUCKET, key)}.html") for key in HOSTILE),
    ]
    for url in places:
        page.goto(url)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, url
    page.goto(site.url())
    for button in page.locator("#rows tr").first.locator(".act").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 24


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (util/install-judges.sh)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("where", "width"),
    [("first", 375), ("searched", 1200), ("nothing", 375), ("hostile", 375), ("torrent", 1200)],
)
def test_axe_finds_no_fault(
    site: Site, opened: Callable[..., Page], scheme: str, width: int, where: str
) -> None:
    page = opened(site.url(), color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True)
    if where in ("hostile", "torrent"):
        key = "safe\u202egnp.exe" if where == "hostile" else "shows/season 1/episode 123.mkv"
        page.goto(site.url(f"t/{page_id(BUCKET, key)}.html"))
    elif where != "first":
        page.fill("#query", "e" if where == "searched" else "no such thing")
        expect(page.locator("#state")).to_contain_text("found")
    page.add_script_tag(path=AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    found = [(one["id"], one["help"], one["nodes"][0]["html"]) for one in result["violations"]]
    assert found == []


def test_hostile_names_are_text_everywhere(site: Site, opened: Callable[..., Page]) -> None:
    """``opened`` sees to it that no dialog opens, no script fails and nobody else is asked."""
    page = opened(site.url("index.html?sort=-date&q="))
    all_entries, shown = entries(), set()
    for start in (0, 100, 600, 700):
        page.goto(site.url(f"index.html?from={start}" if start else "index.html?sort=-date&q="))
        expect(page.locator("#state")).to_have_text(
            f"{start + 1} to {min(start + 100, ALL)} of {ALL} torrents"
        )
        shown |= set(names(page))
    for key in HOSTILE:
        entry = all_entries[key]
        assert seen(entry.name) in shown
        page.goto(site.url(f"t/{page_id(BUCKET, key)}.html"))
        assert page.get_by_role("heading", level=1).text_content() == seen(entry.name)
        assert page.title().startswith(seen(entry.name)[:20].strip())
        assert page.locator("code").first.text_content() == entry.v1
        for href in page.evaluate("[...document.links].map((a) => a.getAttribute('href'))"):
            assert re.match(r"https://|magnet:\?|\.\./|#main$", href)
    assert page.locator("body script").count() == 0


def test_a_query_is_text(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url("index.html?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%3Cb%3E"))
    expect(page.locator("#state")).to_have_text("Nothing found for “<img src=x onerror=alert(1)><b>”")


def test_an_old_address_leads_to_the_last_page_there_is(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url("index.html?q=episode&from=999900"))
    expect(page.locator("#state")).to_have_text("601 to 700 of 700 torrents found")
    expect(page.locator("#where")).to_have_text("Page 7 of 7")
    assert len(names(page)) == 100


def test_an_order_that_there_is_none_of_keeps_the_search(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url("index.html?q=episode+699&sort=colour"))
    expect(page.locator("#state")).to_have_text("1 torrent found")
    expect(page.locator("th[data-sort=date]")).to_have_attribute("aria-sort", "descending")


def test_a_list_that_cannot_be_read_at_all_is_not_called_empty(
    site: Site, opened: Callable[..., Page]
) -> None:
    page = opened(site.url())
    page.route(re.compile(r"/d/"), lambda route: route.fulfill(status=404))
    page.fill("#query", "episode")
    expect(page.locator("#state")).to_have_text("The list could not be read; reload the page to try again")


def test_a_shard_that_cannot_be_read_is_told(site: Site, opened: Callable[..., Page]) -> None:
    page = opened(site.url())
    bad = json.dumps({"version": 1, "rows": 7})
    page.route(re.compile(r"/d/3\.json"), lambda route: route.fulfill(status=200, body=bad))
    page.fill("#query", "episode")
    expect(page.locator("#state")).to_contain_text("a part of the list could not be read")


def test_a_link_to_a_torrent_goes_beside_its_web_seed(site: Site, opened: Callable[..., Page]) -> None:
    key = "data/100% + é #1?.iso"
    page = opened(site.url(f"t/{page_id(BUCKET, key)}.html"))
    href = page.get_by_role("link", name="Download .torrent").get_attribute("href")
    assert href == "https://cdn.example.org/data/100%25%20%2B%20%C3%A9%20%231%3F.iso.torrent"
    assert shards.digits_for(ALL) == 1


def test_of_a_large_catalogue_nothing_is_fetched_before_somebody_searches(
    site: Site, opened: Callable[..., Page]
) -> None:
    site.sent.clear()
    page = opened(site.url())
    page.wait_for_load_state("networkidle")
    assert not [path for path in site.sent if path.startswith("d/")]
    assert sum(site.sent.values()) < 200_000
    page.locator("#query").focus()
    page.fill("#query", "699")
    expect(page.locator("#state")).to_have_text("1 torrent found")
    assert len([path for path in site.sent if path.startswith("d/")]) == 16
