"""A web seed over HTTP: each request as a client sends it, each answer looked at.

RFC 9110, 14 (ranges); S3's errors: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

import urllib3

from s3torrent.webseeds.base import Problem, SeedFault, WebFile
from s3torrent.webseeds.pools import Pools, is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 256 << 10
MOST_REDIRECTS = 5
MOST_TOLD = 4096
"""Bytes of an error's body that are looked at."""
MOST_SHOWN = 200
"""Characters of a header that are shown."""
ORIGIN = "https://example.org"
"""Of the page that a browser is supposed to show, where none is named."""

_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,60})</Code>")
_REFUSED, _ABSENT, _BUSY = {401, 403}, {404, 410}, {429, 503}
_MOVED = {301, 302, 303, 307, 308}


class HttpReader:
    """``page``: the https address of the page that links to it, "" for none. ``seconds`` for all its
    requests together, whatever the servers do. Whatever they answer, nothing but SeedFault is raised.
    """

    def __init__(self, page: str = "", *, seconds: float = 30.0, requester_pays: bool = False) -> None:
        self.noticed: list[Problem] = []
        self._page, self._requester_pays = page, requester_pays
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._pools = Pools(self._meet, self._left)
        self._redirected = False
        self._is_outside = False

    def close(self) -> None:
        self._pools.close()

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def read(self, version: WebFile, start: int, end: int) -> Iterator[bytes]:
        if urlsplit(self._page).scheme == "https" and urlsplit(version.url).scheme == "http":
            raise SeedFault("mixed-content", f"{version.url} is http, but the page {self._page} is https")
        answer = self._asked(version, start, end)
        try:
            left = end - start
            while left > 0:
                chunk = self._guarded(version.url, lambda: answer.read(min(CHUNK, left)))  # noqa: B023 - called at once
                if not chunk:
                    raise SeedFault("wrong-range", f"the answer ended {left:,} bytes early")
                left -= len(chunk)
                yield chunk
        finally:
            answer.close() if left else answer.release_conn()

    def _asked(self, file: WebFile, start: int, end: int) -> Any:
        """The answer to one ranged GET, its body not yet read."""
        url = file.url
        answers = []
        for hop in range(MOST_REDIRECTS + 1):
            self._redirected = hop > 0
            answer = self._get(url, start, end)
            answers.append(answer)
            if answer.status not in _MOVED:
                break
            target = answer.headers.get("Location")
            answer.close()
            if not target:
                raise SeedFault(
                    "bad-redirect", f"{answer.status} without a Location (a bucket of another region?)"
                )
            target, scheme = _target(answer.status, url, target)
            self._notice("redirect", f"{answer.status} from {url} to {target}")
            if scheme not in ("http", "https"):
                raise SeedFault(
                    "bad-redirect", f"{answer.status} to {target}, which is neither http nor https"
                )
            if scheme == "http" and urlsplit(self._page).scheme == "https":
                raise SeedFault(
                    "mixed-content", f"{url} leads to {target}, but the page {self._page} is https"
                )
            url = target
        else:
            raise SeedFault("bad-redirect", f"more than {MOST_REDIRECTS} redirects, the last one to {url}")
        try:
            self._require_range(answer, file, start, end)
        except SeedFault:
            answer.close()
            raise
        self._notice_presigned(file.url)
        for one in answers:  # a browser stops at the first that does not allow it
            self._notice_cors(one)
        return answer

    def _require_range(self, answer: Any, file: WebFile, start: int, end: int) -> None:
        if answer.status != 206:
            raise self._fault(answer, file, start, end)
        _require_plain(answer)
        told = answer.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes 0*(\d+)-0*(\d+)/(\d+|\*)", told, re.IGNORECASE | re.ASCII)
        if not match or (match[1], match[2]) != (str(start), str(end - 1)):  # text: any number of digits
            found = told[:MOST_SHOWN] or "none"
            raise SeedFault("wrong-range", f"Content-Range: {found}; expected bytes {start}-{end - 1}")
        if match[3] not in ("*", str(file.length)):
            raise SeedFault(
                "wrong-size", f"{match[3][:MOST_SHOWN]} bytes; the torrent's file has {file.length}"
            )

    def _fault(self, answer: Any, file: WebFile, start: int, end: int) -> SeedFault:
        """Why this answer is none that brings bytes."""
        status = answer.status
        if status == 416:
            return SeedFault("wrong-size", f"416: it has no bytes {start} to {end - 1}")
        if status < 300:
            _require_plain(answer)
            return _of_whole(answer, file, end - start)
        body = self._guarded(file.url, lambda: answer.read(MOST_TOLD)) or b""
        named = _CODE.search(body)
        told = f"{status} {named[1].decode() if named else (answer.reason or '')[:MOST_SHOWN]}".strip()
        mend = self._mended(file, start, end) if status in _REFUSED | _ABSENT else None
        if mend:
            return mend
        if status in _REFUSED:
            return self._refused(file.url, told, body)
        codes = dict.fromkeys(_ABSENT, "not-found") | dict.fromkeys(_BUSY, "throttled")
        return SeedFault(codes.get(status, "server-error"), told)

    def _refused(self, url: str, told: str, body: bytes) -> SeedFault:
        ends = expiry(url)
        if ends and (ends <= datetime.now(UTC) or b"expired" in body):
            return SeedFault("expired", f"{told}: the signature held until {ends:%Y-%m-%d %H:%M:%S} UTC")
        if b"InvalidObjectState" in body:
            return SeedFault("archived", told)
        if self._requester_pays or b"equester" in body:
            return SeedFault("requester-pays", f"{told}: the bucket wants signed requests whose sender pays")
        return SeedFault("forbidden", told)

    def _mended(self, file: WebFile, start: int, end: int) -> SeedFault | None:
        """The fault of the URL's encoding, where it answers when it is encoded otherwise."""
        path = urlsplit(file.url).path
        tries = {
            "raw-plus": file.url.replace(path, path.replace("+", "%2B"), 1),
            "double-encoded": file.url.replace(path, re.sub(r"%25([0-9A-Fa-f]{2})", r"%\1", path), 1),
        }
        for code, url in tries.items():
            if url == file.url:
                continue
            try:
                answer = self._get(url, start, end)
            except SeedFault:
                continue
            answer.close()
            if answer.status == 206:
                return SeedFault(code, f"{file.url} is not there, but {url} is")
        return None

    def _get(self, url: str, start: int, end: int) -> Any:
        origin = urlsplit(self._page)
        headers = {
            "Range": f"bytes={start}-{end - 1}",
            "Accept-Encoding": "identity",
            "User-Agent": "s3torrent",
            "Origin": f"{origin.scheme}://{origin.netloc}" if self._page else ORIGIN,
        }
        left = self._left()
        if left <= 0:
            raise SeedFault("unreachable", f"no answer in {self._seconds:.0f} s")
        timeout = urllib3.Timeout(connect=min(left, 10), read=left)

        def asked() -> Any:
            return self._pools.of(url).urlopen(
                "GET", url, headers=headers, timeout=timeout,
                redirect=False, retries=False, preload_content=False, decode_content=False,
            )  # fmt: skip

        return self._guarded(url, asked)

    def _meet(self, address: str) -> None:
        """A seed on the internet may not lead whoever checks it into his own network: there lie the metadata
        of a cloud, or the interface by which Lambda hands out events.
        """
        inside = is_inside(address)
        if self._redirected and self._is_outside and inside:
            raise SeedFault("bad-redirect", f"it leads into a private network, to {address}")
        self._is_outside |= not self._redirected and not inside

    def _guarded(self, url: str, call: Any) -> Any:
        """What breaks on the way, as a fault."""
        if self._left() <= 0:
            raise self._late()
        try:
            return call()
        except SeedFault:
            raise
        except Exception as error:  # http.client and urllib3 stumble over much that a server may send
            if self._left() <= 0:
                raise self._late() from error
            of_tls = isinstance(error, (urllib3.exceptions.SSLError, ssl.SSLError))
            raise SeedFault("tls" if of_tls else "unreachable", f"{_host(url)}: {_short(error)}") from error

    def _late(self) -> SeedFault:
        return SeedFault("unreachable", f"not read in {self._seconds:.0f} s")

    def _notice(self, code: str, detail: str) -> None:
        if all(problem.code != code for problem in self.noticed):
            self.noticed.append(Problem.of(code, detail))

    def _notice_presigned(self, url: str) -> None:
        ends = expiry(url)
        if ends:
            self._notice("presigned", f"signed, and good until {ends:%Y-%m-%d %H:%M:%S} UTC")

    def _notice_cors(self, answer: Any) -> None:
        allowed = answer.headers.get("Access-Control-Allow-Origin", "")
        origin = urlsplit(self._page)
        if allowed not in ("*", f"{origin.scheme}://{origin.netloc}" if self._page else ORIGIN):
            self._notice("no-cors", f"Access-Control-Allow-Origin: {allowed[:MOST_SHOWN] or 'none'}")


