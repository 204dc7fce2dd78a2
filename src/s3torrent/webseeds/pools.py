"""Connections to web seeds, each looked at when it is made, before anything is sent.

A name says nothing: its owner may lead it anywhere, and elsewhere at the next look. So the address itself is
looked at.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from s3torrent.webseeds.timed import connected, tls_context

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from s3torrent.webseeds.timed import Left


def is_inside(address: str) -> bool:
    """Whether only this machine or its own network is found there: loopback, private, link-local (with the
    metadata of clouds and Lambda's own interface), reserved. https://www.rfc-editor.org/rfc/rfc6890
    """
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return not found.is_global


class Pools:
    """``meet`` is told the address of each connection, and raises to have nothing sent there. Through a proxy
    it is not asked: the proxy decides. ``left``: until when each wait must end.
    """

    def __init__(self, meet: Callable[[str], None], left: Left) -> None:
        self._meet, self._left = meet, left
        self._made: dict[str, Any] = {}

    def of(self, url: str) -> Any:
        """urllib3's pool manager for it, by way of the proxy that the environment names."""
        parts = urlsplit(url)
        proxy = getproxies().get(parts.scheme, "") if not proxy_bypass(parts.hostname or "") else ""
        if proxy not in self._made:
            how: dict[str, Any] = {"ssl_context": tls_context(self._left), "maxsize": 2}
            made = urllib3.ProxyManager(proxy, **how) if proxy else urllib3.PoolManager(**how)
            made.pool_classes_by_scheme = _classes(_anybody if proxy else self._meet, self._left)
            self._made[proxy] = made
        return self._made[proxy]

    def close(self) -> None:
        for pool in self._made.values():
            pool.clear()


def _anybody(_address: str) -> None:
    """Met, and let pass."""


def _classes(meet: Callable[[str], None], left: Left) -> dict[str, Any]:
    """urllib3's, whose connections end in time and are met once they stand."""

    def made(connection: Any) -> socket.socket:
        try:
            return connected(connection._dns_host, connection.port, left)  # noqa: SLF001 - as urllib3's own does
        except OSError as error:
            told = f"Failed to establish a new connection: {error}"
            raise NewConnectionError(connection, told) from error

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return made(self)

        def connect(self) -> None:
            super().connect()
            meet(self.sock.getpeername()[0])

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return made(self)

        def connect(self) -> None:
            super().connect()
            meet(self.sock.getpeername()[0])

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
