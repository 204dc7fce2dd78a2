"""What an object written over keeps: what HEAD tells of it, and its tags where they may be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from s3torrent.errors import Throttled
from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = ObjectRef("b", "a.torrent")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEADERS = {
    "CacheControl": "max-age=60",
    "ContentDisposition": "attachment",
    "ContentEncoding": "identity",
    "ContentLanguage": "de",
    "ContentType": "application/x-mine",
    "Expires": NOW,
    "StorageClass": "STANDARD_IA",
    "WebsiteRedirectLocation": "/b",
    "ServerSideEncryption": "aws:kms",
    "SSEKMSKeyId": "arn:aws:kms:eu-central-1:1:key/k",
    "BucketKeyEnabled": True,
}
ASKED = {"Bucket": "b", "Key": "a.torrent"}


@pytest.fixture
def s3() -> Iterator[tuple[S3Store, Stubber]]:
    client = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    with Stubber(client) as stub:
        yield S3Store(client), stub
    client.close()


def written(s3: tuple[S3Store, Stubber], kept: dict[str, Any]) -> None:
    """Read, and written over; ``kept`` goes into PutObject."""
    store, stub = s3
    found = store.head(REF)
    put = {**ASKED, "Body": b"x", "Metadata": {"m": "n"}, "IfMatch": '"e"', **kept}
    stub.add_response("put_object", {"ETag": '"f"', "ResponseMetadata": {"HTTPHeaders": {}}}, put)
    store.put(REF, b"x", replaces=found.version, content_type="usual", metadata=found.metadata, like=found)
    stub.assert_no_pending_responses()


def headed(stub: Stubber, **told: Any) -> None:
    answer = {"ETag": '"e"', "ContentLength": 1, "LastModified": NOW, "Metadata": {"m": "n"}, **told}
    stub.add_response("head_object", answer, ASKED)


def test_headers_storage_and_key_stay(s3: tuple[S3Store, Stubber]) -> None:
    headed(s3[1], **HEADERS)
    written(s3, HEADERS)


def test_encryption_that_is_the_same_for_all_is_left_to_the_bucket(s3: tuple[S3Store, Stubber]) -> None:
    headed(s3[1], ServerSideEncryption="AES256")
    written(s3, {"ContentType": "usual"})


def test_tags_stay(s3: tuple[S3Store, Stubber]) -> None:
    headed(s3[1], TagCount=2)
    tags = [{"Key": "a b", "Value": "c&d"}, {"Key": "e", "Value": ""}]
    s3[1].add_response("get_object_tagging", {"TagSet": tags}, ASKED)
    written(s3, {"ContentType": "usual", "Tagging": "a+b=c%26d&e="})


def test_tags_that_may_not_be_read_are_left_out(s3: tuple[S3Store, Stubber]) -> None:
    headed(s3[1], TagCount=2)
    s3[1].add_client_error("get_object_tagging", "AccessDenied", http_status_code=403)
    written(s3, {"ContentType": "usual"})


def test_tags_that_cannot_be_read_now_end_the_write(s3: tuple[S3Store, Stubber]) -> None:
    headed(s3[1], TagCount=2)
    s3[1].add_client_error("get_object_tagging", "SlowDown", http_status_code=503)
    with pytest.raises(Throttled):
        written(s3, {})
