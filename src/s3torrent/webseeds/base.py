"""What can be wrong with a web seed, and what reads one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

HINTS = {
    "invalid": "take it out (s3torrent edit --remove-web-seed), and write it as clients can ask for it",
    "unreachable": "check the name, the port and the firewall, from a machine outside, too",
    "tls": "renew or correct the certificate; clients do not download where it does not hold",
    "not-found": "upload the object, or correct the web seed (s3torrent edit --web-seed, --remove-web-seed)",
    "forbidden": "let everybody read the object (a bucket policy with s3:GetObject), or name a CDN that may",
    "requester-pays": "clients sign no requests: serve the bucket through a CDN, or take the web seed out",
    "archived": "restore the object, or take the web seed out until then",
    "expired": "sign it anew, or better, name a URL that does not expire",
    "presigned": "name a URL that does not expire: a torrent lives longer than any signature",
    "raw-plus": "write a + of the key as %2B: S3 reads a bare one as a space",
    "double-encoded": "encode the key once: a space is %20, not %2520",
    "no-ranges": "let the server answer a Range header with 206, as S3 does: clients ask for pieces",
    "wrong-range": "the server, or a cache before it, sends other bytes than it was asked for",
    "wrong-size": "another object lies there, or a page: make the torrent anew, or name the file's address",
    "wrong-content": "another object lies there than the torrent's: make the torrent anew, or restore it",
    "encoded": "store the object without Content-Encoding, and have the CDN compress nothing",
    "redirect": "name the last address itself: each request of a client is redirected, and not all follow",
    "bad-redirect": "name the address itself; in S3 that of the bucket's own region",
    "throttled": "try again later; clients give up on a seed that answers so",
    "server-error": "look at the server's settings and log: to a GET with a Range it has to answer 206",
    "mixed-content": "offer https: a browser reads no http from an https page",
    "no-cors": "allow GET from any origin (CORS), if browsers are to download from it (WebTorrent)",
}
"""Code of a problem -> its mend."""

HARMLESS = frozenset({"redirect", "presigned", "no-cors"})
"""What a download works in spite of."""


MOST_DETAIL = 2000
"""Characters of what was found: a server may send much."""


@dataclass(frozen=True, slots=True)
class Problem:
    """``code`` is one of HINTS; ``detail`` what was found, in one line."""

    code: str
    detail: str

    @classmethod
    def of(cls, code: str, detail: str) -> Problem:
        """``detail`` may hold what a server said, whatever that is."""
        line = " ".join(detail.split())[:MOST_DETAIL]
        return cls(code, line.encode("utf-8", "replace").decode())

    @property
    def fatal(self) -> bool:
        return self.code not in HARMLESS

    def as_dict(self) -> dict[str, Any]:
        """docs/json.md has the schema."""
        return {"code": self.code, "detail": self.detail, "fatal": self.fatal, "hint": HINTS[self.code]}


class SeedFault(Exception):
    """It cannot be read, for this reason."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem.of(code, detail)


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file of a torrent at its web seed: the URL that a client asks, and its length in bytes."""

    url: str
    length: int


class WebReader(Protocol):
    """Reads as a client does. ``noticed`` are problems that did not end the reading, each once."""

    noticed: list[Problem]

    def read(self, version: WebFile, start: int, end: int) -> Iterator[bytes]:
        """Bytes [start, end) in chunks. Raises SeedFault."""
        ...

    def close(self) -> None: ...
