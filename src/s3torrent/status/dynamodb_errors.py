"""What botocore raises for the status table -> the errors of errors.py."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  the name is botocore's; the builtin is not wanted here
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from s3torrent.errors import (
    AccessDenied,
    EndpointUnreachable,
    S3TorrentError,
    StatusError,
    TableMissing,
    TableSchemaMismatch,
    Throttled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_dynamodb import DynamoDBClient

_UNREACHABLE = (
    ConnectionError,  # EndpointConnectionError, ConnectTimeoutError, ConnectionClosedError, SSLError
    HTTPClientError,  # ReadTimeoutError and what else urllib3 ends in
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
)
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_BY_CODE: dict[str, type[S3TorrentError]] = {
    "AccessDeniedException": AccessDenied,
    # the credentials themselves are refused
    "ExpiredTokenException": EndpointUnreachable,
    "IncompleteSignatureException": EndpointUnreachable,
    "InvalidSignatureException": EndpointUnreachable,
    "MissingAuthenticationTokenException": EndpointUnreachable,
    "UnrecognizedClientException": EndpointUnreachable,
    # later it may go
    "InternalServerError": Throttled,
    "LimitExceededException": Throttled,  # of CreateTable: too many tables in the making
    "ProvisionedThroughputExceededException": Throttled,
    "RequestLimitExceeded": Throttled,
    "ServiceUnavailable": Throttled,
    "ThrottlingException": Throttled,
}


_UNREADABLE = (
    ResponseParserError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What an answer that is none makes botocore raise, or us: no JSON, a field that is missing."""

MOST_SAID = 2000
"""Characters of a foreign message that go into ours."""


@contextmanager
def our_errors(client: DynamoDBClient, table: str) -> Iterator[None]:
    """Nothing of botocore leaves this block."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translated(error, table, client.meta.endpoint_url) from error
    except _UNREADABLE as error:
        what = one_line(f"{type(error).__name__}: {error}")
        raise EndpointUnreachable(
            f"DynamoDB table {table} at {client.meta.endpoint_url}: the answer cannot be read ({what}); "
            "expected one of DynamoDB",
            hint="look at what stands at AWS_ENDPOINT_URL, and at proxies on the way there",
        ) from error


def one_line(text: object) -> str:
    return " ".join(str(text).split())[:MOST_SAID].encode("utf-8", "replace").decode()


def code_of(error: ClientError) -> str:
    """``ResourceNotFoundException``. Text, because the lazy ``client.exceptions`` is not thread-safe."""
    return str(error.response.get("Error", {}).get("Code", ""))


def translated(error: ClientError | BotoCoreError, table: str, endpoint: str) -> S3TorrentError:
    """The error of ours that says the same, naming the action, the table and the address."""
    if not isinstance(error, ClientError):
        kind = EndpointUnreachable if isinstance(error, _UNREACHABLE) else StatusError
        return kind(f"DynamoDB table {table} at {endpoint}: {one_line(error)}")
    code = code_of(error)
    said = one_line(f"{code}: {error.response.get('Error', {}).get('Message', '')}")
    what = f"dynamodb:{error.operation_name} on table {table}"
    if code == "ResourceNotFoundException":
        return TableMissing(f"DynamoDB table {table} does not exist at {endpoint}")
    if code == "ValidationException" and ("key" in said or "index" in said):
        return TableSchemaMismatch(f"{what} does not fit the table's schema; {said}")
    return _BY_CODE.get(code, StatusError)(f"{what} at {endpoint}: {said}")
