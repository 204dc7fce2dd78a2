"""What DynamoDB says that MiniStack does not: refusals, throttling, tables in the making."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.stub import ANY, Stubber

from s3torrent.errors import (
    AccessDenied,
    EndpointUnreachable,
    HeldByAnother,
    S3TorrentError,
    StatusError,
    TableMissing,
    TableSchemaMismatch,
    Throttled,
)
from s3torrent.status.base import Claimed, Job, StatusItem
from s3torrent.status.dynamodb import SWAP_TRIES, DynamoStatus
from s3torrent.status.dynamodb_errors import translated
from s3torrent.status.dynamodb_table import PAUSES
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
REF = ObjectRef("b", "k")
JOB = Job(str(REF), ObjectVersion(REF, None, "e", 1, NOW), "policy")
URL = "http://127.0.0.1:9"


def client_error(code: str, message: str = "said", operation: str = "UpdateItem") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (client_error("AccessDeniedException"), AccessDenied, False),
        (client_error("ResourceNotFoundException"), TableMissing, False),
        (client_error("ValidationException", "The provided key element ..."), TableSchemaMismatch, False),
        (client_error("ValidationException", "Item size has exceeded the maximum"), StatusError, False),
        (client_error("ProvisionedThroughputExceededException"), Throttled, True),
        (client_error("ThrottlingException"), Throttled, True),
        (client_error("RequestLimitExceeded"), Throttled, True),
        (client_error("InternalServerError"), Throttled, True),
        (client_error("ExpiredTokenException"), EndpointUnreachable, True),
        (client_error("UnrecognizedClientException"), EndpointUnreachable, True),
        (EndpointConnectionError(endpoint_url=URL), EndpointUnreachable, True),
        (ConnectTimeoutError(endpoint_url=URL), EndpointUnreachable, True),
        (ReadTimeoutError(endpoint_url=URL), EndpointUnreachable, True),
        (ConnectionClosedError(endpoint_url=URL), EndpointUnreachable, True),
        (NoCredentialsError(), EndpointUnreachable, True),
        (ParamValidationError(report="bad"), StatusError, False),
        (client_error("SomethingNew"), StatusError, False),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else None,
)
def test_each_refusal_has_its_error(error: Any, kind: type[S3TorrentError], retryable: bool) -> None:
    ours = translated(error, "table-1", URL)
    assert (type(ours), ours.retryable) == (kind, retryable)
    assert "table-1" in ours.message
    assert "\n" not in ours.message


def test_access_denied_names_action_and_table() -> None:
    denied = translated(client_error("AccessDeniedException", "User: x is not authorized"), "table-1", URL)
    assert denied.message.startswith("dynamodb:UpdateItem on table table-1")
    assert "User: x is not authorized" in denied.message


@pytest.fixture
def client() -> Iterator[Any]:
    made = boto3.session.Session("test", "test", region_name="us-east-1").client("dynamodb", endpoint_url=URL)
    yield made
    made.close()


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    """The answers in their order; each must be asked for, and nothing beyond."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def store(client: Any, pauses: list[float]) -> DynamoStatus:
    return DynamoStatus(client, "table-1", lambda: NOW, sleep=pauses.append)


def missing(stub: Stubber, method: str) -> None:
    stub.add_client_error(method, "ResourceNotFoundException")


def described(stub: Stubber, status: str) -> None:
    table = {
        "TableStatus": status,
        "KeySchema": [{"AttributeName": "jobId", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "jobId", "AttributeType": "S"}],
    }
    stub.add_response("describe_table", {"Table": table})


def claim(store: DynamoStatus) -> Any:
    return store.claim(JOB, owner="A", lease_seconds=60)


def test_a_fresh_claim_is_one_call(store: DynamoStatus, stub: Stubber) -> None:
    stub.add_response("update_item", {})
    assert isinstance(claim(store), Claimed)


def test_a_missing_table_is_made_waited_for_and_used(
    store: DynamoStatus, stub: Stubber, pauses: list[float]
) -> None:
    missing(stub, "update_item")
    missing(stub, "describe_table")
    stub.add_response("create_table", {})
    missing(stub, "describe_table")  # DescribeTable is eventually consistent
    stub.add_client_error("create_table", "ResourceInUseException")
    described(stub, "CREATING")
    described(stub, "ACTIVE")
    expiry = {
        "TableName": "table-1",
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expiresAt"},
    }
    stub.add_response("update_time_to_live", {}, expiry)
    stub.add_response("update_item", {})
    assert isinstance(claim(store), Claimed)
    assert pauses == list(PAUSES[:3])


def test_a_table_that_another_makes_is_waited_for(
    store: DynamoStatus, stub: Stubber, pauses: list[float]
) -> None:
    missing(stub, "describe_table")
    stub.add_client_error("create_table", "ResourceInUseException")
    described(stub, "CREATING")
    described(stub, "ACTIVE")
    store.ensure()
    assert pauses == list(PAUSES[:2])


