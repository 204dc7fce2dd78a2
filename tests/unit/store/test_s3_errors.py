"""Every trouble S3 can tell of has its own error, which names the action, the resource and the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    NoCredentialsError,
    ReadTimeoutError,
)

from s3torrent.errors import (
    AccessDenied,
    Archived,
    EndpointUnreachable,
    KeyTooLong,
    KeyUnusable,
    NoSuchBucket,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    S3TorrentError,
    SourceError,
    Throttled,
    UsageError,
    WriteConflict,
    WrongRegion,
)
from s3torrent.store.s3 import S3Store
from s3torrent.store.s3_errors import Call, typed
from s3torrent.types import ObjectRef
from support.breaking_proxy import s3_client
from support.ministack import MiniStack

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = ObjectRef("b", "shows/a b.bin")
HEAD = Call("s3:GetObject", REF)
READ = Call("s3:GetObject", REF, None, absent=ObjectGone, refused=ObjectChanged)
READ_VERSION = Call("s3:GetObjectVersion", REF, "v1", absent=ObjectGone, refused=ObjectChanged)
PUT = Call("s3:PutObject", REF, None, absent=WriteConflict, refused=WriteConflict)
LONG = Call("s3:GetObject", ObjectRef("b", "k" * 1025))


def answer(status: int, code: str, message: str = "said so", **more: Any) -> ClientError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": more.pop("headers", {})}
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata, **more}, "X"
    )


@pytest.mark.parametrize(
    ("call", "status", "code", "expected"),
    [
        (HEAD, 404, "404", NoSuchObject),
        (HEAD, 405, "405", NoSuchObject),
        (HEAD, 403, "403", AccessDenied),
        (HEAD, 400, "400", KeyUnusable),
        (LONG, 400, "400", KeyTooLong),
        (LONG, 400, "KeyTooLongError", KeyTooLong),
        (HEAD, 301, "301", WrongRegion),
        (READ, 404, "NoSuchKey", ObjectGone),
        (READ, 404, "NoSuchBucket", NoSuchBucket),
        (READ_VERSION, 404, "NoSuchVersion", ObjectGone),
        (READ_VERSION, 405, "MethodNotAllowed", ObjectGone),
        (READ, 412, "PreconditionFailed", ObjectChanged),
        (READ, 416, "InvalidRange", ObjectChanged),
        (READ, 403, "AccessDenied", AccessDenied),
        (READ, 403, "InvalidObjectState", Archived),
        (READ, 400, "InvalidRequest", KeyUnusable),
        (READ, 503, "SlowDown", Throttled),
        (READ, 503, "ServiceUnavailable", Throttled),
        (READ, 500, "InternalError", Throttled),
        (READ, 429, "TooManyRequests", Throttled),
        (READ, 400, "RequestTimeout", Throttled),
        (READ, 400, "ExpiredToken", AccessDenied),
        (READ, 403, "InvalidAccessKeyId", AccessDenied),
        (READ, 403, "SignatureDoesNotMatch", AccessDenied),
        (READ, 400, "AuthorizationHeaderMalformed", WrongRegion),
        (PUT, 412, "PreconditionFailed", WriteConflict),
        (PUT, 409, "ConditionalRequestConflict", WriteConflict),
        (PUT, 404, "NoSuchKey", WriteConflict),
        (PUT, 404, "NoSuchBucket", NoSuchBucket),
        (PUT, 403, "AccessDenied", AccessDenied),
        (READ, 400, "KMS.DisabledException", KeyUnusable),
        (READ, 400, "KMS.NotFoundException", KeyUnusable),
        (PUT, 400, "KMS.KMSInvalidStateException", KeyUnusable),
        (PUT, 400, "KMS.InvalidKeyUsageException", KeyUnusable),
        (READ, 400, "KMS.ThrottlingException", Throttled),
        (READ, 500, "KMS.InternalException", Throttled),
        (PUT, 501, "NotImplemented", SourceError),
        (PUT, 405, "MethodNotAllowed", WriteConflict),
        (PUT, 400, "InvalidArgument", SourceError),
    ],
)
def test_an_answer_has_its_own_error(call: Call, status: int, code: str, expected: type[S3TorrentError]):
    """Exactly that type, and one line that says what was answered about what."""
    with pytest.raises(S3TorrentError) as caught, typed(call):
        raise answer(status, code)
    assert type(caught.value) is expected
    assert "\n" not in caught.value.message
    assert call.ref.bucket in caught.value.message
    assert caught.value.hint


ROLE = "User: arn:aws:sts::123456789012:assumed-role/s3torrent/s3torrent is not authorized to perform: "
KMS_KEY = "arn:aws:kms:eu-central-1:123456789012:key/1111-2222"


@pytest.mark.parametrize(
    ("call", "said", "mend"),
    [
        (
            READ,
            f"{ROLE}kms:Decrypt on resource: {KMS_KEY} because no identity-based policy allows the kms:Decrypt action",
            f"allow kms:Decrypt on {KMS_KEY}, in the role's policy and in the key's own",
        ),
        (
            PUT,
            f"{ROLE}kms:GenerateDataKey on resource: {KMS_KEY}.",
            f"allow kms:GenerateDataKey on {KMS_KEY}, in the role's policy and in the key's own",
        ),
        (
            READ,
            f"{ROLE}kms:Decrypt on the resource associated with this ciphertext because the resource does not exist",
            "allow kms:Decrypt on the KMS key of arn:aws:s3:::b/shows/a b.bin, in the role's policy and in the key's own",
        ),
        (
            PUT,
            f'{ROLE}s3:PutObject on resource: "arn:aws:s3:::b/shows/a b.bin" because no identity-based policy allows it',
            "allow s3:PutObject on arn:aws:s3:::b/shows/a b.bin",
        ),
        (
            PUT,
            f'{ROLE}s3:PutObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy',
            "lift the policy that denies s3:PutObject on arn:aws:s3:::b/k; to allow it in another does not help",
        ),
    ],
    ids=["decrypt", "data key", "a key unnamed", "as asked", "denied"],
)
def test_the_mend_is_for_what_aws_says_is_missing(call: Call, said: str, mend: str):
    """Behind one request to S3 stand permissions of KMS as well; the hint names action and resource of the message."""
    with pytest.raises(AccessDenied) as caught, typed(call):
        raise answer(403, "AccessDenied", message=said)
    assert caught.value.hint == mend


def test_a_read_that_lacks_the_list_permission_is_told_so():
    """AWS names s3:ListBucket where the key may be missing; the hint says both."""
    said = f'{ROLE}s3:ListBucket on resource: "arn:aws:s3:::b" because no identity-based policy allows it'
    with pytest.raises(AccessDenied) as caught, typed(HEAD):
        raise answer(403, "AccessDenied", message=said)
    assert caught.value.hint.startswith("allow s3:ListBucket on arn:aws:s3:::b; ")


def test_each_trouble_of_a_kms_key_has_its_own_mend():
    """Enable it, replace it, or use one of the right kind; never the advice about SSE-C."""
    hints = {}
    for code in (
        "DisabledException",
        "NotFoundException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
    ):
        with (
            pytest.raises(KeyUnusable, match=rf"^s3:GetObject on arn.*\(KMS\.{code}\)$") as caught,
            typed(READ),
        ):
            raise answer(400, f"KMS.{code}")
        assert not caught.value.retryable
        hints[code] = caught.value.hint
    assert len(set(hints.values())) == 4
    assert "enable-key" in hints["DisabledException"]
    assert not any("SSE-C" in hint for hint in hints.values())


def test_denied_names_action_and_resource():
    """The version's own action, the ARN, and that a missing key answers the same without s3:ListBucket."""
    with pytest.raises(AccessDenied, match="said so") as caught, typed(READ_VERSION):
        raise answer(403, "AccessDenied")
    assert caught.value.message.startswith("s3:GetObjectVersion on arn:aws:s3:::b/shows/a b.bin: 403")
    assert "allow s3:GetObjectVersion on arn:aws:s3:::b/shows/a b.bin" in caught.value.hint
    assert "s3:ListBucket on arn:aws:s3:::b," in caught.value.hint
    with pytest.raises(AccessDenied) as caught, typed(PUT):
        raise answer(403, "AccessDenied")
    assert caught.value.hint == "allow s3:PutObject on arn:aws:s3:::b/shows/a b.bin"


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_bad_credentials_are_not_a_missing_permission(code: str):
    """The mend is in the credentials, not in a policy."""
    with pytest.raises(AccessDenied) as caught, typed(READ):
        raise answer(403, code)
    assert "credentials" in caught.value.hint


