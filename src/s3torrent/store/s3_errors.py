"""From what botocore raises to ``errors``: every message names the action and the resource."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from s3torrent.errors import (
    AccessDenied,
    Archived,
    EndpointUnreachable,
    KeyTooLong,
    KeyUnusable,
    NoSuchBucket,
    NoSuchObject,
    ReadInterrupted,
    S3TorrentError,
    SourceError,
    Throttled,
    UsageError,
    WriteConflict,
    WrongRegion,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.types import ObjectRef

MAX_KEY_BYTES = 1024
MOST_SAID = 2000
"""Characters of a foreign message that go into ours: a status item holds 400 KB."""

BROKEN = (HTTPError, HTTPException, OSError)
"""What a connection that breaks makes urllib3 and http.client raise where botocore does not stand between."""
UNREADABLE = (
    ResponseParserError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What an answer that is none makes botocore raise, or us: no XML, no date, a field that is missing."""

_BAD_CREDENTIALS = frozenset(
    {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
)
_OTHER_REGION = frozenset(
    {"301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_SLOW_DOWN = frozenset({"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException"})
_BAD_REQUEST_HINT = (
    "S3 answers so for an object under a customer's own key (SSE-C), which cannot be read without it, "
    "for an expired session token, and for a malformed version id"
)
_NOT_IMPLEMENTED_HINT = (
    "what answers at AWS_ENDPOINT_URL cannot do this; expected an S3 with conditional writes "
    "(If-None-Match, If-Match)"
)
_REFUSED_HINT = (
    "the code in brackets says what S3 dislikes in the request: look at the bucket's encryption and object "
    "lock, and at AWS_ENDPOINT_URL"
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_NOT_AUTHORIZED = re.compile(
    r"not authorized to perform: (?P<action>[\w-]+:\w+)"
    r'(?: on resource: (?P<resource>"[^"]+"|\S+?(?=[.,]?(?:\s|$))))?'
)
# KMS speaks through S3: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
_KMS_LATER = frozenset(
    {
        "KMS.DependencyTimeoutException",
        "KMS.InternalException",
        "KMS.KMSInternalException",
        "KMS.ThrottlingException",
    }
)
_KMS_HINTS = {
    "KMS.DisabledException": "enable the KMS key (aws kms enable-key), then send the event again",
    "KMS.NotFoundException": "the KMS key is gone or lies in another region: copy the object under one that "
    "is there, and name it in the bucket's encryption",
    "KMS.InvalidKeyUsageException": "expected a symmetric KMS key for encryption and decryption",
}
_CHECK_CREDENTIALS = "check the credentials (aws sts get-caller-identity) and the machine's clock"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its IAM action on its object, and what a 404 (``absent``) and a 412 (``refused``) mean."""

    action: str
    ref: ObjectRef
    version_id: str | None = None
    absent: type[SourceError] = NoSuchObject
    refused: type[SourceError] = WriteConflict

    @property
    def resource(self) -> str:
        of_bucket = (
            self.action == "s3:ListBucket"
        )  # the prefix is no part of what is allowed, only of a condition
        return f"arn:aws:s3:::{self.ref.bucket}" + ("" if of_bucket else f"/{self.ref.key}")

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"

    @property
    def target(self) -> str:
        return f"{self.ref} (version {self.version_id})" if self.version_id else str(self.ref)


@contextlib.contextmanager
def typed(call: Call) -> Iterator[None]:
    """Run one request and read its answer; whatever that raises leaves as one of ``errors``."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, call) from error
    except BotoCoreError as error:
        raise _of_connection(error, call) from error
    except BROKEN as error:  # in the body of an error, which botocore reads without a wrapper of its own
        raise ReadInterrupted(f"{call.target}: the connection broke: {one_line(error)}") from error
    except UNREADABLE as error:
        what = one_line(f"{type(error).__name__}: {error}")
        raise EndpointUnreachable(
            f"{call}: the answer cannot be read ({what}); expected one of S3",
            hint="look at what stands at AWS_ENDPOINT_URL, and at proxies on the way there",
        ) from error


def one_line(text: object) -> str:
    """What a server said, as part of a message of ours."""
    return " ".join(str(text).split())[:MOST_SAID].encode("utf-8", "replace").decode()


def _of_answer(error: ClientError, call: Call) -> S3TorrentError:
    """The server answered, with an error. HEAD has no body: its code is then the status, "404".

    Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    response: Any = error.response
    status = int(response["ResponseMetadata"].get("HTTPStatusCode", 0))
    told = response.get("Error", {})  # there is none in a proxy's own page
    code = one_line(told.get("Code") or "")[:100]
    said = f"{status} {one_line(told.get('Message') or code)}"
    if code.startswith("KMS."):
        return _of_key(code, f"{call}: {said} ({code})")
    return _by_code(code, said, response, call) or _by_status(status, f"{said} ({code})", call)


def _of_key(code: str, message: str) -> S3TorrentError:
    if code in _KMS_LATER:
        return Throttled(message)
    return KeyUnusable(message, hint=_KMS_HINTS.get(code))


def _by_code(code: str, said: str, response: Any, call: Call) -> S3TorrentError | None:
    if code in _BAD_CREDENTIALS:
        return AccessDenied(f"{call}: {said}", hint=_CHECK_CREDENTIALS)
    if code in _OTHER_REGION:
        return WrongRegion(f"bucket {call.ref.bucket} lies in region {_region(response)}: {said}")
    if code == "NoSuchBucket":
        return NoSuchBucket(f"bucket {call.ref.bucket} does not exist")
    if code == "InvalidObjectState":
        place = one_line(response.get("StorageClass") or "an archive")[:40]
        return Archived(f"{call.target} lies in {place}: {said}")
    if code == "BadDigest":  # the body arrived damaged
        return ReadInterrupted(f"{call}: {said}")
    return Throttled(f"{call}: {said}") if code in _SLOW_DOWN else None


def _by_status(status: int, said: str, call: Call) -> S3TorrentError:
    if status in {429, 500, 502, 503, 504}:
        return Throttled(f"{call}: {said}")
    if status in {409, 412, 416}:
        return call.refused(f"{call.target} is not what was expected any more: {said}")
    if status in {404, 405}:  # 405: the version asked for is a delete marker
        return call.absent(f"{call.target} does not exist: {said}")
    if status in {401, 403}:
        return AccessDenied(f"{call}: {said}", hint=_permission_hint(said, call))
    if status == 400:
        return _of_bad_request(said, call)
    return SourceError(f"{call}: {said}", hint=_NOT_IMPLEMENTED_HINT if status == 501 else _REFUSED_HINT)


def _of_bad_request(said: str, call: Call) -> S3TorrentError:
    length = len(call.ref.key.encode())
    if length > MAX_KEY_BYTES:
        return KeyTooLong(f"{call.target}: the key has {length} bytes, at most {MAX_KEY_BYTES} are possible")
    if call.action.startswith("s3:Get"):
        return KeyUnusable(f"{call}: {said}", hint=_BAD_REQUEST_HINT)
    return SourceError(f"{call}: {said}", hint=_REFUSED_HINT)


def _of_connection(error: BotoCoreError, call: Call) -> S3TorrentError:
    """No answer, or no request could be made."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return EndpointUnreachable(
            f"{call.target}: {one_line(error)}", hint="configure credentials (aws configure, or a role)"
        )
    if isinstance(error, ParamValidationError):
        if "bucket name" in str(error):
            return NoSuchBucket(f"{call.ref.bucket!r} is not a bucket name")
        return UsageError(f"{call.target}: {one_line(error)}", hint="correct the bucket and the key")
    return EndpointUnreachable(f"{call.target}: {one_line(error)}")


def _region(response: Any) -> str:
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return one_line(
        headers.get("x-amz-bucket-region") or response.get("Error", {}).get("Region") or "unknown"
    )[:40]


def _permission_hint(said: str, call: Call) -> str:
    """What AWS names as missing, where it does: behind one request stand several, of KMS's too."""
    named = _NOT_AUTHORIZED.search(said)
    action = named["action"] if named else call.action
    of_key = action.startswith("kms:")
    resource = f"the KMS key of {call.resource}" if of_key else call.resource
    if named and named["resource"]:
        resource = named["resource"].strip('"')
    what = f"{action} on {resource}"
    if "explicit deny" in said:
        return f"lift the policy that denies {what}; to allow it in another does not help"
    if of_key:
        return f"allow {what}, in the role's policy and in the key's own"
    hint = f"allow {what}"
    if call.action.startswith("s3:Get"):
        hint += f"; without s3:ListBucket on arn:aws:s3:::{call.ref.bucket}, a missing key also answers 403"
    return hint