def test_expiry_that_is_enabled_already_is_fine(store: DynamoStatus, stub: Stubber) -> None:
    missing(stub, "describe_table")
    stub.add_response("create_table", {})
    described(stub, "ACTIVE")
    stub.add_client_error("update_time_to_live", "ValidationException", "TimeToLive is already enabled")
    store.ensure()


def test_the_wait_for_a_table_is_bounded(store: DynamoStatus, stub: Stubber, pauses: list[float]) -> None:
    for _ in range(len(PAUSES) + 1):
        described(stub, "CREATING")
    with pytest.raises(TableMissing, match="was not ACTIVE"):
        store.ensure()
    assert sum(pauses) < 90


def test_a_table_that_may_not_be_made_is_missing_and_says_which_action(
    store: DynamoStatus, stub: Stubber
) -> None:
    missing(stub, "update_item")
    missing(stub, "describe_table")
    stub.add_client_error("create_table", "AccessDeniedException", "not authorized")
    with pytest.raises(TableMissing, match="dynamodb:CreateTable on table table-1"):
        claim(store)


def test_a_wrong_key_is_told_even_where_the_table_may_not_be_described(
    store: DynamoStatus, stub: Stubber
) -> None:
    stub.add_client_error(
        "update_item", "ValidationException", "The provided key element does not match the schema"
    )
    stub.add_client_error("describe_table", "AccessDeniedException")
    with pytest.raises(TableSchemaMismatch, match="provided key element does not match"):
        claim(store)


def test_an_item_that_never_settles_is_left_to_the_others(store: DynamoStatus, stub: Stubber) -> None:
    for attempt in range(SWAP_TRIES):
        item = {"jobId": {"S": JOB.job_id}, "status": {"S": "FAILED"}, "attempt": {"N": str(attempt)}}
        lost(stub, item)
    with pytest.raises(HeldByAnother, match=JOB.job_id):
        claim(store)


def test_an_item_that_expired_between_look_and_write_is_claimed_afresh(
    store: DynamoStatus, stub: Stubber
) -> None:
    lost(stub, {"jobId": {"S": JOB.job_id}, "status": {"S": "FAILED"}, "attempt": {"N": "7"}})
    lost(stub, None)
    stub.add_response("update_item", {})
    assert claim(store).attempt == 1


def test_a_swap_holds_only_while_the_item_is_as_it_was_seen(store: DynamoStatus, stub: Stubber) -> None:
    seen = {
        "jobId": {"S": JOB.job_id},
        "status": {"S": "FAILED"},
        "attempt": {"N": "7"},
        "sequencer": {"S": "0A"},
    }
    lost(stub, seen)
    expected = dict.fromkeys(
        ("TableName", "Key", "UpdateExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"), ANY
    )
    condition = _Captured()
    stub.add_response(
        "update_item",
        {},
        {**expected, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", "ConditionExpression": condition},
    )
    assert claim(store).attempt == 8
    assert condition.text.count(" AND ") == 5
    assert condition.text.count("attribute_not_exists") == 3  # the lease, and the two of a reservation


def test_get_reads_what_was_written_last(store: DynamoStatus, stub: Stubber) -> None:
    asked = {"TableName": "table-1", "Key": {"jobId": {"S": "j"}}, "ConsistentRead": True}
    stub.add_response("get_item", {"Item": {"jobId": {"S": "j"}, "size": {"N": "5"}}}, asked)
    assert store.get("j") == StatusItem("j", {"size": 5})


def test_list_follows_a_shard_over_its_pages(store: DynamoStatus, stub: Stubber) -> None:
    def row(name: str, at: str) -> dict[str, dict[str, str]]:
        return {"jobId": {"S": name}, "updatedAt": {"S": at}}

    for shard in range(16):  # the merge first asks each shard for its newest
        page: dict[str, Any] = (
            {"Items": [row("c", "3")], "LastEvaluatedKey": row("c", "3")} if shard == 0 else {}
        )
        stub.add_response("query", {"Items": [], **page})
    stub.add_response("query", {"Items": [], "LastEvaluatedKey": row("b", "2")})  # a page may be empty
    stub.add_response("query", {"Items": [row("a", "1")]})
    assert [item.job_id for item in store.list()] == ["c", "a"]


def lost(stub: Stubber, item: dict[str, Any] | None) -> None:
    modeled = {"Item": item} if item else {}
    stub.add_client_error("update_item", "ConditionalCheckFailedException", modeled_fields=modeled)


class _Captured:
    """Equal to anything; keeps what it was compared with."""

    text = ""

    def __eq__(self, other: object) -> bool:
        self.text = str(other)
        return True

    __hash__ = None
