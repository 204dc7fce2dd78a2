"""The page and its data over HTTP: on loopback, to be read only, for no other site.

A page of another site may send requests here, and a name that was bent to 127.0.0.1 makes it look like ours:
so only requests to a loopback address are answered, and no other origin may read an answer.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from s3torrent.errors import S3TorrentError, UsageError
from s3torrent.live.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.status.base import StatusStore

HOST = "127.0.0.1"
ASSETS = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/live.css": ("live.css", "text/css; charset=utf-8"),
    "/live.js": ("live.js", "text/javascript; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@contextmanager
def live(table: StatusStore, port: int = 0, limit: int = 100) -> Iterator[str]:
    """Serves as long as the block runs; yields its URL. Raises UsageError where the port is taken."""
    handler = type("Handler", (_Handler,), {"view": View(table, limit)})
    try:
        server = _Server((HOST, port), handler)
    except OSError as error:
        raise UsageError(f"port {port} of {HOST}: {error.strerror}", hint="name another --port") from None
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def serve(table: StatusStore, port: int, limit: int, *, say: Callable[[str], object]) -> None:
    """Until SIGINT or SIGTERM."""
    ended = threading.Event()
    before = [(one, signal.signal(one, lambda *_: ended.set())) for one in (signal.SIGINT, signal.SIGTERM)]
    try:
        with live(table, port, limit) as url:
            say(f"{url} shows the table; Ctrl-C ends it")
            ended.wait()
    finally:
        for number, handler in before:
            signal.signal(number, handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A browser that goes in the midst of an answer is no news; of anything else one line is."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError) and sys.stderr:
            told = " ".join(f"{type(error).__name__}: {error}".split())
            sys.stderr.write(f"error: the page could not be served: {told}\n")


class _Handler(BaseHTTPRequestHandler):
    view: View
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "s3torrent", ""

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0]
        path = self.path.partition("?")[0]
        if host not in (HOST, "localhost"):
            self._answer(403, b"only for this machine\n", "text/plain")
        elif path == "/jobs.json":
            self._jobs()
        elif path in ASSETS:
            name, kind = ASSETS[path]
            self._answer(200, files("s3torrent.live").joinpath(name).read_bytes(), kind)
        else:
            self._answer(404, b"no such page\n", "text/plain")

    def _jobs(self) -> None:
        try:
            told: Any = {**self.view.jobs(), "error": None}
        except S3TorrentError as error:
            told = {"jobs": [], "error": f"{error.message} {error.hint or ''}".strip()}
        self._answer(200, json.dumps(told).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        sent = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the terminal is for the operator."""
