"""An HTTP proxy on loopback before MiniStack. Each request says in its own headers what is to go wrong with it.

So the proxy needs no plan, and whoever sends the requests decides, one at a time. It also lets S3 live in the
sender's time: ``Last-Modified`` is when the sender says that it wrote, as MiniStack knows only its own clock.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBER, FAULT, NOW = "x-test-number", "x-test-fault", "x-test-now"
"""Headers: the request's number; the fault, none where it is empty; the sender's time, in seconds since 1970."""

LOST, UNANSWERED, CUT, BROKEN_OFF, LATE = "lost", "unanswered", "cut", "broken off", "late"
"""Reset before the request goes on; reset instead of an answer; an answer that ends too soon, by FIN or by RST in
mid-body; one that comes later. Anything else is an error in place of an answer: ``503 SlowDown``.
"""
LATE_SECONDS = 0.02
_OURS = {NUMBER, FAULT, NOW, "expect", "connection"}
_HOP_BY_HOP = {"transfer-encoding", "connection", "content-length"}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class FaultProxy(Loopback):
    """``with FaultProxy(stack.endpoint) as proxy: ... proxy.endpoint``."""

    def __init__(self, upstream: str) -> None:
        super().__init__(_Handler)
        self.upstream = urlsplit(upstream)
        self._statuses: dict[str, int] = {}
        self._completed: set[str] = set()
        self._written: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def arrived(self, number: int) -> bool:
        """Whether what was asked by that number was done, whatever became of the answer. Asked once."""
        with self._lock:
            return 200 <= self._statuses.pop(str(number), 0) < 300

    def came_back(self, method: str, path: str, sent: Mapping[str, str], answer: _Answer) -> _Answer:
        """The answer, in the sender's time."""
        told = {name.lower(): value for name, value in answer.headers}
        key, _, query = path.partition("?")
        version = key, told.get("x-amz-version-id", "")
        completed = method == "POST" and "uploadId=" in query
        with self._lock:
            # Completed once more, an upload is answered as it was before, and nothing is written.
            again, status = completed and path in self._completed, answer.status
            self._statuses[sent.get(NUMBER, "")] = 0 if again else status
            if completed and status == 200:
                self._completed.add(path)
            if status == 200 and not again and (completed or (method == "PUT" and "uploadId=" not in query)):
                self._written[version] = int(sent.get(NOW, "0"))
            written = self._written.get(version)
        if written is None or "last-modified" not in told:
            return answer
        others = [(name, value) for name, value in answer.headers if name.lower() != "last-modified"]
        return _Answer(
            answer.status, [*others, ("Last-Modified", formatdate(written, usegmt=True))], answer.body
        )


class _Handler(Handler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _upstream: http.client.HTTPConnection | None = None

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.headers.get(FAULT, "")
        if fault[:1].isdigit():
            self._send(self._error(fault))
        elif fault == LOST:
            self._reset()
        else:
            self._pass_on(body, fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 (the names http.server looks for)

    def _pass_on(self, body: bytes, fault: str) -> None:
        answer = self.owner.came_back(self.command, self.path, self.headers, self._asked(body))
        if fault == LATE:
            time.sleep(LATE_SECONDS)
        if fault == UNANSWERED:
            self._reset()
        elif fault in {CUT, BROKEN_OFF}:
            self._send(answer, most=len(answer.body) // 2)
            self._reset() if fault == BROKEN_OFF else None
            self.close_connection = True
        else:
            self._send(answer)

    def _asked(self, body: bytes) -> _Answer:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OURS}
        connection = self._connection()
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        return _Answer(answer.status, answer.getheaders(), content)

    def _connection(self) -> http.client.HTTPConnection:
        """The one of before, where the server has not closed it."""
        kept = self._upstream
        if kept and kept.sock and not select.select([kept.sock], [], [], 0)[0]:
            return kept
        if kept:
            kept.close()
        to = self.owner.upstream
        self._upstream = http.client.HTTPConnection(str(to.hostname), to.port, timeout=60)
        return self._upstream

    def _send(self, answer: _Answer, most: int | None = None) -> None:
        self.send_response_only(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if self.command == "HEAD" and name.lower() == "content-length":
                length = value
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:most])

    def _error(self, fault: str) -> _Answer:
        """``STATUS CODE``, as S3 says it, or as DynamoDB does."""
        status, _, code = fault.partition(" ")
        if "x-amz-target" in self.headers:
            told = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "on purpose"})
            return _Answer(int(status), [("Content-Type", "application/x-amz-json-1.0")], told.encode())
        told = f"<Error><Code>{code}</Code><Message>on purpose</Message></Error>"
        return _Answer(
            int(status),
            [("Content-Type", "application/xml")],
            b"" if self.command == "HEAD" else told.encode(),
        )

    def _reset(self) -> None:
        """By RST: what was sent before it has arrived, as loopback keeps the order."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError):  # the client went first; or the connection was reset by us
            return
        finally:
            if self._upstream:
                self._upstream.close()
