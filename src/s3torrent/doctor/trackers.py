"""Do the trackers answer? BEP 3 (HTTP) and BEP 15 (UDP); of a WebSocket only whether somebody listens."""

from __future__ import annotations

import secrets
import socket
import struct
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import set_variables
from s3torrent.errors import BencodeError
from s3torrent.metainfo.bencode import decode

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

SECONDS = 5.0
MOST_ANSWER = 64 << 10
PROTOCOL = 0x41727101980
"""BEP 15: what a connect request begins with."""
NOBODY = "info_hash=%00%11%22%33%44%55%66%77%88%99%aa%bb%cc%dd%ee%ff%00%11%22%33"
STOPPED = (
    f"{NOBODY}&peer_id=-ST0001-doctor000000&port=6881&uploaded=0&downloaded=0&left=0&compact=1&event=stopped"
)
"""Of a torrent that nobody has, by a peer that leaves: nothing is registered."""


def trackers(case: Case) -> Finding:
    urls = [url for tier in case.settings.policy.trackers for url in tier]
    if not urls:
        return green("none are set")
    with ThreadPoolExecutor(min(16, len(urls))) as pool:
        problems = dict(zip(urls, pool.map(problem, urls), strict=True))
    silent = {url: why for url, why in problems.items() if why}
    if not silent:
        return green(f"{len(urls)} of {len(urls)} answer")
    told = "; ".join(f"{url}: {why}" for url, why in silent.items())
    left = [url for url in urls if url not in silent]
    mend = set_variables(case, {"TRACKERS": ",".join(left) or None})
    cause = f"{len(left)} of {len(urls)} answer; {told}"
    return yellow(cause, mend) if left else red(cause, mend)


def problem(url: str, seconds: float = SECONDS) -> str:
    """Why it does not answer as a tracker; "" where it does."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "udp":
            return _udp(parts.hostname or "", parts.port or 0, seconds)
        if parts.scheme in ("ws", "wss"):
            port = parts.port or (443 if parts.scheme == "wss" else 80)
            with socket.create_connection((parts.hostname or "", port), seconds):
                return ""
        return _http(f"{url}{'&' if parts.query else '?'}{STOPPED}", seconds)
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None)
        if isinstance(reason, TimeoutError):
            return f"no answer within {seconds:g} s"
        return " ".join(str(reason or error).split())


def _http(url: str, seconds: float) -> str:
    """A tracker answers with a bencoded dictionary, be it that it refuses."""
    request = urllib.request.Request(url, headers={"User-Agent": "s3torrent-doctor"})  # noqa: S310 - http(s): config
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310 - as above
            body = _read(answer, seconds)
    except urllib.error.HTTPError as error:
        body, status = _read(error, seconds), f"HTTP {error.code}"
    else:
        status = "it answers, but not as a tracker"
    try:
        return "" if isinstance(decode(body), dict) else status
    except BencodeError:
        return status


def _read(answer: Any, seconds: float) -> bytes:
    """A little at a time, so that one that drips is not waited for."""
    body, deadline = b"", monotonic() + seconds
    while len(body) < MOST_ANSWER and monotonic() < deadline:
        chunk = answer.read1(MOST_ANSWER)
        if not chunk:
            break
        body += chunk
    return body


def _udp(host: str, port: int, seconds: float) -> str:
    """BEP 15: connect, and its answer with our number in it."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    number = secrets.randbits(32)
    with socket.socket(family, kind, protocol) as there:
        there.settimeout(seconds)
        there.connect(address)
        there.send(struct.pack(">QII", PROTOCOL, 0, number))
        answer = there.recv(2048)
    if len(answer) >= 16 and struct.unpack(">II", answer[:8]) == (0, number):
        return ""
    return "it answers, but not as a tracker (BEP 15)"
