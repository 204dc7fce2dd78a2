"""A server on loopback that lives as long as its ``with``: a free port, a thread for each connection."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Handler(BaseHTTPRequestHandler):
    """Says nothing to the terminal, and bears a client that goes first. ``owner`` is its server, as its class says."""

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            return  # the client was killed, or gave up, as some do on purpose

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Loopback:
    """``with Loopback(handler) as server: server.endpoint``."""

    def __init__(self, handler: type[Handler]) -> None:
        self._handler = handler

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        handler = type("Owned", (self._handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """New connections are refused; those that are open end with their clients."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
