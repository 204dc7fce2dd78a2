"""What an object keeps when it is written over: the headers it is served with, its storage, its tags.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html and API_PutObject
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from s3torrent.errors import AccessDenied
from s3torrent.store.s3_errors import Call, typed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from s3torrent.types import ObjectHead

KEPT = (
    *("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"),
    *("StorageClass", "WebsiteRedirectLocation"),
)
"""Parts of HEAD's answer that PutObject takes by the same name."""
OF_KEY = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
TAGS = "TagCount"
"""How many tags it has; told only to those who may read them."""


def headers_of(answer: Any) -> dict[str, Any]:
    """Of HEAD's answer. Encryption where it is by KMS: the other is the same for all."""
    by_kms = str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")
    names = (*KEPT, *(OF_KEY if by_kms else ()), TAGS)
    return {name: answer[name] for name in names if answer.get(name)}


def kept_of(client: S3Client, like: ObjectHead) -> dict[str, Any]:
    """Arguments of PutObject. Asks for the tags where there are some; left out where they may not be read.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
    """
    kept = {name: value for name, value in like.headers.items() if name != TAGS}
    if not like.headers.get(TAGS):
        return kept
    ref = like.version.ref
    try:
        with typed(Call("s3:GetObjectTagging", ref)):
            answer = client.get_object_tagging(Bucket=ref.bucket, Key=ref.key)
            tags = [(tag["Key"], tag["Value"]) for tag in answer["TagSet"]]
    except AccessDenied:
        return kept
    return {**kept, "Tagging": urlencode(tags)}
