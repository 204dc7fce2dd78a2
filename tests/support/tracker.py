"""A tracker on loopback (BEP 3, 23): whoever announces is told of all others."""

from __future__ import annotations

import threading
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

from s3torrent.metainfo import bencode
from support.loopback import Handler, Loopback


class _Announce(Handler):
    owner: Tracker

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query, encoding="latin-1")
        info_hash = asked["info_hash"][0].encode("latin-1")
        body = self.owner.announced(info_hash, int(asked["port"][0]))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Tracker(Loopback):
    """``with Tracker() as tracker: tracker.url``; ``peers``: info-hash -> ports on this machine."""

    def __init__(self) -> None:
        super().__init__(_Announce)
        self.peers: dict[bytes, set[int]] = defaultdict(set)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"{self.endpoint}/announce"

    def announced(self, info_hash: bytes, port: int) -> bytes:
        with self._lock:
            self.peers[info_hash].add(port)
            others = sorted(self.peers[info_hash] - {port})
        compact = b"".join(bytes((127, 0, 0, 1)) + other.to_bytes(2, "big") for other in others)
        return bencode.encode({b"interval": 1, b"min interval": 1, b"peers": compact})
