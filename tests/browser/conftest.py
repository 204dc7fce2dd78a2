"""Catalogues on loopback, and Debian's Chromium to look at them."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright

from s3torrent.catalog.folder import FolderTarget
from s3torrent.catalog.target import kind_of
from support.catalogs import HOSTILE, Table, items, publisher
from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from s3torrent.status.base import StatusItem

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).resolve().parents[2] / ".judges/node_modules/axe-core/axe.min.js"


class _Files(Handler):
    protocol_version = "HTTP/1.1"  # S3 keeps connections open, too
    disable_nagle_algorithm = True
    owner: Site

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        file = self.owner.root / path
        if not file.is_file() or self.owner.root not in file.resolve().parents:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = file.read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind_of(path)[0])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.owner.sent[path] = len(body)


class Site(Loopback):
    """A folder as a web site; ``sent``: the bytes of each file that somebody asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(_Files)
        self.root = root.resolve()
        self.sent: dict[str, int] = {}

    def url(self, path: str = "index.html") -> str:
        return f"{self.endpoint}/{path}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("chromium is not installed (apt: chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def serving(root: Path, found: list[StatusItem]) -> Iterator[Site]:
    publisher(Table(found), FolderTarget(root)).full()
    with Site(root) as site:
        yield site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """700 torrents in 16 shards, and names that want to be more than names."""
    with serving(tmp_path_factory.mktemp("site"), items(700, *HOSTILE)) as started:
        yield started


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a fresh context (its options are Playwright's). At the end no page may have shown a
    dialog, raised an error, been refused by its policy, or asked another host for anything.
    """
    contexts, said = [], []

    def open_page(url: str, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("console", lambda told: said.append(told.text) if told.type in ("error", "warning") else None)
        host = urlsplit(url).netloc
        page.on(
            "request", lambda asked: said.append(asked.url) if urlsplit(asked.url).netloc != host else None
        )
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
