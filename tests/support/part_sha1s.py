"""S3's HEAD and GetObjectAttributes as AWS documents them, in process and with faults: no emulator in use here tells
the SHA-1s of parts (MiniStack 1.5.33 and moto 5.2.5 leave them out).

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html and API_HeadObject. The composite checksum
comes without its ``-N`` in GetObjectAttributes, as LocalStack 4.14 (whose answers are recorded from AWS) gives it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import md5, sha1
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from support.breaking_proxy import s3_client
from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE_PARTS = 1000
LAST_MODIFIED = "Mon, 23 Nov 2026 00:00:00 GMT"


def text(digest: bytes) -> str:
    return b64encode(digest).decode()


@dataclass
class Held:
    """One object: ``body`` None is a mere record of one, whose content cannot be had. ``parts`` are (size, SHA-1)."""

    size: int
    body: bytes | None
    parts: list[tuple[int, bytes]]
    checksum: str | None
    checksum_type: str | None
    etag: str
    version_id: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def in_parts(bodies: Sequence[bytes], **more: Any) -> Held:
    """Uploaded in these parts under their SHA-1s."""
    held = record([(len(body), sha1(body).digest()) for body in bodies], **more)
    held.body = b"".join(bodies)
    return held


def record(parts: list[tuple[int, bytes]], **more: Any) -> Held:
    composite = sha1(b"".join(digest for _, digest in parts)).digest()
    etag = f"{md5(composite).hexdigest()}-{len(parts)}"
    checksum = f"{text(composite)}-{len(parts)}"
    return Held(sum(size for size, _ in parts), None, parts, checksum, "COMPOSITE", etag, **more)


def in_one(body: bytes, **more: Any) -> Held:
    """Uploaded in one request under its SHA-1."""
    checksum = text(sha1(body).digest())
    return Held(len(body), body, [], checksum, "FULL_OBJECT", md5(body).hexdigest(), **more)


class Refused(Exception):
    """Raised by a fault: the request is answered by this error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


Answer = dict[str, Any]
"""An answer of GetObjectAttributes: the fields of its XML, and ``VersionId``, which goes into a header. One of HEAD: headers."""


class PartSha1s(Loopback):
    """``with PartSha1s() as s3: s3.objects["bucket", "key"] = in_parts([...]); S3Store(s3.client)``.

    ``on_head(headers)`` and ``on_page(answer, marker)`` may change an answer just before it is sent, or raise Refused.
    ``asked`` tells the requests: "HEAD", "HEAD SHA1" (with checksums), "PARTS 1000" (attributes after that part), "GET", "PUT".
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.forget()

    def forget(self) -> None:
        """All objects and faults, and what was asked."""
        self.objects: dict[tuple[str, str], Held] = {}
        self.on_head: Callable[[Answer], object] = lambda _: None
        self.on_page: Callable[[Answer, int], object] = lambda _, __: None
        self.asked: list[str] = []
        self.versions_asked: set[str | None] = set()
        """Of which the attributes were asked for; None: of the current one."""
        self.sent = 0
        """Bytes of content."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.client = s3_client(self.endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        super().__exit__()


