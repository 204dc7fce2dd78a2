"""The current objects of a bucket, a page at a time.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.errors import NoSuchBucket, SourceError
from s3torrent.store.resume import Patience, patiently
from s3torrent.store.s3_answers import etag_of, modified_of, plain, size_of
from s3torrent.store.s3_errors import Call, typed
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3 import S3Client

LIST = "s3:ListBucket"
PAGE_KEYS = 1000
"""The most that S3 puts on a page."""


def listed(
    client: S3Client, patience: Patience, bucket: str, prefix: str, after: str
) -> Iterator[ObjectVersion]:
    """What ``ObjectLister.list_objects`` promises. Memory: one page."""
    call = Call(LIST, ObjectRef(bucket, prefix), absent=NoSuchBucket)
    onward: Any = {"StartAfter": after} if after else {}
    while onward is not None:
        page, onward = patiently(lambda place=onward: _page(client, call, place), patience)  # type: ignore[misc]
        for version in page:
            if version.ref.key <= after or not version.ref.key.startswith(prefix):
                raise SourceError(
                    f"{call}: found {version.ref.key!r} after {after!r}, expected keys that begin with "
                    f"{prefix!r}, in the order of their UTF-8 bytes",
                    hint="name objects one by one: neither a directory bucket (S3 Express One Zone) nor what "
                    "else answers so can be listed from a key on",
                )
            after = version.ref.key
            yield version


def _page(client: S3Client, call: Call, onward: Any) -> tuple[list[ObjectVersion], Any]:
    """One page, and what asks for the next; None where it was the last."""
    bucket = call.ref.bucket
    with typed(call):
        answer = client.list_objects_v2(
            Bucket=bucket, Prefix=call.ref.key, EncodingType="url", MaxKeys=PAGE_KEYS, **onward
        )
        found = [
            ObjectVersion(
                ObjectRef(bucket, plain(answer, one["Key"])),
                None,
                etag_of(one),
                size_of(one["Size"]),
                modified_of(one),
                sha1_told="SHA1" in one.get("ChecksumAlgorithm", ()),
            )
            for one in answer.get("Contents", [])
        ]
        if not answer.get("IsTruncated"):
            return found, None
        if not found:
            raise ValueError("a page without keys that is not the last")
        return found, {"ContinuationToken": answer["NextContinuationToken"]}
