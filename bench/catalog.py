"""How a catalogue of 100,000 torrents behaves: written, changed, opened, searched.

catalog.py [TORRENTS]
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402

from browser.conftest import Site  # noqa: E402
from s3torrent.catalog.folder import FolderTarget  # noqa: E402
from support.catalogs import Table, item, items, publisher  # noqa: E402

OPENED = 5
TYPED = ("episode 4242", "season 99", "s", "nothing like this", "mkv", "4 2 4 2")
READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
KEYSTROKE = """async (text) => {
    const query = document.getElementById('query');
    const before = Number(document.body.dataset.answered ?? 0);
    const begun = performance.now();
    query.value = text;
    query.dispatchEvent(new Event('input', {bubbles: true}));
    while (Number(document.body.dataset.answered ?? 0) <= before) await new Promise(requestAnimationFrame);
    return performance.now() - begun;
}"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    root = Path(tempfile.mkdtemp(prefix="catalog-"))
    try:
        measure(root, count)
    finally:
        shutil.rmtree(root)


def measure(root: Path, count: int) -> None:
    table = Table(items(count))
    row("torrents", f"{count:,}")
    row("written the first time", f"{timed(lambda: publisher(table, FolderTarget(root)).full()):.1f} s")
    row("looked at, nothing changed", f"{timed(lambda: publisher(table, FolderTarget(root)).full()):.2f} s")
    table.put(item("one more", count + 1))
    row("one more, by what changed", f"{timed(lambda: publisher(table, FolderTarget(root)).recent()):.3f} s")
    row("shards", f"{sum(path.stat().st_size for path in (root / 'd').iterdir()) / 1e6:.1f} MB")
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed"
    with Site(root) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            ready = []
            for _ in range(OPENED):
                site.sent.clear()
                context = browser.new_context()
                page = context.new_page()
                page.goto(site.url(), wait_until="networkidle")
                ready.append(float(page.evaluate(READY)))
                first = sum(site.sent.values())
                context.close()
            row("first view", f"{first:,} bytes in {len(site.sent)} files")
            row(
                "first view interactive",
                f"{statistics.median(ready):.0f} ms (median of {OPENED}), at most {max(ready):.0f}",
            )
            search(browser.new_page(), site)
        finally:
            browser.close()


def search(page: Page, site: Site) -> None:
    page.goto(site.url(), wait_until="networkidle")
    begun = time.perf_counter()
    page.focus("#query")
    page.fill("#query", "episode 4242")
    expect(page.locator("#state")).to_have_text(re.compile(r"^[0-9,]+ torrents? found$"), timeout=60_000)
    row("all shards read, first answer", f"{time.perf_counter() - begun:.2f} s")
    keystrokes = [
        float(page.evaluate(KEYSTROKE, text[:end])) for text in TYPED for end in range(1, len(text) + 1)
    ]
    row(
        "a keystroke",
        f"{statistics.median(keystrokes):.0f} ms (of {len(keystrokes)}), at most {max(keystrokes):.0f}",
    )
    for head in ("Name", "Size"):
        page.get_by_role("button", name=head, exact=True).click()
        page.evaluate(KEYSTROKE, f"mkv {head}")
        row(f"a keystroke, sorted by {head.lower()}", f"{float(page.evaluate(KEYSTROKE, 'mkv')):.0f} ms")


def timed(work: object) -> float:
    begun = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - begun


def row(name: str, value: str) -> None:
    print(f"{name:32} {value}", flush=True)


if __name__ == "__main__":
    main()
