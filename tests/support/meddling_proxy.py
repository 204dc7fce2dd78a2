"""An HTTP proxy on loopback before MiniStack, at which a test may do something between two requests."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable

HOP_BY_HOP = {"transfer-encoding", "connection", "content-length"}


@dataclass(frozen=True, slots=True)
class Moment:
    """Just before the ``number``-th request (from 1) of this method on the object ``path`` (``/BUCKET/KEY``)."""

    method: str
    path: str
    number: int


class MeddlingProxy(Loopback):
    """``with MeddlingProxy(stack.endpoint) as proxy: proxy.at(Moment("GET", "/b/k", 2), overwrite)``.

    What is done is done once, before the request goes on; other requests wait meanwhile.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(_Handler)
        self.upstream = urlsplit(upstream)
        self._plan: dict[Moment, Callable[[], object]] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self.passing = InFlight()

    def at(self, moment: Moment, does: Callable[[], object]) -> None:
        self._plan[moment] = does

    @property
    def pending(self) -> list[Moment]:
        """The moments that did not come."""
        return list(self._plan)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.passing.wait()

    def came(self, method: str, path: str) -> None:
        with self._lock:
            number = self._seen[method, path] = self._seen.get((method, path), 0) + 1
            does = self._plan.pop(Moment(method, path, number), None)
            if does:
                does()


class InFlight:
    """Requests that have come whole and are still to be answered: who leaves the proxy waits for them, so
    that none of a killed client arrives later.
    """

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait(self, seconds: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: not self._count, seconds), "a request never ended"


class _Handler(Handler):
    owner: MeddlingProxy
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # its client was killed
            self.close_connection = True
            return
        with self.owner.passing:
            self.passed_on(body)

    def passed_on(self, body: bytes) -> None:
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
