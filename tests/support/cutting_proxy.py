"""A TCP proxy on loopback that cuts connections in the middle of what a client sends, whatever it speaks."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK = 1 << 16


class CuttingProxy:
    """``with CuttingProxy(stack.endpoint, cuts=[3_000_000]) as proxy: ... proxy.endpoint``.

    When the clients together have sent so many bytes, the connection that sent the last of them is reset. ``down``
    further connections after each cut are refused by a reset, too. ``struck`` counts the cuts.
    """

    def __init__(self, upstream: str, cuts: Sequence[int], down: int = 0) -> None:
        self._upstream = (str(urlsplit(upstream).hostname), int(urlsplit(upstream).port or 80))
        self._cuts, self._down = sorted(cuts), down
        self._refuse = 0
        self._sent = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.struck = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.1)
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                with self._lock:
                    refused, self._refuse = self._refuse > 0, max(0, self._refuse - 1)
                if refused:
                    _reset(client)
                    continue
                server = socket.create_connection(self._upstream)
                for source, target, counted in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pass_on, args=(source, target), kwargs={"counted": counted}, daemon=True
                    ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, *, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if counted and self._due(len(data)):
                    _reset(source)
                    _reset(target)
                    return
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _due(self, count: int) -> bool:
        with self._lock:
            self._sent += count
            if not self._cuts or self._sent < self._cuts[0]:
                return False
            self._cuts.pop(0)
            self._refuse += self._down
            self.struck += 1
            return True


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
