"""Objects in S3, or in whatever speaks its protocol."""

from __future__ import annotations

import contextlib
import math
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from s3torrent.errors import (
    EndpointUnreachable,
    NoSuchBucket,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    SourceError,
    WriteConflict,
)
from s3torrent.store.base import READ_CHUNK, read_whole, require_ascii
from s3torrent.store.resume import Patience, resuming
from s3torrent.store.s3_answers import etag_of, modified_of, size_of
from s3torrent.store.s3_body import body_chunks
from s3torrent.store.s3_checksums import ATTRIBUTES, MOST_PAGES, PAGE_PARTS, content_sha1, part_page
from s3torrent.store.s3_errors import BROKEN, UNREADABLE, Call, one_line, typed
from s3torrent.store.s3_kept import headers_of, kept_of
from s3torrent.store.s3_listing import listed
from s3torrent.types import TORRENT_SUFFIX, ObjectHead, ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from types_boto3_s3 import S3Client

    from s3torrent.types import PartSha1


BUCKET_SEEN_SECONDS = 60.0
"""How long a bucket that was there is taken to be there still."""


class S3Store:
    """``client`` is a low-level boto3 S3 client; threads may share it and this store.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, API_HeadObject, API_PutObject and
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """

    def __init__(self, client: S3Client, patience: Patience | None = None) -> None:
        self._client = client
        self._patience = patience or Patience()
        self._seen: dict[str, float] = {}

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        try:
            return self._head_with_sha1(ref, version_id) or self._head(ref, version_id)
        except NoSuchObject:
            self._require_bucket(ref.bucket)
            raise

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        buffer = memoryview(bytearray(min(READ_CHUNK, end - start)))
        return resuming(
            lambda position: self._stream(version, position, end, buffer),
            start,
            end,
            name=str(version),
            patience=self._patience,
        )

    def list_objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[ObjectVersion]:
        return listed(self._client, self._patience, bucket, prefix, after)

    def part_sha1s(self, version: ObjectVersion) -> Iterator[Sequence[PartSha1]]:
        """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html"""
        action = "s3:GetObjectVersionAttributes" if version.version_id else "s3:GetObjectAttributes"
        call = Call(action, version.ref, version.version_id, absent=ObjectGone, refused=ObjectChanged)
        after = 0
        marker: Any = {}
        for _ in range(MOST_PAGES):
            with typed(call):
                answer = self._client.get_object_attributes(
                    **_address(version.ref, version.version_id),
                    ObjectAttributes=ATTRIBUTES,
                    MaxParts=PAGE_PARTS,
                    **marker,
                )
                parts, following = part_page(answer, version, after)
            yield parts
            if following is None:
                return
            after, marker = following, {"PartNumberMarker": following}
        raise EndpointUnreachable(f"{call}: more than {MOST_PAGES} pages of parts")

    def get(self, ref: ObjectRef, max_bytes: int) -> bytes:
        return read_whole(self, ref, max_bytes)

    def put(
        self,
        ref: ObjectRef,
        body: bytes,
        *,
        replaces: ObjectVersion | None,
        content_type: str,
        metadata: Mapping[str, str],
        like: ObjectHead | None = None,
    ) -> ObjectHead:
        """``last_modified`` is the time of the answer, S3's own but for a second or so.

        A WriteConflict may also mean that our own write arrived and its answer was lost: look what is there.
        """
        require_ascii(ref, metadata)
        kept: Any = {"ContentType": content_type, **(kept_of(self._client, like) if like else {})}
        with typed(Call("s3:PutObject", ref, absent=WriteConflict, refused=WriteConflict)):
            answer = self._client.put_object(
                Bucket=ref.bucket,
                Key=ref.key,
                Body=body,
                Metadata=dict(metadata),
                **kept,
                **condition_of(replaces),
            )
            version_id, etag = answer.get("VersionId"), etag_of(answer)
        return ObjectHead(
            ObjectVersion(ref, version_id, etag, len(body), _answered_at(answer)), dict(metadata)
        )

    def remove(self, version: ObjectVersion) -> None:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html"""
        call = Call("s3:DeleteObject", version.ref, refused=WriteConflict)
        with contextlib.suppress(NoSuchObject), typed(call):
            self._client.delete_object(
                Bucket=version.ref.bucket, Key=version.ref.key, IfMatch=f'"{version.etag}"'
            )

    def _head_with_sha1(self, ref: ObjectRef, version_id: str | None) -> ObjectHead | None:
        """None where the question is refused or not wanted: HEAD without it, or reading, says why.

        Under a KMS key it takes kms:Decrypt, which a plain HEAD does not. Of a .torrent nobody asks: where it
        is missing, a role without s3:ListBucket is refused each time.
        """
        if ref.key.endswith(TORRENT_SUFFIX):
            return None
        try:
            return self._head(ref, version_id, ChecksumMode="ENABLED")
        except NoSuchObject:
            raise
        except SourceError as error:
            if error.retryable:
                raise
        return None

    def _head(self, ref: ObjectRef, version_id: str | None, **options: Any) -> ObjectHead:
        with typed(_get_call(ref, version_id)):
            found = _head(ref, self._client.head_object(**_address(ref, version_id), **options))
        self._seen[ref.bucket] = time.monotonic()
        return found

    def _stream(
        self, version: ObjectVersion, position: int, end: int, buffer: memoryview
    ) -> Generator[memoryview | bytes]:
        """One GET of bytes [position, end); breaks where its connection does."""
        call = _get_call(version.ref, version.version_id, absent=ObjectGone, refused=ObjectChanged)
        with typed(call):
            answer = self._client.get_object(
                **_address(version.ref, version.version_id),
                Range=f"bytes={position}-{end - 1}",
                IfMatch=f'"{version.etag}"',
            )
        body = answer["Body"]
        try:
            with typed(call):
                skip = position - _first_byte(answer, version, position)
        except BaseException:
            body.close()
            raise
        yield from body_chunks(body, skip, end - position, buffer)

    def _require_bucket(self, bucket: str) -> None:
        """Tell a missing bucket from a missing key: a HEAD's 404 has no body to say which it was."""
        if time.monotonic() - self._seen.get(bucket, -math.inf) < BUCKET_SEEN_SECONDS:
            return
        try:
            self._client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise NoSuchBucket(f"bucket {bucket} does not exist") from error
        except (BotoCoreError, *BROKEN, *UNREADABLE):
            pass


