"""The page of jobs as an operator sees it, in Chromium, over a table that moves."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from browser.conftest import AXE
from s3torrent.live.server import live
from s3torrent.live.view import WIDE, WIDE_SECONDS, View
from s3torrent.status.base import COMPLETED, CREATING_TORRENT, FAILED, SKIPPED, StatusItem
from support.catalogs import HOSTILE, Table, item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

DENIED = {"reason": "s3:PutObject is denied", "error": {"hint": "allow the named action <b>"}}


def working(number: int, share: float) -> StatusItem:
    return item("at work.mkv", number, status=CREATING_TORRENT, size=1000, bytesHashed=int(1000 * share))


@pytest.fixture
def table() -> Table:
    """One in work, one failed, and after them more that are done than a page shows."""
    ended = [
        item("failed.mkv", 1, status=FAILED, **DENIED),
        item("empty", 2, status=SKIPPED, reason="no content"),
    ]
    return Table([working(0, 0.25), *ended, *(item(f"done {number}", 10 + number) for number in range(150))])


@pytest.fixture
def url(table: Table) -> Iterator[str]:
    with live(table) as served:  # type: ignore[arg-type] # all that the page asks
        yield served


def jobs(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}jobs.json", timeout=10) as answer:
        told: dict[str, Any] = json.loads(answer.read())
        return told


def test_what_is_in_work_or_failed_is_shown_however_much_was_done_since(
    url: str, opened: Callable[..., Page]
) -> None:
    page = opened(url)
    expect(page.locator("#count")).to_have_text("1 in progress, 1 failed")
    first = page.locator("#jobs li").first
    expect(first.locator(".name")).to_have_text("s3://films/at work.mkv")
    expect(first.locator(".state")).to_have_text("CREATING_TORRENT 25 %")
    assert first.locator("progress").evaluate("(bar) => bar.value") == 0.25
    assert first.locator("progress").get_attribute("aria-label") == "hashed of s3://films/at work.mkv"
    expect(page.locator("#jobs li")).to_have_count(102)
    page.get_by_label("Show").select_option("failed")
    expect(page.locator("#jobs li")).to_have_count(1)
    assert page.locator("#jobs .more").all_text_contents()[1:] == [
        "Why: s3:PutObject is denied",
        "Mend: allow the named action <b>",
    ]
    page.reload()
    expect(page.locator("#jobs li")).to_have_count(1)
    page.get_by_label("Show").select_option("in progress")
    expect(page.locator("#jobs li .name")).to_have_text("s3://films/at work.mkv")


def test_it_moves_and_what_did_not_change_stays_as_it_is(
    url: str, table: Table, opened: Callable[..., Page]
) -> None:
    """So that a line can be selected, and a screen reader keeps its place."""
    page = opened(url)
    page.locator("#jobs li").nth(5).evaluate(
        "(row) => { globalThis.kept = row; getSelection().selectAllChildren(row); }"
    )
    selected = page.evaluate("String(getSelection())")
    assert "done" in selected
    table.put(working(500, 0.5))
    expect(page.locator("#jobs .state").first).to_have_text("CREATING_TORRENT 50 %")
    table.put(item("at work.mkv", 501))
    expect(page.locator("#count")).to_have_text("0 in progress, 1 failed")
    expect(page.locator("#jobs .state").first).to_have_text(COMPLETED)
    assert page.evaluate("globalThis.kept.isConnected")
    assert page.evaluate("String(getSelection())") == selected


def test_hostile_names_are_text(opened: Callable[..., Page]) -> None:
    """``opened`` sees to it that no script fails and nobody else is asked."""
    table = Table([item(key, number, status=FAILED, reason=key) for number, key in enumerate(HOSTILE)])
    with live(table) as url:  # type: ignore[arg-type] # all that the page asks
        page = opened(url)
        expect(page.locator("#jobs li")).to_have_count(len(HOSTILE))
        shown = page.locator("#jobs .name").all_text_contents()
        assert "s3://films/<script src=x>" in shown
        assert any("\\u{202e}" in name for name in shown)
        assert not page.locator("#jobs script, #jobs img, #jobs b").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1080])
def test_on_a_phone_in_the_dark_and_for_screen_readers(
    url: str, opened: Callable[..., Page], width: int, scheme: str
) -> None:
    page = opened(url, viewport={"width": width, "height": 700}, color_scheme=scheme, bypass_csp=True)
    expect(page.locator("#jobs li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (util/install-judges.sh)")
    page.add_script_tag(path=AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], one["nodes"][0]["html"]) for one in result["violations"]] == []


def test_an_empty_table_and_an_end_are_told(browser: Browser) -> None:
    """``opened`` would not do: the browser itself tells of a connection that is refused."""
    page = browser.new_page()
    with live(Table()) as url:  # type: ignore[arg-type] # as above
        page.goto(url)
        expect(page.locator("#count")).to_have_text("Nothing has happened yet")
        page.route("**/jobs.json", lambda route: route.abort())
        expect(page.locator("#error")).to_have_text(re.compile("has ended"))
    page.close()


def test_it_says_among_how_many_it_looked_and_looks_through_them_now_and_then(table: Table) -> None:
    now = 0.0
    view = View(table, 100, lambda: now)  # type: ignore[arg-type] # as above
    assert (view.jobs()["looked"], view.jobs()["failed"]) == (None, 1)
    table.put(*(item(f"more {number}", 200 + number) for number in range(WIDE)))
    now = WIDE_SECONDS
    told = view.jobs()
    assert (told["looked"], told["failed"], len(told["jobs"])) == (WIDE, 0, 100)


def test_its_data_tell_nothing_that_it_does_not_show(url: str) -> None:
    told = jobs(url)
    assert told["error"] is None
    assert set(told["jobs"][0]) == {
        *("id", "status", "inWork", "share", "size", "updatedAt", "infoHash", "reason", "hint")
    }
