"""A web seed on the internet cannot send whoever checks it to the machines of his own network."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from s3torrent.webseeds import http, pools
from s3torrent.webseeds.base import SeedFault, WebFile
from support.seeds import SeedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = b"content of a file"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.100.1", "100.64.0.1", "0.0.0.0",
     "::1", "fe80::1", "fd00::1", "::ffff:169.254.169.254"],
)  # fmt: skip
def test_addresses_that_only_a_neighbour_reaches_are_inside(address: str) -> None:
    assert pools.is_inside(address)


@pytest.mark.parametrize("address", ["52.216.0.1", "2600:1f00::1", "::ffff:52.216.0.1", "1.1.1.1"])
def test_addresses_of_the_internet_are_not(address: str) -> None:
    assert not pools.is_inside(address)


class Neighbour:
    """Listens at 127.0.0.2, and keeps what anybody says to it."""

    def __init__(self) -> None:
        self.heard = b""
        self.met = threading.Event()
        self._socket = socket.create_server(("127.0.0.2", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.2:{self._socket.getsockname()[1]}/2018-06-01/runtime/invocation/next"

    def _listen(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            self.heard = connection.recv(4096)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        self.met.set()

    def close(self) -> None:
        self._thread.join(10)
        self._socket.close()


@contextmanager
def leading(to: str) -> Iterator[SeedServer]:
    """A seed whose /there/ is a redirect."""
    with SeedServer(BODY) as seeds:
        usual = seeds.answer

        def answer(request, body):  # type: ignore[no-untyped-def]
            if not request.path.startswith("/there/"):
                return usual(request, body)
            request.send_response(302)
            request.send_header("Location", to)
            request.send_header("Content-Length", "0")
            return request.end_headers()

        seeds.answer = answer  # type: ignore[method-assign]
        yield seeds


def read(url: str) -> bytes:
    with closing(http.HttpReader(seconds=20)) as reader:
        return b"".join(reader.read(WebFile(url, len(BODY)), 0, len(BODY)))


@pytest.fixture
def neighbour(monkeypatch: pytest.MonkeyPatch) -> Iterator[Neighbour]:
    """127.0.0.2 is in the private network, 127.0.0.1 on the internet."""
    monkeypatch.setattr(http, "is_inside", lambda address: address == "127.0.0.2")
    with closing(Neighbour()) as there:
        yield there


def test_a_seed_outside_does_not_lead_inside_and_nothing_is_sent_there(neighbour: Neighbour) -> None:
    with leading(neighbour.url) as seeds, pytest.raises(SeedFault) as caught:
        read(seeds.url("/there/a"))
    assert caught.value.problem.code == "bad-redirect"
    assert caught.value.problem.detail == "it leads into a private network, to 127.0.0.2"
    assert neighbour.met.wait(10)
    assert neighbour.heard == b""


def test_neither_by_way_of_another_outside(neighbour: Neighbour) -> None:
    with leading(neighbour.url) as second, leading(second.url("/there/a")) as first:
        with pytest.raises(SeedFault, match="private network"):
            read(first.url("/there/a"))
        assert len(second.asked) == 1
    assert neighbour.met.wait(10)
    assert neighbour.heard == b""


def test_a_seed_inside_is_the_operators_own_and_may_lead_anywhere_there(neighbour: Neighbour) -> None:
    with pytest.raises(SeedFault, match="404"):
        read(neighbour.url)
    assert neighbour.heard.startswith(b"GET /2018-06-01/runtime/invocation/next ")


def test_a_seed_of_a_stack_on_this_machine_may_redirect() -> None:
    with leading("/good/a") as seeds:
        assert read(seeds.url("/there/a")) == BODY


def test_a_seed_outside_may_lead_outside(neighbour: Neighbour) -> None:
    with leading("/good/a") as seeds:
        assert read(seeds.url("/there/a")) == BODY
    socket.create_connection(("127.0.0.2", int(neighbour.url.split(":")[2].split("/")[0])), 5).close()
