"""A second opinion: libtorrent hashes the content and compares it with the torrent, without any network."""

from __future__ import annotations

import contextlib
import locale
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from s3torrent.errors import Mismatch, StackError

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30.0
OFFLINE = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "listen_interfaces": "127.0.0.1:0",
}


def require_libtorrent() -> None:
    if find_spec("libtorrent") is None:
        raise StackError(
            "libtorrent is not installed; it checks the demo's torrent", hint="pip install libtorrent"
        )


def recheck(torrent: bytes, folder: Path) -> int:
    """Check ``folder``/NAME against the torrent; the number of its pieces. Raises Mismatch if one is bad."""
    import libtorrent as lt  # noqa: PLC0415 - the demo alone needs it

    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")  # libtorrent turns names into what the locale can say

    parameters = lt.load_torrent_buffer(torrent)
    parameters.save_path = str(folder)
    parameters.url_seeds = []  # or it would quietly repair from the web seed what it is to judge
    parameters.trackers = []
    settings: Any = OFFLINE | {"alert_mask": lt.alert.category_t.status_notification}
    session = lt.session(settings)
    info: Any = parameters.ti
    handle = session.add_torrent(parameters)
    deadline = time.monotonic() + SECONDS
    while not any(isinstance(alert, lt.torrent_checked_alert) for alert in session.pop_alerts()):
        if time.monotonic() > deadline:
            raise StackError(f"libtorrent did not finish checking within {SECONDS:g} s")
        session.wait_for_alert(200)
    good = handle.status().num_pieces
    if good != info.num_pieces():
        raise Mismatch(f"libtorrent finds {good} of {info.num_pieces()} pieces of {info.name()} good")
    return int(good)