def _require_plain(answer: Any) -> None:
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        told = encoding[:MOST_SHOWN]
        raise SeedFault("encoded", f"Content-Encoding: {told}; expected the bytes as they are")


def _of_whole(answer: Any, file: WebFile, wanted: int) -> SeedFault:
    """A success that is no range: the file in one piece, or something else, such as a page."""
    size, kind = (answer.headers.get(name, "?")[:MOST_SHOWN] for name in ("Content-Length", "Content-Type"))
    if (
        size.isascii() and size.isdigit() and size.lstrip("0") != str(file.length)
    ):  # text: any number of digits
        told = f"{answer.status} with {size} bytes ({kind}); the torrent's file has {file.length}"
        return SeedFault("wrong-size", told)
    return SeedFault("no-ranges", f"{answer.status} with {size} bytes for a range of {wanted}; expected 206")


def expiry(url: str) -> datetime | None:
    """When a presigned URL ends (signature version 4 or 2); None for one that is not signed.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    try:
        if "x-amz-signature" in query:
            begun = datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return begun + timedelta(seconds=int(query["x-amz-expires"]))
        if "signature" in query and "expires" in query:
            return datetime.fromtimestamp(int(query["expires"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    return None


def _target(status: int, url: str, location: str) -> tuple[str, str]:
    """Where a redirect leads, and by which scheme. Raises SeedFault where that is no address."""
    try:
        target = urljoin(url, location)
        scheme = urlsplit(target).scheme
        if scheme in ("http", "https"):
            urllib3.util.parse_url(target)
    except (ValueError, urllib3.exceptions.LocationParseError):
        found = location[:MOST_SHOWN]
        raise SeedFault("bad-redirect", f"{status} to {found!r}, which is no address") from None
    return target, scheme


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return url[:MOST_SHOWN]


def _short(error: BaseException) -> str:
    """The last reason, without urllib3's wrappings and names of objects."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _short(reason)
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    told = re.sub(r"^\w+\(host=[^)]*\): ", "", str(error)) or type(error).__name__
    return told.rpartition(">: ")[2].partition(" (Caused by")[0][:200]