def _head(ref: ObjectRef, answer: Any) -> ObjectHead:
    return ObjectHead(
        ObjectVersion(
            ref,
            answer.get("VersionId"),
            etag_of(answer),
            size_of(answer["ContentLength"]),
            modified_of(answer),
            content_sha1(answer),
        ),
        {name.lower(): value for name, value in answer.get("Metadata", {}).items()},
        answer.get("StorageClass", "STANDARD"),
        headers_of(answer),
    )


def _get_call(
    ref: ObjectRef,
    version_id: str | None,
    *,
    absent: type[SourceError] = NoSuchObject,
    refused: type[SourceError] = ObjectChanged,
) -> Call:
    """HeadObject needs the same permission as GetObject."""
    return Call("s3:GetObjectVersion" if version_id else "s3:GetObject", ref, version_id, absent, refused)


def _address(ref: ObjectRef, version_id: str | None) -> Any:
    address = {"Bucket": ref.bucket, "Key": ref.key}
    return {**address, "VersionId": version_id} if version_id else address


def _first_byte(answer: Any, version: ObjectVersion, position: int) -> int:
    """Where the body begins: a server may ignore Range and send it all (RFC 9110, 14.2).

    Raises ObjectChanged unless the answer tells of the same object: some servers ignore If-Match too.
    """
    content_range = answer.get("ContentRange", "")
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", content_range)
    first, size = (int(match[1]), int(match[2])) if match else (0, answer["ContentLength"])
    etag = answer.get("ETag", "").strip('"')
    if (etag, size) != (version.etag, version.size) or first > position:
        found = one_line(f"ETag {etag}, {content_range or f'{size} bytes'}")[:200]
        raise ObjectChanged(
            f"{version} now answers with {found}; expected {version.size} bytes, ETag {version.etag}"
        )
    return first


def _answered_at(answer: Any) -> datetime:
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):  # none, or none that a calendar has
        return datetime.now(UTC).replace(microsecond=0)


def condition_of(replaces: ObjectVersion | None) -> Any:
    return {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": f'"{replaces.etag}"'}
