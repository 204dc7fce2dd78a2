"""Objects written to S3 in parts, each under its SHA-1, so that the parts' checksums are piece hashes later.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any, Literal

from s3torrent.errors import UploadGone, WriteConflict
from s3torrent.store.base import require_ascii
from s3torrent.store.resume import Patience, patiently
from s3torrent.store.s3 import S3Store, condition_of
from s3torrent.store.s3_answers import etag_of, plain, size_of
from s3torrent.store.s3_errors import Call, typed
from s3torrent.types import Upload, UploadedPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from types_boto3_s3 import S3Client

    from s3torrent.types import ObjectRef, ObjectVersion

    T = TypeVar("T")
    Body = Any  # bytes | bytearray; boto3's own types do not know that it takes the second

SHA1: Literal["SHA1"] = "SHA1"

MOST_PARTS = 10_000
MOST_PAGES = 100
"""S3 puts 1,000 entries on a page, and no upload has more than 10,000 parts."""
ENDLESS = f"more than {MOST_PAGES:,} pages of one listing"

UPLOAD_PATIENCE = Patience(attempts=12, longest_wait=15.0)
"""About two minutes: a recording cannot be had again, so its parts wait longer for S3 than a read does."""


class S3UploadStore(S3Store):
    """An S3Store that also writes large objects; threads may share it."""

    def __init__(
        self, client: S3Client, patience: Patience | None = None, upload_patience: Patience = UPLOAD_PATIENCE
    ) -> None:
        super().__init__(client, patience)
        self._upload_patience = upload_patience

    def put_whole(
        self,
        ref: ObjectRef,
        body: Body,
        *,
        sha1: bytes,
        replaces: ObjectVersion | None,
        content_type: str,
        metadata: Mapping[str, str],
    ) -> str:
        require_ascii(ref, metadata)
        return self._ask(
            Call("s3:PutObject", ref, absent=WriteConflict, refused=WriteConflict),
            lambda: etag_of(
                self._client.put_object(
                    Bucket=ref.bucket,
                    Key=ref.key,
                    Body=body,
                    ContentType=content_type,
                    Metadata=dict(metadata),
                    ChecksumAlgorithm=SHA1,
                    ChecksumSHA1=_text(sha1),
                    **condition_of(replaces),
                )
            ),
        )

    def begin_upload(self, ref: ObjectRef, *, content_type: str, metadata: Mapping[str, str]) -> Upload:
        require_ascii(ref, metadata)
        return self._ask(
            Call("s3:PutObject", ref),
            lambda: _upload(
                ref,
                self._client.create_multipart_upload(
                    Bucket=ref.bucket,
                    Key=ref.key,
                    ContentType=content_type,
                    Metadata=dict(metadata),
                    ChecksumAlgorithm=SHA1,
                ),
            ),
        )

    def upload_part(self, upload: Upload, number: int, body: Body, *, sha1: bytes) -> UploadedPart:
        etag = self._ask(
            Call("s3:PutObject", upload.ref, absent=UploadGone),
            lambda: etag_of(
                self._client.upload_part(
                    **_address(upload),
                    PartNumber=number,
                    Body=body,
                    ChecksumAlgorithm=SHA1,
                    ChecksumSHA1=_text(sha1),
                )
            ),
        )
        return UploadedPart(number, etag, len(body), sha1)

    def unfinished_uploads(self, ref: ObjectRef) -> list[Upload]:
        """A prefix finds other keys, too: those are left out."""
        found = self._ask(
            Call("s3:ListBucketMultipartUploads", ref),
            lambda: [
                (upload["Initiated"], _upload(ref, upload))
                for page in self._upload_pages(ref)
                for upload in page.get("Uploads", [])
                if plain(page, upload["Key"]) == ref.key
            ],
        )
        return [upload for _, upload in sorted(found, key=lambda each: each[0], reverse=True)]

    def uploaded_parts(self, upload: Upload) -> list[UploadedPart]:
        pages = self._client.get_paginator("list_parts")
        return self._ask(
            Call("s3:ListMultipartUploadParts", upload.ref, absent=UploadGone),
            lambda: [
                _part(part)
                for page in _bounded(pages.paginate(**_address(upload)))
                for part in page.get("Parts", [])
            ],
        )

    def complete_upload(
        self, upload: Upload, parts: Sequence[UploadedPart], *, replaces: ObjectVersion | None
    ) -> str:
        told = [_told(part) for part in parts]
        return self._ask(
            Call("s3:PutObject", upload.ref, absent=UploadGone, refused=WriteConflict),
            lambda: etag_of(
                self._client.complete_multipart_upload(
                    **_address(upload), MultipartUpload={"Parts": told}, **condition_of(replaces)
                )
            ),
        )

    def abort_upload(self, upload: Upload) -> None:
        call = Call("s3:AbortMultipartUpload", upload.ref, absent=UploadGone)
        with contextlib.suppress(UploadGone):
            self._ask(call, lambda: self._client.abort_multipart_upload(**_address(upload)))

    def _upload_pages(self, ref: ObjectRef) -> Iterator[Any]:
        """Not by botocore's paginator: it hands the encoded marker back as it came."""
        marker: Any = {}
        for _ in range(MOST_PAGES):
            page = self._client.list_multipart_uploads(
                Bucket=ref.bucket, Prefix=ref.key, EncodingType="url", **marker
            )
            yield page
            if not page.get("IsTruncated"):
                return
            marker = {
                "KeyMarker": plain(page, page["NextKeyMarker"]),
                "UploadIdMarker": page["NextUploadIdMarker"],
            }
        raise ValueError(ENDLESS)

    def _ask(self, call: Call, request: Callable[[], T]) -> T:
        """One request and the reading of its answer, tried again while what stands in its way may pass."""

        def once() -> T:
            with typed(call):
                return request()

        return patiently(once, self._upload_patience)


def _bounded(pages: Iterable[T]) -> Iterator[T]:
    """Raises ValueError, for ``typed``, where they have no end."""
    for number, page in enumerate(pages):
        if number == MOST_PAGES:
            raise ValueError(ENDLESS)
        yield page


def _upload(ref: ObjectRef, told: Any) -> Upload:
    if not told["UploadId"]:
        raise ValueError("an empty upload id")
    return Upload(ref, told["UploadId"])


def _part(told: Any) -> UploadedPart:
    number = told["PartNumber"]
    if not 1 <= number <= MOST_PARTS:
        raise ValueError(f"a part of number {number}")
    return UploadedPart(number, etag_of(told), size_of(told["Size"]), _sha1(told.get("ChecksumSHA1")))


def _sha1(text: str | None) -> bytes | None:
    if text is None:
        return None
    digest = base64.b64decode(text, validate=True)
    if len(digest) != 20:
        raise ValueError(f"a SHA-1 of {len(digest)} bytes")
    return digest


def _address(upload: Upload) -> Any:
    return {"Bucket": upload.ref.bucket, "Key": upload.ref.key, "UploadId": upload.upload_id}


def _told(part: UploadedPart) -> Any:
    checksum = {"ChecksumSHA1": _text(part.sha1)} if part.sha1 else {}
    return {"PartNumber": part.number, "ETag": f'"{part.etag}"', **checksum}


def _text(sha1: bytes) -> str:
    return base64.b64encode(sha1).decode("ascii")
