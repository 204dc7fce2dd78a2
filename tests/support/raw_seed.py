"""A server on loopback that answers every request with the bytes it is given, at once or a few at a time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

PAUSE = 0.05
MOST_DRIPS = 600
"""Then it gives up (half a minute): who is still there has waited for all of it."""


class RawSeed:
    """``with RawSeed(head, drips=body) as seed``: each request gets ``head`` in one piece, then ``drips`` a
    byte at a time, over and over; without ``drips`` the connection ends. ``dripped`` counts the bytes.
    """

    def __init__(self, head: bytes, drips: bytes = b"", certificate: Path | None = None) -> None:
        self.head, self._drips = head, drips
        self.dripped = 0
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}/a"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._socket.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                connection, _ = self._socket.accept()
                thread = threading.Thread(target=self._answer, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _answer(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            plain.settimeout(10)
            if self._context is None:
                return self._serve(plain)
            with self._context.wrap_socket(plain, server_side=True) as secret:
                return self._serve(secret)

    def _serve(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(4096)
            if not more:
                return
            request += more
        connection.sendall(self.head)
        while self._drips and self.dripped < MOST_DRIPS and not self._ended.wait(PAUSE):
            place = self.dripped % len(self._drips)
            connection.sendall(self._drips[place : place + 1])
            self.dripped += 1
