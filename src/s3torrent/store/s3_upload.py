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
from s3torrent.store.s3 import S3Store
from s3torrent.store.s3_errors import Call, typed
from s3torrent.types import Upload, UploadedPart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from types_boto3_s3 import S3Client

    from s3torrent.types import ObjectRef, ObjectVersion

    T = TypeVar("T")
    Body = Any  # bytes | bytearray; boto3's own types do not know that it takes the second

SHA1: Literal["SHA1"] = "SHA1"

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
        answer = self._ask(
            Call("s3:PutObject", ref, absent=WriteConflict, refused=WriteConflict),
            lambda: self._client.put_object(
                Bucket=ref.bucket,
                Key=ref.key,
                Body=body,
                ContentType=content_type,
                Metadata=dict(metadata),
                ChecksumAlgorithm=SHA1,
                ChecksumSHA1=_text(sha1),
                **_condition(replaces),
            ),
        )
        return answer["ETag"].strip('"')

    def begin_upload(self, ref: ObjectRef, *, content_type: str, metadata: Mapping[str, str]) -> Upload:
        require_ascii(ref, metadata)
        answer = self._ask(
            Call("s3:PutObject", ref),
            lambda: self._client.create_multipart_upload(
                Bucket=ref.bucket,
                Key=ref.key,
                ContentType=content_type,
                Metadata=dict(metadata),
                ChecksumAlgorithm=SHA1,
            ),
        )
        return Upload(ref, answer["UploadId"])

    def upload_part(self, upload: Upload, number: int, body: Body, *, sha1: bytes) -> UploadedPart:
        answer = self._ask(
            Call("s3:PutObject", upload.ref, absent=UploadGone),
            lambda: self._client.upload_part(
                **_address(upload),
                PartNumber=number,
                Body=body,
                ChecksumAlgorithm=SHA1,
                ChecksumSHA1=_text(sha1),
            ),
        )
        return UploadedPart(number, answer["ETag"].strip('"'), len(body), sha1)

    def unfinished_uploads(self, ref: ObjectRef) -> list[Upload]:
        """A prefix finds other keys, too: those are left out."""
        call = Call("s3:ListBucketMultipartUploads", ref)
        found = [
            (upload["Initiated"], upload["UploadId"])
            for page in self._pages("list_multipart_uploads", call, Bucket=ref.bucket, Prefix=ref.key)
            for upload in page.get("Uploads", [])
            if upload["Key"] == ref.key
        ]
        return [Upload(ref, upload_id) for _, upload_id in sorted(found, reverse=True)]

    def uploaded_parts(self, upload: Upload) -> list[UploadedPart]:
        call = Call("s3:ListMultipartUploadParts", upload.ref, absent=UploadGone)
        return [
            UploadedPart(
                part["PartNumber"],
                part["ETag"].strip('"'),
                part["Size"],
                base64.b64decode(part["ChecksumSHA1"]) if "ChecksumSHA1" in part else None,
            )
            for page in self._pages("list_parts", call, **_address(upload))
            for part in page.get("Parts", [])
        ]

    def complete_upload(
        self, upload: Upload, parts: Sequence[UploadedPart], *, replaces: ObjectVersion | None
    ) -> str:
        told = [_told(part) for part in parts]
        answer = self._ask(
            Call("s3:PutObject", upload.ref, absent=UploadGone, refused=WriteConflict),
            lambda: self._client.complete_multipart_upload(
                **_address(upload), MultipartUpload={"Parts": told}, **_condition(replaces)
            ),
        )
        return answer["ETag"].strip('"')

    def abort_upload(self, upload: Upload) -> None:
        call = Call("s3:AbortMultipartUpload", upload.ref, absent=UploadGone)
        with contextlib.suppress(UploadGone):
            self._ask(call, lambda: self._client.abort_multipart_upload(**_address(upload)))

    def _pages(self, operation: Any, call: Call, **arguments: Any) -> list[Any]:
        pages = self._client.get_paginator(operation).paginate(**arguments)
        return self._ask(call, lambda: list(pages))

    def _ask(self, call: Call, request: Callable[[], T]) -> T:
        """One request, tried again while what stands in its way may pass."""

        def once() -> T:
            with typed(call):
                return request()

        return patiently(once, self._upload_patience)


def _address(upload: Upload) -> Any:
    return {"Bucket": upload.ref.bucket, "Key": upload.ref.key, "UploadId": upload.upload_id}


def _condition(replaces: ObjectVersion | None) -> Any:
    return {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": f'"{replaces.etag}"'}


def _told(part: UploadedPart) -> Any:
    checksum = {"ChecksumSHA1": _text(part.sha1)} if part.sha1 else {}
    return {"PartNumber": part.number, "ETag": f'"{part.etag}"', **checksum}


def _text(sha1: bytes) -> str:
    return base64.b64encode(sha1).decode("ascii")
