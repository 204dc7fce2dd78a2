"""The status table itself: its definition, its making, and the check that a table found is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from s3torrent.errors import AccessDenied, TableMissing, TableSchemaMismatch
from s3torrent.status.dynamodb_errors import code_of, one_line, our_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TableDescriptionTypeDef

KEY = "jobId"
INDEX = "status-updatedAt"
EXPECTED_KEY = f"{KEY} (S, HASH)"

PAUSES = (0.1, 0.2, 0.4, 0.8, *(1.0,) * 60)
"""Seconds between two looks at a table that is not ACTIVE yet; AWS takes some 10 s to make one."""

_USABLE = frozenset({"ACTIVE", "UPDATING"})  # UPDATING: e.g. an index is being added


def ensure_table(
    client: DynamoDBClient, table: str, *, create_missing: bool, sleep: Callable[[float], None]
) -> None:
    """Return once the table is there, usable and of our schema; made by us, or by another at the same time.

    Needs dynamodb:DescribeTable, and CreateTable and UpdateTimeToLive to make it. Raises TableMissing (not
    there and not to be made, or not ACTIVE in about a minute), TableSchemaMismatch, AccessDenied, Throttled,
    EndpointUnreachable.
    """
    ours = False
    for pause in (*PAUSES, 0.0):
        description = _describe(client, table)
        if description is None:
            if not create_missing:
                raise TableMissing(f"DynamoDB table {table} does not exist at {client.meta.endpoint_url}")
            ours = _create(client, table) or ours
        elif str(description.get("TableStatus")) in _USABLE:
            check_schema(table, description)
            if ours:
                _enable_expiry(client, table)
            return
        sleep(pause)
    raise TableMissing(
        f"DynamoDB table {table} was not ACTIVE {sum(PAUSES):.0f} s after it was first looked for",
        hint="look at the table in the DynamoDB console, then send the event again",
    )


def require_schema(client: DynamoDBClient, table: str) -> None:
    """Raise TableSchemaMismatch if the table is there and not ours; say nothing where it may not be seen."""
    try:
        description = _describe(client, table)
    except AccessDenied:
        return
    if description is not None:
        check_schema(table, description)


def check_schema(table: str, description: TableDescriptionTypeDef) -> None:
    types = {
        each.get("AttributeName"): each.get("AttributeType")
        for each in description.get("AttributeDefinitions", [])
    }
    found = ", ".join(
        f"{each.get('AttributeName')} ({types.get(each.get('AttributeName')) or '?'}, {each.get('KeyType')})"
        for each in description.get("KeySchema", [])
    )
    if found != EXPECTED_KEY:
        told = one_line(found)
        raise TableSchemaMismatch(f"DynamoDB table {table} has the key {told}; expected {EXPECTED_KEY}")


def _describe(client: DynamoDBClient, table: str) -> TableDescriptionTypeDef | None:
    try:
        with our_errors(client, table):
            return client.describe_table(TableName=table)["Table"]
    except TableMissing:
        return None


def _create(client: DynamoDBClient, table: str) -> bool:
    """Whether it was this call that made it; another's is as good."""
    try:
        with our_errors(client, table):
            try:
                client.create_table(
                    TableName=table,
                    BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
                    AttributeDefinitions=[
                        {"AttributeName": KEY, "AttributeType": "S"},
                        {"AttributeName": "statusShard", "AttributeType": "S"},
                        {"AttributeName": "updatedAt", "AttributeType": "S"},
                    ],
                    GlobalSecondaryIndexes=[
                        {
                            "IndexName": INDEX,
                            "KeySchema": [
                                {"AttributeName": "statusShard", "KeyType": "HASH"},
                                {"AttributeName": "updatedAt", "KeyType": "RANGE"},
                            ],
                            "Projection": {"ProjectionType": "ALL"},
                        }
                    ],
                )
            except ClientError as error:
                if code_of(error) != "ResourceInUseException":
                    raise
                return False
            return True
    except AccessDenied as denied:
        raise TableMissing(
            f"DynamoDB table {table} does not exist and was not made: {denied.message}"
        ) from denied


def _enable_expiry(client: DynamoDBClient, table: str) -> None:
    """Items that carry ``expiresAt`` (epoch seconds) go away by themselves; those without stay."""
    with our_errors(client, table):
        try:
            client.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiresAt"}
            )
        except ClientError as error:  # "TimeToLive is already enabled": an earlier, lost answer of ours
            if code_of(error) != "ValidationException":
                raise
