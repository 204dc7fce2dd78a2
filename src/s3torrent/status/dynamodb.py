"""The status store in DynamoDB: a new object is claimed by one conditional write, every later one is fenced.

A lease is written by one machine's clock and judged by another's: choose leases long against their skew.
"""

from __future__ import annotations

import heapq
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from s3torrent.errors import HeldByAnother, TableMissing, TableSchemaMismatch
from s3torrent.status.base import StatusItem
from s3torrent.status.changes import SHARDS, claiming, finishing, noting, renewing
from s3torrent.status.decide import MayClaim, decide, may_note
from s3torrent.status.dynamodb_errors import code_of, our_errors
from s3torrent.status.dynamodb_table import INDEX, KEY, ensure_table, require_schema
from s3torrent.status.dynamodb_update import (
    Placeholders,
    is_current,
    is_current_or_ended,
    unchanged,
    update_arguments,
)
from s3torrent.status.dynamodb_values import from_attributes, to_value
from s3torrent.status.lease import granted, lost, prolonged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from types_boto3_dynamodb import DynamoDBClient

    from s3torrent.status.base import Claimed, ClaimResult, Job
    from s3torrent.status.changes import Change
    from s3torrent.status.dynamodb_update import Condition

SWAP_TRIES = 8
"""How often an item may change between our look and our write before we give way to the others."""

PAGE = 100
"""Items asked for at once from one shard of the listing index."""


class _NotAsExpected(Exception):  # a turn of events, not an error; it never leaves this module
    """The condition of a write did not hold; ``found`` is the item as it is, None where there is none."""

    def __init__(self, found: StatusItem | None) -> None:
        super().__init__()
        self.found = found


class DynamoStatus:
    """``client`` is a boto3 DynamoDB client (the low-level one), ``clock`` gives the aware present instant.

    A missing table is made on first use and waited for, unless ``create_missing`` is False.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        clock: Callable[[], datetime],
        *,
        create_missing: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._create_missing = create_missing
        self._sleep = sleep

    def ensure(self) -> None:
        """Make the table where it is missing, wait until it is ACTIVE, and check that it is ours."""
        ensure_table(self._client, self._table, create_missing=self._create_missing, sleep=self._sleep)

    def claim(self, job: Job, *, owner: str, lease_seconds: float, redo: bool = False) -> ClaimResult:
        seen: StatusItem | None = None  # most objects are new: write at once, and look only where that fails
        for _ in range(SWAP_TRIES):
            now = self._clock()
            verdict = decide(seen, job, now, redo=redo)
            if not isinstance(verdict, MayClaim):
                return verdict
            claim = granted(job.job_id, verdict.attempt, owner, now, lease_seconds)
            try:
                self._write(job.job_id, claiming(job, claim, seen, now), unchanged(seen))
            except _NotAsExpected as other:
                seen = other.found
            else:
                return claim
        raise self._contended(job.job_id)

    def renew(self, claim: Claimed, *, lease_seconds: float, status: str, bytes_hashed: int) -> Claimed:
        now = self._clock()
        renewed = prolonged(claim, now, lease_seconds)
        self._write_fenced(claim, renewing(renewed, status, bytes_hashed, now), is_current(claim))
        return renewed

    def finish(self, claim: Claimed, status: str, attributes: Mapping[str, Any]) -> None:
        change = finishing(status, attributes, self._clock())
        self._write_fenced(claim, change, is_current_or_ended(claim, status))

    def note(
        self, job_id: str, status: str, attributes: Mapping[str, Any], *, sequencer: str | None = None
    ) -> bool:
        seen: StatusItem | None = None
        for _ in range(SWAP_TRIES):
            now = self._clock()
            if not may_note(seen, sequencer, now):
                return False
            change = noting(job_id, status, attributes, sequencer=sequencer, seen=seen, now=now)
            try:
                self._write(job_id, change, unchanged(seen))
            except _NotAsExpected as other:
                seen = other.found
            else:
                return True
        raise self._contended(job_id)

    def get(self, job_id: str) -> StatusItem | None:
        answer = self._call("get_item", Key={KEY: to_value(job_id)}, ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

    def list(self, *, status: str | None = None, limit: int = 1000) -> list[StatusItem]:
        """Through the listing index, a moment behind the table. Raises TableSchemaMismatch without it."""
        shards = (self._shard(shard, status) for shard in SHARDS)
        newest_first = heapq.merge(*shards, key=lambda item: str(item.get("updatedAt")), reverse=True)
        return list(islice(newest_first, limit))

    def _shard(self, shard: str, status: str | None) -> Iterator[StatusItem]:
        """One partition of the index, newest first, a page at a time as it is consumed."""
        to = Placeholders()
        query: dict[str, Any] = {
            "IndexName": INDEX,
            "KeyConditionExpression": to.equal("statusShard", shard),
            "ScanIndexForward": False,
        }
        if status is None:
            query["Limit"] = PAGE
        else:  # the filter works on what a page has read: pages stay as large as they get (1 MB)
            query["FilterExpression"] = to.equal("status", status)
        query |= {"ExpressionAttributeNames": to.names, "ExpressionAttributeValues": to.values}
        while True:
            page = self._call("query", **query)
            yield from map(_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write_fenced(self, claim: Claimed, change: Change, condition: Condition) -> None:
        try:
            self._write(claim.job_id, change, condition)
        except _NotAsExpected as other:
            raise lost(claim, other.found) from None

    def _write(self, job_id: str, change: Change, condition: Condition) -> None:
        self._call("update_item", **update_arguments(job_id, change, condition))

    def _call(self, method: str, **arguments: Any) -> Any:
        """One call; where the table is missing, make it (if we may), wait, and call once more."""
        try:
            return self._call_once(method, arguments)
        except TableMissing:
            self.ensure()
            return self._call_once(method, arguments)

    def _call_once(self, method: str, arguments: Mapping[str, Any]) -> Any:
        try:
            with our_errors(self._client, self._table):
                try:
                    return getattr(self._client, method)(TableName=self._table, **arguments)
                except ClientError as error:
                    if code_of(error) != "ConditionalCheckFailedException":
                        raise
                    found: Any = error.response.get("Item")
                    raise _NotAsExpected(_item(found) if found else None) from None
        except TableSchemaMismatch:
            require_schema(self._client, self._table)  # says what was found, where it can
            raise

    def _contended(self, job_id: str) -> HeldByAnother:
        return HeldByAnother(
            f"{job_id}: changed {SWAP_TRIES} times while it was being claimed; expected it to settle"
        )


def _item(attributes: Mapping[str, Any]) -> StatusItem:
    plain = from_attributes(attributes)
    return StatusItem(str(plain.pop(KEY)), plain)
