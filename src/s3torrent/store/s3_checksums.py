"""What S3 tells of an object's SHA-1: HEAD of the whole, GetObjectAttributes of each part.

Anything that is not exactly as AWS documents it counts for nothing: it only spares a reading.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
"""

from __future__ import annotations

import base64
import re
from typing import Any, Literal

from s3torrent.errors import ObjectChanged
from s3torrent.store.s3_errors import one_line
from s3torrent.types import ContentSha1, ObjectVersion, PartSha1

Attribute = Literal["Checksum", "ETag", "ObjectParts", "ObjectSize"]
ATTRIBUTES: tuple[Attribute, ...] = ("Checksum", "ETag", "ObjectParts", "ObjectSize")
PAGE_PARTS = 1000
"""The most that S3 puts on a page."""
MOST_PAGES = 10
"""No object has more than 10,000 parts."""

COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"

_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_SHA1 = re.compile(r"([A-Za-z0-9+/]{27}=)(?:-([1-9][0-9]{0,4}))?")


def content_sha1(head: Any) -> ContentSha1 | None:
    """Of a HeadObject answer; None where there is none, or the content cannot be read without more ado:
    such an object gets no torrent, and reading it says why.
    """
    if head.get("StorageClass") in _ARCHIVES or "ArchiveStatus" in head or "SSECustomerAlgorithm" in head:
        return None
    match = _SHA1.fullmatch(head.get("ChecksumSHA1", ""))
    if match is None:
        return None
    digest, parts = base64.b64decode(match[1]), match[2]
    if head.get("ChecksumType") == COMPOSITE and parts:
        return ContentSha1(digest, int(parts))
    # Of one that was uploaded in parts it cannot be: S3 knows no such SHA-1.
    whole = head.get("ChecksumType") == FULL_OBJECT and not parts and "-" not in head["ETag"]
    return ContentSha1(digest) if whole else None


def part_page(answer: Any, version: ObjectVersion, after: int) -> tuple[list[PartSha1], int | None]:
    """The parts of one GetObjectAttributes answer, and the marker of the next page (None: it was the last).

    ``after`` is the marker it was asked for with. Raises ObjectChanged where it is of another version;
    LookupError, TypeError or ValueError, for ``typed``, where it is not whole.
    """
    found = (answer.get("VersionId") or "null", answer["ETag"].strip('"'), answer["ObjectSize"])
    expected = (version.version_id or "null", version.etag, version.size)
    if found != expected:
        told = one_line(f"version {found[0]}, ETag {found[1]}, {found[2]} bytes")[:200]
        raise ObjectChanged(f"the attributes of {version} are of {told}; expected {version.size} bytes of it")
    _require_same(answer["Checksum"], version)
    listed = answer["ObjectParts"]
    count = listed["TotalPartsCount"]
    if version.sha1 is None or count != version.sha1.parts:
        raise ValueError(f"{count} parts")
    parts = [_part(one) for one in listed["Parts"]]
    if not listed["IsTruncated"]:
        return parts, None
    marker = listed["NextPartNumberMarker"]
    if not after < marker < count or marker != parts[-1].number:
        raise ValueError(f"a page after part {after} that ends at {marker}")
    return parts, marker


def _require_same(checksum: Any, version: ObjectVersion) -> None:
    """It is the composite one that HEAD told; AWS leaves the number of parts off here."""
    digest, dash, parts = checksum["ChecksumSHA1"].partition("-")
    known = version.sha1
    counted = not dash or parts == str(known and known.parts)
    if (
        checksum["ChecksumType"] != COMPOSITE
        or known is None
        or _digest(digest) != known.digest
        or not counted
    ):
        raise ValueError("another checksum than HEAD's")


def _part(told: Any) -> PartSha1:
    return PartSha1(told["PartNumber"], told["Size"], _digest(told["ChecksumSHA1"]))


def _digest(text: str) -> bytes:
    match = _SHA1.fullmatch(text)
    if match is None or match[2]:
        raise ValueError("a SHA-1 that is none")
    return base64.b64decode(match[1])
