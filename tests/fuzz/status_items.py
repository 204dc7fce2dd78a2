"""HTTP answers -> ``status.dynamodb``: items that somebody edited by hand, and answers that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unittest.mock import patch

from fuzz.saying import check_error
from fuzz.wire import server
from s3torrent.errors import S3TorrentError
from s3torrent.status import dynamodb
from s3torrent.status.base import (
    COMPLETED,
    CREATING_TORRENT,
    FAILED,
    RECORDING,
    SKIPPED,
    Claimed,
    Done,
    HeldUntil,
    Job,
    StatusItem,
    Superseded,
)
from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Callable

FEW_PAGES = 20
"""Of all 16 shards within what the stub answers in one call."""
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
REF = ObjectRef("bucket", "shows/é+ü.bin")
JOB = Job(str(REF), ObjectVersion(REF, None, "abc", 5, NOW), "v1;auto", sequencer="0060")
CLAIM = Claimed(JOB.job_id, 1, "me", NOW)
MINE = {"owner": "me", "lease_seconds": 60.0}


def _claim(store: DynamoStatus) -> None:
    result = store.claim(JOB, **MINE)
    match result:
        case Claimed():
            assert result.attempt >= 1
        case HeldUntil():
            assert result.at.tzinfo
            assert isinstance(result.owner, str)
        case Done() | Superseded():
            assert _is_item(result.item)


def _reserve(store: DynamoStatus) -> None:
    store.reserve(JOB.job_id, **MINE)


def _release(store: DynamoStatus) -> None:
    store.release(JOB.job_id, owner="me")


def _begin(store: DynamoStatus) -> None:
    assert store.begin(JOB.job_id, RECORDING, {"bucket": "b"}, **MINE).attempt >= 1


def _renew(store: DynamoStatus) -> None:
    store.renew(CLAIM, lease_seconds=60, status=CREATING_TORRENT, bytes_hashed=1)


def _finish(store: DynamoStatus) -> None:
    store.finish(CLAIM, COMPLETED, {"torrentKey": "k"})


def _note(store: DynamoStatus) -> None:
    for status in (SKIPPED, FAILED):
        assert store.note(JOB.job_id, status, {"reason": "r"}, sequencer="0061") in (True, False)


def _get(store: DynamoStatus) -> None:
    item = store.get(JOB.job_id)
    assert item is None or _is_item(item)


def _list(store: DynamoStatus) -> None:
    assert all(map(_is_item, store.list(limit=50)))
    assert all(map(_is_item, store.list(status=COMPLETED, limit=50)))


def _ensure(store: DynamoStatus) -> None:
    store.ensure()


CALLS: tuple[Callable[[DynamoStatus], None], ...] = (
    _claim, _reserve, _release, _begin, _renew, _finish, _note, _get, _list, _ensure,
)  # fmt: skip


def target(data: bytes) -> None:
    if not data:
        return
    stub = server("dynamodb")
    stub.load(data[1:])
    try:
        with patch.object(dynamodb, "MOST_EMPTY_PAGES", FEW_PAGES):
            CALLS[data[0] % len(CALLS)](DynamoStatus(stub.client, "table", lambda: NOW, sleep=lambda _: None))
    except S3TorrentError as error:
        check_error(error)


def _is_item(item: StatusItem) -> bool:
    return isinstance(item.job_id, str) and isinstance(item.status, str)