class _Handler(Handler):
    owner: PartSha1s
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        self.query = parse_qs(url.query, keep_blank_values=True)
        _, bucket, key = [*unquote(url.path).split("/", 2), ""][:3]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            if self.command == "PUT":
                self.put(bucket, key, body)
            else:
                self.tell(self.held(bucket, key))
        except Refused as refused:
            error = f"<Error><Code>{refused.code}</Code><Message>{refused.code}</Message></Error>"
            self.answer(refused.status, {}, error.encode())

    do_GET = do_HEAD = do_PUT = handle_any  # noqa: N815 (the names http.server looks for)

    def held(self, bucket: str, key: str) -> Held:
        if not key:  # HEAD of the bucket
            raise Refused(200, "")
        held = self.owner.objects.get((bucket, key))
        if held is None:
            self.note("HEAD")
            raise Refused(404, "NoSuchKey")
        wanted = self.query.get("versionId", [held.version_id])[0]
        if wanted != held.version_id:
            raise Refused(404, "NoSuchVersion")
        return held

    def tell(self, held: Held) -> None:
        if "attributes" in self.query:
            self.attributes(held)
        elif self.command == "HEAD":
            self.head(held)
        else:
            self.get(held)

    def head(self, held: Held) -> None:
        checksums = self.headers.get("x-amz-checksum-mode") == "ENABLED"
        self.note("HEAD SHA1" if checksums else "HEAD")
        headers = {**common(held), "Content-Length": str(held.size)}
        if checksums and held.checksum:
            headers["x-amz-checksum-sha1"] = held.checksum
            if held.checksum_type:
                headers["x-amz-checksum-type"] = held.checksum_type
        self.owner.on_head(headers)
        self.answer(200, headers)

    def get(self, held: Held) -> None:
        self.note("GET")
        if held.headers.get("x-amz-storage-class") in ("GLACIER", "DEEP_ARCHIVE"):
            raise Refused(403, "InvalidObjectState")
        if held.body is None:
            raise Refused(500, "InternalError")
        if self.headers.get("If-Match") not in (None, f'"{held.etag}"'):
            raise Refused(412, "PreconditionFailed")
        first, last = re.fullmatch(
            r"bytes=(\d+)-(\d+)", self.headers.get("Range", f"bytes=0-{held.size - 1}")
        ).groups()
        body = held.body[int(first) : int(last) + 1]
        self.owner.sent += len(body)
        content_range = f"bytes {first}-{int(first) + len(body) - 1}/{held.size}"
        self.answer(206, {**common(held), "Content-Range": content_range}, body)

    def attributes(self, held: Held) -> None:
        marker = int(self.headers.get("x-amz-part-number-marker", 0))
        self.note(f"PARTS {marker}")
        self.owner.versions_asked |= {self.query.get("versionId", [None])[0]}
        asked = set(self.headers.get("x-amz-object-attributes", "").split(","))
        most = min(PAGE_PARTS, int(self.headers.get("x-amz-max-parts", PAGE_PARTS)))
        page: Answer = {"ETag": held.etag, "ObjectSize": held.size, "StorageClass": "STANDARD"}
        if held.checksum:
            digest = held.checksum.split("-", maxsplit=1)[0]
            page["Checksum"] = {"ChecksumSHA1": digest, "ChecksumType": held.checksum_type}
        if held.parts:
            page["ObjectParts"] = listed(held.parts, marker, most)
        page = {name: value for name, value in page.items() if name in asked}
        page["VersionId"] = held.version_id
        self.owner.on_page(page, marker)
        version_id = page.pop("VersionId")
        headers = {"Last-Modified": LAST_MODIFIED} | ({"x-amz-version-id": version_id} if version_id else {})
        body = f"<GetObjectAttributesResponse>{xml(page)}</GetObjectAttributesResponse>"
        self.answer(200, headers, body.encode())

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """A small object, only where nothing is."""
        self.note("PUT")
        if (bucket, key) in self.owner.objects:
            raise Refused(412, "PreconditionFailed")
        held = Held(len(body), body, [], None, None, md5(body).hexdigest())
        held.headers = {
            name: value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")
        }
        self.owner.objects[bucket, key] = held
        self.answer(200, {"ETag": f'"{held.etag}"'})

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def note(self, what: str) -> None:
        self.owner.asked.append(what)


def common(held: Held) -> dict[str, str]:
    version = {"x-amz-version-id": held.version_id} if held.version_id else {}
    return {"ETag": f'"{held.etag}"', "Last-Modified": LAST_MODIFIED, **version, **held.headers}


def listed(parts: list[tuple[int, bytes]], marker: int, most: int) -> Answer:
    """The page after part ``marker``."""
    last = min(len(parts), marker + most)
    return {
        "PartsCount": len(parts),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": last,
        "MaxParts": most,
        "IsTruncated": last < len(parts),
        "Part": [
            {"PartNumber": number, "Size": size, "ChecksumSHA1": text(digest)}
            for number, (size, digest) in enumerate(parts[marker:last], marker + 1)
        ],
    }


def xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(
            f"<{name}>{xml(one)}</{name}>"
            for name, inner in value.items()
            for one in (inner if isinstance(inner, list) else [inner])
        )
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
