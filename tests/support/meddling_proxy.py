"""An HTTP proxy on loopback before MiniStack, at which a test may do something between two requests."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

HOP_BY_HOP = {"transfer-encoding", "connection", "content-length"}


@dataclass(frozen=True, slots=True)
class Moment:
    """Just before the ``number``-th request (from 1) of this method on the object ``path`` (``/BUCKET/KEY``)."""

    method: str
    path: str
    number: int


class MeddlingProxy:
    """``with MeddlingProxy(stack.endpoint) as proxy: proxy.at(Moment("GET", "/b/k", 2), overwrite)``.

    What is done is done once, before the request goes on; other requests wait meanwhile.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self._plan: dict[Moment, Callable[[], object]] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def at(self, moment: Moment, does: Callable[[], object]) -> None:
        self._plan[moment] = does

    @property
    def pending(self) -> list[Moment]:
        """The moments that did not come."""
        return list(self._plan)

    def __enter__(self) -> Self:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def came(self, method: str, path: str) -> None:
        with self._lock:
            number = self._seen[method, path] = self._seen.get((method, path), 0) + 1
            does = self._plan.pop(Moment(method, path, number), None)
            if does:
                does()


class _Handler(BaseHTTPRequestHandler):
    owner: MeddlingProxy
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.owner.came(self.command, unquote(self.path.partition("?")[0]))
        upstream = http.client.HTTPConnection(
            str(self.owner.upstream.hostname), self.owner.upstream.port, timeout=60
        )
        try:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        length = str(len(content)) if self.command != "HEAD" else answer.getheader("Content-Length", "0")
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 (the names http.server looks for)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            return  # the client went first, as a reader that gives up does

    def log_message(self, *_: object) -> None:
        """Say nothing."""
