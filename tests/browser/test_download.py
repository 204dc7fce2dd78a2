"""From the page to the content: real clients begin with the magnet link that the page copies."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import libtorrent as lt
import pytest
from playwright.sync_api import expect

from browser.conftest import Site
from s3torrent.devstack.recheck import OFFLINE
from support.clients import ARIA2, needs_aria2
from support.command import s3torrent
from support.reference import content
from support.tracker import Tracker
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from support.ministack import MiniStack

pytestmark = pytest.mark.stack

KEY = "shows/é + 100%.bin"
NAME = "é + 100%.bin"
BODY = content(700_001)
SECONDS = 60
SETTINGS: Any = OFFLINE | {"ssrf_mitigation": False, "allow_multiple_connections_per_ip": True}


@pytest.fixture
def magnet(
    ministack: MiniStack,
    bucket: str,
    table_name: str,
    tmp_path: Path,
    opened: Callable[..., Page],
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """As the page copies it. One peer, known to the tracker, has the torrent's info dict; the content has nobody but the
    web seed. ``fed``: the peer fetches it from there.
    """
    file = tmp_path / NAME
    file.write_bytes(BODY)
    with Tracker() as tracker:
        seeds = f"{ministack.endpoint}/{{bucket}}/{{key}}"
        env = {"DDB_TABLE": table_name, "TRACKERS": tracker.url, "TORRENT_WEB_SEEDS": seeds}
        done = s3torrent("put", file, f"s3://{bucket}/{KEY}", endpoint=ministack.endpoint, env=env)
        assert done.code == 0, done.stderr
        out = tmp_path / "site"
        done = s3torrent(
            "catalog", "build", out, "--from", f"s3://{bucket}", endpoint=ministack.endpoint, env=env
        )
        assert done.code == 0, done.stderr
        with Site(out) as site:
            page = opened(site.url(), permissions=["clipboard-read", "clipboard-write"])
            page.get_by_role("button", name=f"Copy magnet {NAME}").click()
            expect(page.locator("#said")).to_contain_text("copied")
            link = page.evaluate("navigator.clipboard.readText()")
            torrent = page.get_by_role("link", name=f".torrent {NAME}").get_attribute("href")
        assert torrent == f"{ministack.endpoint}/{bucket}/shows/%C3%A9%20%2B%20100%25.bin.torrent"
        body = ministack.client("s3").get_object(Bucket=bucket, Key=f"{KEY}.torrent")["Body"].read()
        peer = lt.session(SETTINGS | {"listen_interfaces": "127.0.0.1:0"})
        parameters = lt.load_torrent_buffer(body)
        parameters.save_path = str(tmp_path / "empty")
        if request.param != "fed":
            parameters.url_seeds = []
        handle = peer.add_torrent(parameters)
        until(lambda: tracker.peers, "the peer announced itself")
        yield link
        peer.remove_torrent(handle)


@needs_aria2
@pytest.mark.parametrize("magnet", ["fed"], indirect=True)
def test_aria2_downloads_from_the_pages_magnet(magnet: str, tmp_path: Path) -> None:
    """aria2 reads no web seeds from magnet links: it has the content from the peer, which had it from there."""
    folder = tmp_path / "aria2"
    arguments = [argument for argument in ARIA2 if not argument.startswith("--bt-stop-timeout")]
    done = subprocess.run(
        [*arguments, "--bt-stop-timeout=60", f"--dir={folder}", magnet],
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert hashlib.sha256((folder / NAME).read_bytes()).digest() == hashlib.sha256(BODY).digest()


@pytest.mark.parametrize("magnet", ["empty"], indirect=True)
def test_libtorrent_downloads_from_the_pages_magnet(magnet: str, tmp_path: Path) -> None:
    folder = tmp_path / "libtorrent"
    folder.mkdir()
    parameters = lt.parse_magnet_uri(magnet)
    parameters.save_path = str(folder)
    session = lt.session(SETTINGS | {"listen_interfaces": "127.0.0.1:0"})
    handle = session.add_torrent(parameters)
    deadline = time.monotonic() + SECONDS
    while not handle.status().is_seeding:
        session.wait_for_alert(100)
        said = [str(alert) for alert in session.pop_alerts()]
        assert time.monotonic() < deadline, said[-20:]
    handle.flush_cache()
    session.remove_torrent(handle)
    until(lambda: (folder / NAME).read_bytes() == BODY, "the content was written")
