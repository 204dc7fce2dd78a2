"""The status store in DynamoDB: a new object is claimed by one conditional write, every later one is fenced.

A lease is written by one machine's clock and judged by another's: choose leases long against their skew.
"""

from __future__ import annotations

import contextlib
import heapq
import time
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from s3torrent.errors import HeldByAnother, StatusError, TableMissing, TableSchemaMismatch
from s3torrent.status.base import Done, StatusItem
from s3torrent.status.changes import (
    SHARDS,
    amending,
    beginning,
    claiming,
    finishing,
    hearing,
    noting,
    releasing,
    renewing,
    reserving,
)
from s3torrent.status.decide import MayClaim, decide, is_news, may_note, next_attempt
from s3torrent.status.dynamodb_errors import code_of, our_errors
from s3torrent.status.dynamodb_table import INDEX, KEY, ensure_table, require_schema
from s3torrent.status.dynamodb_update import (
    Placeholders,
    having,
    is_current,
    is_current_or_ended,
    reserved_by,
    unchanged,
    update_arguments,
)
from s3torrent.status.dynamodb_values import from_attributes, to_value
from s3torrent.status.lease import granted, is_reserved, lost, prolonged, reserved, sealed
from s3torrent.status.legible import legible

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from types_boto3_dynamodb import DynamoDBClient

    from s3torrent.status.base import Claimed, ClaimResult, Job
    from s3torrent.status.changes import Change
    from s3torrent.status.dynamodb_update import Condition

    Attempt = Callable[[StatusItem | None, datetime], tuple[Change | None, T]]

SWAP_TRIES = 8
"""How often an item may change between our look and our write before we give way to the others."""

PAGE = 100
"""Items asked for at once from one shard of the listing index."""

MOST_EMPTY_PAGES = 10_000
"""In a row: each has looked through 1 MB for a status, so no table of ours is larger."""


class _NotAsExpected(Exception):  # a turn of events, not an error; it never leaves this module
    """The condition of a write did not hold; ``stored`` is the item as it is, DynamoDB's own values by name,
    None where there is none.
    """

    def __init__(self, stored: Mapping[str, Any] | None) -> None:
        super().__init__()
        self.stored = stored


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
        def attempt(seen: StatusItem | None, now: datetime) -> tuple[Change | None, ClaimResult]:
            verdict = decide(seen, job, now, owner=owner, redo=redo)
            if isinstance(verdict, Done) and is_news(verdict.item, job.sequencer):
                return hearing(job), verdict
            if not isinstance(verdict, MayClaim):
                return None, verdict
            claim = sealed(granted(job.job_id, verdict.attempt, owner, now, lease_seconds), seen)
            return claiming(job, claim, seen, now), claim

        return self._swap(job.job_id, attempt)

    def begin(
        self, job_id: str, status: str, attributes: Mapping[str, Any], *, owner: str, lease_seconds: float
    ) -> Claimed:
        def attempt(seen: StatusItem | None, now: datetime) -> tuple[Change, Claimed]:
            claim = granted(job_id, next_attempt(seen), owner, now, lease_seconds)
            return beginning(claim, status, attributes, seen, now), claim

        return self._swap(job_id, attempt)

    def reserve(self, job_id: str, *, owner: str, lease_seconds: float) -> None:
        def attempt(seen: StatusItem | None, now: datetime) -> tuple[Change, None]:
            if seen and is_reserved(seen, owner, now):
                raise reserved(job_id, seen)
            until = granted(job_id, 0, owner, now, lease_seconds).lease_expires_at
            return reserving(job_id, owner, until, seen, now), None

        self._swap(job_id, attempt)

    def release(self, job_id: str, *, owner: str) -> None:
        with contextlib.suppress(_NotAsExpected):
            self._write(job_id, releasing(self._clock()), reserved_by(owner))

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
        def attempt(seen: StatusItem | None, now: datetime) -> tuple[Change | None, bool]:
            if not may_note(seen, status, sequencer, now):
                return None, False
            change = noting(job_id, status, attributes, sequencer=sequencer, seen=seen, now=now)
            return change, True

        return self._swap(job_id, attempt)

    def amend(self, job_id: str, attributes: Mapping[str, Any], *, where: Mapping[str, Any]) -> bool:
        try:
            self._write(job_id, amending(attributes, self._clock()), having(where))
        except _NotAsExpected:
            return False
        return True

    def get(self, job_id: str) -> StatusItem | None:
        answer = self._call("get_item", Key={KEY: to_value(job_id)}, ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

    def items(self, prefix: str) -> Iterator[StatusItem]:
        to = Placeholders()
        scan: dict[str, Any] = {"FilterExpression": to.begins_with(KEY, prefix)}
        scan |= {"ExpressionAttributeNames": to.names, "ExpressionAttributeValues": to.values}
        while True:
            page = self._call("scan", **scan)
            yield from map(_item, page.get("Items", ()))
            if page.get("LastEvaluatedKey") in (None, scan.get("ExclusiveStartKey")):
                return
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]

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
        empty = 0
        while empty < MOST_EMPTY_PAGES:
            page = self._call("query", **query)
            items = page.get("Items", ())
            empty = 0 if items else empty + 1
            yield from map(_item, items)
            if page.get("LastEvaluatedKey") in (None, query.get("ExclusiveStartKey")):
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        raise StatusError(
            f"the listing of table {self._table} gave {empty:,} pages without an item, and more to come"
        )

    def _swap(self, job_id: str, attempt: Attempt[T]) -> T:
        """Compare and swap: write the change that ``attempt`` makes of the item if the item is still so, and
        answer what it answers.

        Most objects are new: the first try writes at once, and looks only where that fails. Raises
        HeldByAnother where the item keeps changing.
        """
        stored: Mapping[str, Any] | None = None
        for _ in range(SWAP_TRIES):
            seen = _item(stored) if stored else None
            change, answer = attempt(seen, self._clock())
            if change is None:
                return answer
            try:
                self._write(job_id, change, unchanged(stored))
            except _NotAsExpected as other:
                stored = other.stored
            else:
                return answer
        raise HeldByAnother(
            f"{job_id}: changed {SWAP_TRIES} times while it was being claimed; expected it to settle"
        )

    def _write_fenced(self, claim: Claimed, change: Change, condition: Condition) -> None:
        try:
            self._write(claim.job_id, change, condition)
        except _NotAsExpected as other:
            raise lost(claim, _item(other.stored) if other.stored else None) from None

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
                    conditional = "ConditionExpression" in arguments
                    if not conditional or code_of(error) != "ConditionalCheckFailedException":
                        raise
                    stored: Any = error.response.get("Item")
                    raise _NotAsExpected(stored or None) from None
        except TableSchemaMismatch:
            require_schema(self._client, self._table)  # says what was found, where it can
            raise


def _item(attributes: Mapping[str, Any]) -> StatusItem:
    plain = from_attributes(attributes)
    return legible(StatusItem(str(plain.pop(KEY, "")), plain))