def test_wrong_region_names_the_right_one():
    """S3 tells it in a header."""
    with pytest.raises(WrongRegion, match="lies in region eu-west-1"), typed(HEAD):
        raise answer(301, "301", headers={"x-amz-bucket-region": "eu-west-1"})


def test_archived_names_the_class():
    """And how to restore it; never retried."""
    with pytest.raises(Archived, match="lies in GLACIER") as caught, typed(READ):
        raise answer(403, "InvalidObjectState", StorageClass="GLACIER")
    assert "restore" in caught.value.hint
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="http://there"),
        ReadTimeoutError(endpoint_url="http://there"),
        NoCredentialsError(),
        BotoCoreError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_is_an_unreachable_endpoint(error: BotoCoreError):
    """Retryable; it names the object that was asked for."""
    with pytest.raises(EndpointUnreachable, match=r"s3://b/shows/a b\.bin") as caught, typed(HEAD):
        raise error
    assert caught.value.retryable


def test_missing_credentials_say_so():
    """A client without any asks for them to be configured."""
    client = boto3.Session().client("s3", region_name="us-east-1", endpoint_url="http://127.0.0.1:1")
    try:
        with pytest.raises(EndpointUnreachable, match="credentials") as caught:
            S3Store(client).head(REF)
        assert "configure credentials" in caught.value.hint
    finally:
        client.close()


