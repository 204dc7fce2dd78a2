"""Real clients, each told to fetch a torrent from its web seeds alone: no tracker, no peer, no DHT."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import libtorrent as lt
import pytest

from s3torrent.devstack.recheck import OFFLINE

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30
ARIA2 = [
    "aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
    "--enable-peer-exchange=false", "--interface=127.0.0.1", "--seed-time=0", "--bt-stop-timeout=30",
    "--file-allocation=none",
]  # fmt: skip


def by_aria2(torrent: bytes, folder: Path) -> None:
    file = folder.with_suffix(".torrent")
    file.write_bytes(torrent)
    done = subprocess.run(
        [*ARIA2, f"--dir={folder}", file],
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LANG": "C.UTF-8"},  # no proxy
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def by_libtorrent(torrent: bytes, folder: Path, *, some_seeds_fail: bool = False) -> None:
    parameters = lt.load_torrent_buffer(torrent)
    parameters.save_path = str(folder)
    assert (parameters.trackers, parameters.peers) == ([], [])
    # On loopback libtorrent suspects web seeds of being an attack on local services.
    settings: Any = OFFLINE | {"ssrf_mitigation": False, "alert_mask": lt.alert.category_t.all_categories}
    session = lt.session(settings)
    handle = session.add_torrent(parameters)
    said: list[str] = []
    deadline = time.monotonic() + SECONDS
    while not handle.status().is_seeding:
        session.wait_for_alert(100)
        for alert in session.pop_alerts():
            said.append(str(alert))
            assert not isinstance(alert, lt.hash_failed_alert), str(alert)
            assert some_seeds_fail or not isinstance(alert, lt.url_seed_alert), str(alert)
        assert time.monotonic() < deadline, "\n".join(said[-30:])
    handle.flush_cache()
    session.remove_torrent(handle)
    while not any(isinstance(alert, lt.torrent_removed_alert) for alert in session.pop_alerts()):
        session.wait_for_alert(100)
        assert time.monotonic() < deadline, "libtorrent did not let the torrent go"


needs_aria2 = pytest.mark.skipif(not shutil.which("aria2c"), reason="aria2c is not installed (apt: aria2)")
CLIENTS = [
    pytest.param(by_aria2, id="aria2", marks=needs_aria2),
    pytest.param(by_libtorrent, id="libtorrent"),
]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
