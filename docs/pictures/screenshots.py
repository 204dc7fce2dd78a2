"""What people see of the catalogue and of the jobs, by Debian's Chromium. Names and contents are made up here."""

from __future__ import annotations

import hashlib
import shutil
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from s3torrent.catalog.folder import FolderTarget  # noqa: E402
from s3torrent.catalog.links import Links  # noqa: E402
from s3torrent.catalog.publish import Publisher  # noqa: E402
from s3torrent.catalog.render import Renderer  # noqa: E402
from s3torrent.catalog.source import Source  # noqa: E402
from s3torrent.errors import AccessDenied, EmptyContent, described  # noqa: E402
from s3torrent.live.server import live  # noqa: E402
from s3torrent.status.base import StatusItem  # noqa: E402
from s3torrent.status.timestamp import to_text  # noqa: E402
from s3torrent.store.memory import MemoryStore  # noqa: E402
from support.catalogs import Table, item  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BUCKET = "recordings"
TALKS = (
    "Opening", "A file system in a bucket", "Hashing as it streams", "Queues that forget nothing",
    "Merkle trees for the impatient", "What a web seed owes you", "Ten years of one archive", "Closing",
)  # fmt: skip
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
PIECE = 1 << 20
WIDE, PHONE = {"width": 1080, "height": 680}, {"width": 375, "height": 700}


def screenshots(images: Path, scratch: Path) -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        raise SystemExit("chromium is not installed (Debian: chromium)")
    _catalogue(scratch)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(scratch)))
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        with sync_playwright() as playwright, live(Jobs()) as jobs:  # type: ignore[arg-type] # all the page asks
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            try:
                _take(browser, f"http://127.0.0.1:{server.server_port}/", jobs, images)
            finally:
                browser.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _take(browser: Browser, site: str, jobs: str, images: Path) -> None:
    page = browser.new_page(viewport=WIDE, color_scheme="light")
    page.goto(site, wait_until="networkidle")
    page.screenshot(path=images / "catalog.png")
    page.get_by_role("link", name="Hashing as it streams").first.click()
    page.screenshot(path=images / "torrent.png")
    page = browser.new_page(viewport=WIDE, color_scheme="dark")
    page.goto(f"{site}?q=merkle&sort=name", wait_until="networkidle")
    page.locator("#state", has_text="found").wait_for()
    page.screenshot(path=images / "catalog-dark.png")
    page = browser.new_page(viewport=PHONE, color_scheme="light")
    page.goto(site, wait_until="networkidle")
    page.screenshot(path=images / "catalog-phone.png")
    page = browser.new_page(viewport=WIDE, color_scheme="light")
    page.goto(jobs, wait_until="load")
    page.locator("#jobs li").first.wait_for()
    page.screenshot(path=images / "jobs.png")


def _catalogue(folder: Path) -> None:
    found = []
    for year in range(2019, 2027):
        for number, talk in enumerate(TALKS):
            at = to_text(datetime(year, 10, 3, 9, tzinfo=UTC) + timedelta(minutes=40 * number))
            size = (700 + 97 * ((year * 7 + number * 13) % 31)) * 1_048_576
            key = f"conference/{year}/{number + 1:02d} {talk}.mkv"
            pieces = -(-size // PIECE)
            told = {"pieceLength": PIECE, "pieceCount": pieces, "torrentSize": 20 * pieces + 400}
            found.append(item(key, year, bucket=BUCKET, size=size, completedAt=at, updatedAt=at, **told))
    source = Source(BUCKET, "", Table(found), MemoryStore())  # type: ignore[arg-type] # all that is asked of a table
    links = Links(BUCKET, "https://cdn.example.org/{key}", "", "https://torrents.example.org/")
    Publisher(source, Renderer("Conference recordings", links), FolderTarget(folder)).full()


class Jobs:
    """Status items in each state."""

    def list(self, *, status: str | None = None, limit: int = 100) -> list[StatusItem]:  # noqa: ARG002 - as a store's
        def job(key: str, minutes: int, state: str, **more: object) -> StatusItem:
            at = to_text(NOW - timedelta(minutes=minutes))
            return StatusItem(
                f"s3://{BUCKET}/conference/2026/{key}", {"status": state, "updatedAt": at, **more}
            )

        denied = AccessDenied(
            f"s3:PutObject on s3://{BUCKET}/conference/2026/08 Closing.mkv.torrent is denied"
        )
        failed = {"reason": denied.message, "error": described(denied)}
        empty = EmptyContent("'empty.txt' is empty (0 bytes); a torrent needs at least 1 byte")
        return [
            job("07 Ten years of one archive.mkv", 0, "CREATING_TORRENT", size=6_442_450_944, bytesHashed=4_187_593_113),
            job("06 What a web seed owes you.mkv", 0, "CREATING_TORRENT", size=3_221_225_472, bytesHashed=322_122_547),
            job("05 Merkle trees for the impatient.mkv", 1, "PENDING", size=2_147_483_648),
            job("08 Closing.mkv", 2, "FAILED", size=734_003_200, **failed),
            job("empty.txt", 3, "SKIPPED", size=0, reason=empty.message),
            *(
                job(f"0{number + 1} {TALKS[number]}.mkv", 4 + number, "COMPLETED", size=1_073_741_824 + number, infoHashV1=hashlib.sha1(TALKS[number].encode(), usedforsecurity=False).hexdigest())
                for number in range(4)
            ),
        ]  # fmt: skip


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