def test_what_botocore_itself_refuses():
    """A bucket name that cannot be, and a key that is empty, fail before any request."""
    client = s3_client("http://127.0.0.1:1")
    try:
        with pytest.raises(NoSuchBucket, match="'no bucket!' is not a bucket name"):
            S3Store(client).head(ObjectRef("no bucket!", "k"))
        with pytest.raises(UsageError) as caught:
            S3Store(client).head(ObjectRef("bucket", ""))
        assert "\n" not in caught.value.message
    finally:
        client.close()


@pytest.fixture(scope="module")
def strict(_no_account: None) -> Iterator[MiniStack]:
    """A MiniStack that checks IAM; its own keys are root's and may do all."""
    with MiniStack({"AUTH": "true"}) as stack:
        yield stack


class TestOnMiniStack:
    """The same from a server's own answers."""

    @pytest.fixture
    def nobody(self, strict: MiniStack) -> Iterator[Any]:
        """An S3 client of a user without any policy."""
        iam = strict.client("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        client = s3_client(
            strict.endpoint,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        yield client
        client.close()

    def test_a_user_without_permission(self, strict: MiniStack, nobody: Any):
        """Head, read and put each name their action on the resource."""
        ref = ObjectRef("private", "a.bin")
        root = strict.client("s3")
        root.create_bucket(Bucket=ref.bucket)
        root.put_object(Bucket=ref.bucket, Key=ref.key, Body=b"content")
        version = S3Store(root).head(ref).version
        store = S3Store(nobody)
        with pytest.raises(AccessDenied, match=r"s3:GetObject on arn:aws:s3:::private/a\.bin"):
            store.head(ref)
        with pytest.raises(AccessDenied, match=r"s3:GetObject on arn:aws:s3:::private/a\.bin"):
            list(store.read(version, 0, 7))
        with pytest.raises(AccessDenied, match=r"s3:PutObject on arn:aws:s3:::private/a\.bin"):
            store.put(ref, b"x", replaces=version, content_type="text/plain", metadata={})

    def test_an_archived_object(self, ministack: MiniStack, bucket: str):
        """HEAD works and tells the class; reading is Archived."""
        ref = ObjectRef(bucket, "a.bin")
        ministack.client("s3").put_object(Bucket=bucket, Key=ref.key, Body=b"content", StorageClass="GLACIER")
        store = S3Store(ministack.client("s3"))
        head = store.head(ref)
        assert head.storage_class == "GLACIER"
        with pytest.raises(Archived, match="GLACIER"):
            list(store.read(head.version, 0, 7))

    def test_an_object_under_a_customers_key(self, ministack: MiniStack, bucket: str):
        """S3 says only 400; the hint says what that means."""
        ministack.client("s3").put_object(
            Bucket=bucket,
            Key="a.bin",
            Body=b"content",
            SSECustomerAlgorithm="AES256",
            SSECustomerKey="k" * 32,
        )
        with pytest.raises(KeyUnusable) as caught:
            S3Store(ministack.client("s3")).head(ObjectRef(bucket, "a.bin"))
        assert "SSE-C" in caught.value.hint

    def test_a_version_before_versioning_has_the_id_null(self, ministack: MiniStack, bucket: str):
        """It is pinned and read by that id, and is itself again after an overwrite."""
        client = ministack.client("s3")
        client.put_object(Bucket=bucket, Key="a.bin", Body=b"before")
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        store = S3Store(client)
        ref = ObjectRef(bucket, "a.bin")
        version = store.head(ref).version
        client.put_object(Bucket=bucket, Key="a.bin", Body=b"after")
        older = store.head(ref, "null").version
        assert (older.version_id, older.etag) == ("null", version.etag)
        assert b"".join(bytes(chunk) for chunk in store.read(older, 0, 6)) == b"before"
