"""Sockets whose every wait ends at one deadline, however little comes at a time.

A timeout of a socket is for each piece that arrives: a byte now and then keeps it waiting for ever. So each
waits no longer than what is left.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Left = Callable[[], float]
    """Seconds until the deadline, 0 or less past it."""

MOST_FOR_NAME = 10.0
"""Seconds that looking up a name may take; the system's own limit is more, and cannot be set."""
MOST_FOR_ADDRESS = 10.0
"""Seconds for a connection to one of the addresses of a name."""


def connected(host: str, port: int, left: Left) -> socket.socket:
    """To the first address of ``host`` that answers. Raises OSError, UnicodeError for what is no name."""
    last: OSError = OSError(f"{host} has no address")
    for address in _addresses(host, port, min(MOST_FOR_NAME, _some(left))):
        try:
            made = socket.create_connection((address, port), timeout=min(MOST_FOR_ADDRESS, _some(left)))
        except OSError as error:
            last = error
            continue
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        timed: socket.socket = _class(socket.socket, left)(fileno=made.detach())
        timed.settimeout(_some(left))
        return timed
    raise last


def tls_context(left: Left) -> ssl.SSLContext:
    """The system's, whose sockets end at the deadline, too. A handshake ends with the timeout of its socket,
    as a whole.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = _class(ssl.SSLSocket, left)
    return context


def _class(base: Any, left: Left) -> Any:
    class Timed(base):  # type: ignore[misc]
        def recv(self, *arguments: Any) -> bytes:
            self.settimeout(_some(left))
            received: bytes = super().recv(*arguments)
            return received

        def recv_into(self, *arguments: Any) -> int:
            self.settimeout(_some(left))
            length: int = super().recv_into(*arguments)
            return length

    return Timed


def _some(left: Left) -> float:
    """What is left, which 0 would not be: a socket takes that for "do not wait"."""
    seconds = left()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """Looked up on a thread of its own: nothing ends the system's resolver but itself."""
    told: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            told.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            told.put(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        answer = told.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"the name {host} was not resolved in {seconds:.0f} s") from None
    thread.join()
    if isinstance(answer, Exception):
        raise answer
    return answer
