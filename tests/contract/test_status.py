"""The promises of a status store, kept by the table in DynamoDB and by its twin in memory alike."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from s3torrent.errors import (
    EndpointUnreachable,
    LeaseLost,
    StatusError,
    TableMissing,
    TableSchemaMismatch,
)
from s3torrent.status.base import (
    COMPLETED,
    CREATING_TORRENT,
    DOWNLOADING,
    FAILED,
    SKIPPED,
    UPLOADING_TORRENT,
    Claimed,
    Done,
    HeldUntil,
    Job,
    StatusStore,
    Superseded,
)
from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.status.memory import MemoryStatus
from s3torrent.types import ObjectRef, ObjectVersion
from support.ministack import MiniStack

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 11, 23, 14, 0, 0, 123000, tzinfo=UTC)
LEASE = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def job(
    key: str = "a/é+ü & 100%.bin",
    *,
    etag: str = "e1",
    version_id: str | None = None,
    size: int = 5,
    sequencer: str | None = None,
    policy_id: str = "v1",
    engine: str = "native",
) -> Job:
    ref = ObjectRef("bucket", key)
    version = ObjectVersion(ref, version_id, etag, size, START)
    return Job(str(ref), version, policy_id, engine, sequencer)


def claimed(store: StatusStore, wanted: Job, owner: str = "A", *, redo: bool = False) -> Claimed:
    result = store.claim(wanted, owner=owner, lease_seconds=LEASE, redo=redo)
    assert isinstance(result, Claimed), result
    return result


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.stack), "moto"])
def store(request: pytest.FixtureRequest, clock: Clock) -> StatusStore:
    if request.param == "memory":
        return MemoryStatus(clock)
    stack = request.getfixturevalue("moto" if request.param == "moto" else "ministack")
    return DynamoStatus(stack.client("dynamodb"), request.getfixturevalue("table_name"), clock)


# --- claim ---


def test_first_claim_gives_attempt_1_and_writes_the_whole_item(store: StatusStore) -> None:
    wanted = job(version_id="v", sequencer="00A1")
    claim = claimed(store, wanted)
    assert claim == Claimed(wanted.job_id, 1, "A", START + timedelta(seconds=LEASE))
    item = store.get(wanted.job_id)
    assert item is not None
    assert item.job_id == "s3://bucket/a/é+ü & 100%.bin"
    shard = item.get("statusShard")
    assert shard in {f"STATUS#{number:02d}" for number in range(16)}
    assert item.get("seal") == claim.seal != ""
    assert item.attributes == {
        "seal": claim.seal,
        "status": CREATING_TORRENT,
        "bucket": "bucket",
        "key": "a/é+ü & 100%.bin",
        "versionId": "v",
        "etag": "e1",
        "size": 5,
        "sequencer": "00A1",
        "policyId": "v1",
        "engine": "native",
        "bytesHashed": 0,
        "attempt": 1,
        "leaseOwner": "A",
        "leaseExpiresAt": "2026-11-23T14:01:00.123Z",
        "createdAt": "2026-11-23T14:00:00.123Z",
        "updatedAt": "2026-11-23T14:00:00.123Z",
        "statusShard": shard,
    }


def test_the_transmission_engine_starts_with_downloading(store: StatusStore) -> None:
    wanted = job(engine="transmission")
    claimed(store, wanted)
    assert store.get(wanted.job_id).status == DOWNLOADING


def test_same_version_in_work_is_held_until_the_lease_ends(store: StatusStore, clock: Clock) -> None:
    claim = claimed(store, job())
    clock.advance(LEASE - 0.001)
    assert store.claim(job(), owner="B", lease_seconds=LEASE) == HeldUntil(claim.lease_expires_at, "A")
    assert store.claim(job(), owner="B", lease_seconds=LEASE, redo=True) == HeldUntil(
        claim.lease_expires_at, "A"
    )


def test_an_expired_lease_is_taken_over_and_the_old_holder_changes_nothing(
    store: StatusStore, clock: Clock
) -> None:
    old = claimed(store, job())
    clock.advance(LEASE)
    new = claimed(store, job(), "B")
    assert new.attempt == 2
    before = store.get(old.job_id)
    with pytest.raises(LeaseLost, match="attempt 1 of A no longer holds the lease; found attempt 2 of B"):
        store.renew(old, lease_seconds=LEASE, status=UPLOADING_TORRENT, bytes_hashed=5)
    with pytest.raises(LeaseLost):
        store.finish(old, COMPLETED, {"infoHashV1": "00" * 20})
    assert store.get(old.job_id) == before


def test_a_takeover_by_the_same_owner_fences_its_own_earlier_attempt(
    store: StatusStore, clock: Clock
) -> None:
    old = claimed(store, job())
    clock.advance(LEASE)
    new = claimed(store, job(), "A")
    with pytest.raises(LeaseLost):
        store.finish(old, COMPLETED, {})
    store.finish(new, COMPLETED, {})


def test_a_different_version_takes_over_at_once(store: StatusStore) -> None:
    old = claimed(store, job(etag="e1", version_id="v1"))
    new = claimed(store, job(etag="e2"), "B")
    assert new.attempt == 2
    item = store.get(new.job_id)
    assert (item.get("etag"), item.get("versionId")) == ("e2", None)
    with pytest.raises(LeaseLost):
        store.finish(old, COMPLETED, {})


@pytest.mark.parametrize(
    "other", [{"etag": "e2"}, {"version_id": "v2"}, {"size": 6}, {"policy_id": "hybrid"}], ids=str
)
def test_done_holds_only_for_the_same_version_and_policy(store: StatusStore, other: dict[str, Any]) -> None:
    store.finish(claimed(store, job()), COMPLETED, {})
    assert isinstance(store.claim(job(), owner="B", lease_seconds=LEASE), Done)
    assert claimed(store, job(**other), "B").attempt == 2


def test_done_gives_the_item_and_redo_claims_it(store: StatusStore) -> None:
    store.finish(claimed(store, job()), COMPLETED, {"infoHashV1": "ab" * 20})
    done = store.claim(job(), owner="B", lease_seconds=LEASE)
    assert done == Done(store.get(job().job_id))
    assert done.item.get("infoHashV1") == "ab" * 20
    assert claimed(store, job(), "B", redo=True).attempt == 2
    item = store.get(job().job_id)
    assert (item.get("infoHashV1"), item.get("completedAt")) == (None, None)


@pytest.mark.parametrize(
    ("stored", "arriving", "superseded"),
    [
        ("0061", "0060", True),
        ("006", "00599", True),
        ("00600", "006", False),  # equal once padded
        ("0061", "0061", False),
        ("0061", "0062", False),
        ("00", "0061", False),
        (None, "0061", False),
        ("0061", None, False),
    ],
)
def test_only_an_older_sequencer_is_superseded(
    store: StatusStore, stored: str | None, arriving: str | None, superseded: bool
) -> None:
    store.finish(claimed(store, job(sequencer=stored)), FAILED, {})
    result = store.claim(job(etag="e2", sequencer=arriving), owner="B", lease_seconds=LEASE)
    if superseded:
        assert result == Superseded(store.get(job().job_id))
        assert result.item.get("etag") == "e1"
    else:
        assert isinstance(result, Claimed)


def test_an_older_event_is_superseded_even_by_work_and_redo(store: StatusStore) -> None:
    claim = claimed(store, job(etag="e2", sequencer="02"))
    result = store.claim(job(sequencer="01"), owner="B", lease_seconds=LEASE, redo=True)
    assert isinstance(result, Superseded)
    store.finish(claim, COMPLETED, {})


def test_a_claim_without_sequencer_keeps_the_one_known(store: StatusStore) -> None:
    store.finish(claimed(store, job(sequencer="02")), COMPLETED, {})
    store.finish(claimed(store, job(etag="e2")), COMPLETED, {})
    result = store.claim(job(etag="e0", sequencer="01"), owner="B", lease_seconds=LEASE)
    assert isinstance(result, Superseded)


@pytest.mark.parametrize("ending", [FAILED, SKIPPED])
def test_failed_and_skipped_may_be_claimed_again_and_leave_no_error_behind(
    store: StatusStore, clock: Clock, ending: str
) -> None:
    error = {"type": "Throttled", "message": "SlowDown", "retryable": True, "hint": ""}
    store.finish(claimed(store, job()), ending, {"reason": "SlowDown", "error": error})
    item = store.get(job().job_id)
    assert (item.status, item.get("error"), item.get("reason")) == (ending, error, "SlowDown")
    assert (item.get("leaseExpiresAt"), item.get("completedAt")) == (None, None)
    clock.advance(1)
    assert claimed(store, job(), "B").attempt == 2
    item = store.get(job().job_id)
    assert (item.get("error"), item.get("reason")) == (None, None)
    assert (item.get("createdAt"), item.get("updatedAt")) == (
        "2026-11-23T14:00:00.123Z",
        "2026-11-23T14:00:01.123Z",
    )


def test_of_32_claims_at_once_exactly_one_holds(store: StatusStore) -> None:
    results = at_once(32, lambda number: store.claim(job(), owner=f"w{number}", lease_seconds=LEASE))
    winners = [result for result in results if isinstance(result, Claimed)]
    assert len(winners) == 1
    assert [result for result in results if not isinstance(result, Claimed)] == [
        HeldUntil(winners[0].lease_expires_at, winners[0].owner)
    ] * 31
    store.finish(winners[0], COMPLETED, {})


def test_of_32_takeovers_at_once_exactly_one_holds(store: StatusStore, clock: Clock) -> None:
    claimed(store, job(), "dead")
    clock.advance(LEASE)
    results = at_once(32, lambda number: store.claim(job(), owner=f"w{number}", lease_seconds=LEASE))
    winners = [result for result in results if isinstance(result, Claimed)]
    assert [winner.attempt for winner in winners] == [2]
    assert all(isinstance(result, HeldUntil) for result in results if result not in winners)


# --- renew, finish ---


def test_renew_reports_progress_and_prolongs_the_lease(store: StatusStore, clock: Clock) -> None:
    claim = claimed(store, job())
    clock.advance(LEASE - 1)
    renewed = store.renew(claim, lease_seconds=LEASE, status=UPLOADING_TORRENT, bytes_hashed=3)
    assert renewed == Claimed(claim.job_id, 1, "A", clock.now + timedelta(seconds=LEASE))
    clock.advance(2)
    assert isinstance(store.claim(job(), owner="B", lease_seconds=LEASE), HeldUntil)
    item = store.get(claim.job_id)
    assert (item.status, item.get("bytesHashed")) == (UPLOADING_TORRENT, 3)
    store.finish(claim, COMPLETED, {})  # the claim as first given is as good as the renewed one


def test_a_lease_that_ran_out_is_renewed_while_nobody_took_over(store: StatusStore, clock: Clock) -> None:
    claim = claimed(store, job())
    clock.advance(LEASE * 10)
    store.renew(claim, lease_seconds=LEASE, status=CREATING_TORRENT, bytes_hashed=1)
    assert isinstance(store.claim(job(), owner="B", lease_seconds=LEASE), HeldUntil)


def test_finish_completes_with_the_attributes_and_ends_the_lease(store: StatusStore, clock: Clock) -> None:
    claim = claimed(store, job())
    clock.advance(1)
    store.finish(claim, COMPLETED, {"infoHashV1": "ab" * 20, "infoHashV2": None, "pieceLength": 16384})
    item = store.get(claim.job_id)
    assert (item.status, item.get("infoHashV1"), item.get("pieceLength")) == (COMPLETED, "ab" * 20, 16384)
    assert item.get("completedAt") == item.get("updatedAt") == "2026-11-23T14:00:01.123Z"
    assert not {"infoHashV2", "leaseExpiresAt"} & item.attributes.keys()


def test_finish_may_be_repeated_but_not_changed(store: StatusStore) -> None:
    claim = claimed(store, job())
    store.finish(claim, COMPLETED, {"pieceLength": 16384})
    item = store.get(claim.job_id)
    store.finish(claim, COMPLETED, {"pieceLength": 16384})
    with pytest.raises(LeaseLost, match="COMPLETED"):
        store.finish(claim, FAILED, {})
    with pytest.raises(LeaseLost):
        store.renew(claim, lease_seconds=LEASE, status=CREATING_TORRENT, bytes_hashed=0)
    assert store.get(claim.job_id) == item


def test_a_claim_of_an_unknown_item_is_lost(store: StatusStore) -> None:
    claim = Claimed("s3://bucket/nothing", 1, "A", START)
    with pytest.raises(LeaseLost, match="found no status item"):
        store.finish(claim, COMPLETED, {})
    with pytest.raises(LeaseLost):
        store.renew(claim, lease_seconds=LEASE, status=CREATING_TORRENT, bytes_hashed=0)
    assert store.get(claim.job_id) is None


# --- note ---


@pytest.mark.parametrize("status", [SKIPPED, FAILED])
def test_note_writes_a_fresh_item(store: StatusStore, status: str) -> None:
    assert store.note(job().job_id, status, {"reason": "gone", "key": "k"}, sequencer="01") is True
    item = store.get(job().job_id)
    assert (item.status, item.get("reason"), item.get("sequencer")) == (status, "gone", "01")
    assert item.get("createdAt") == item.get("updatedAt") == "2026-11-23T14:00:00.123Z"
    assert [each.job_id for each in store.list(status=status)] == [job().job_id]
    assert claimed(store, job(sequencer="02")).attempt == 1


def test_note_never_overwrites_work_or_a_result_or_a_newer_event(store: StatusStore) -> None:
    job_id = job().job_id
    claim = claimed(store, job(sequencer="05"))
    before = store.get(job_id)
    assert store.note(job_id, SKIPPED, {"reason": "x"}, sequencer="06") is False
    assert store.get(job_id) == before
    store.finish(claim, COMPLETED, {})
    before = store.get(job_id)
    for not_newer in ("04", "05", None):
        assert store.note(job_id, SKIPPED, {"reason": "x"}, sequencer=not_newer) is False
    assert store.get(job_id) == before
    assert store.note(job_id, SKIPPED, {"reason": "x"}, sequencer="06") is True
    assert (store.get(job_id).status, store.get(job_id).get("infoHashV1")) == (SKIPPED, None)
    store.finish(claimed(store, job(sequencer="07"), redo=True), FAILED, {"reason": "y"})
    before = store.get(job_id)
    assert store.note(job_id, SKIPPED, {"reason": "x"}, sequencer="06") is False
    assert store.get(job_id) == before


def test_note_leaves_nothing_of_the_failed_attempt(store: StatusStore) -> None:
    claim = claimed(store, job(sequencer="07"))
    store.finish(claim, FAILED, {"reason": "y", "error": {"type": "Throttled"}, "infoHashV1": "ab" * 20})
    assert store.note(claim.job_id, SKIPPED, {"reason": "x"}, sequencer="07") is True
    item = store.get(claim.job_id)
    assert (item.status, item.get("reason"), item.get("attempt")) == (SKIPPED, "x", 1)
    assert not {"error", "infoHashV1", "etag", "size", "leaseOwner"} & item.attributes.keys()


def test_note_over_a_dead_worker_takes_the_job_from_it(store: StatusStore, clock: Clock) -> None:
    dead = claimed(store, job())
    clock.advance(LEASE)
    assert store.note(dead.job_id, SKIPPED, {"reason": "gone"}) is True
    item = store.get(dead.job_id)
    assert (item.status, item.get("etag"), item.get("leaseOwner")) == (SKIPPED, None, None)
    with pytest.raises(LeaseLost):
        store.finish(dead, COMPLETED, {})
    assert store.get(dead.job_id) == item
    assert claimed(store, job()).attempt == 2


# --- get, list ---


def test_amend_changes_an_item_that_is_as_expected_and_no_other(store: StatusStore) -> None:
    claim = store.claim(job(), owner="a", lease_seconds=60)
    assert isinstance(claim, Claimed)
    store.finish(claim, COMPLETED, {"magnet": "m", "infoHashV1": "1"})
    job_id = claim.job_id
    before = store.get(job_id)
    for where in ({"infoHashV1": "2"}, {"infoHashV2": "2"}, {"infoHashV1": None}):
        assert not store.amend(job_id, {"magnet": "n"}, where=where)
    assert store.get(job_id) == before
    assert store.amend(
        job_id, {"magnet": "n", "torrentSize": 7}, where={"infoHashV1": "1", "infoHashV2": None}
    )
    after = store.get(job_id)
    assert after
    assert before
    assert {**after.attributes, "updatedAt": 0} == {
        **before.attributes, "magnet": "n", "torrentSize": 7, "updatedAt": 0,
    }  # fmt: skip
    assert store.amend(job_id, {"magnet": None}, where={"status": COMPLETED})
    emptied = store.get(job_id)
    assert emptied
    assert "magnet" not in emptied.attributes


def test_amend_makes_no_item(store: StatusStore) -> None:
    assert not store.amend("s3://bucket/none", {"magnet": "n"}, where={})
    assert not store.amend("s3://bucket/none", {"magnet": "n"}, where={"infoHashV1": None})
    assert store.get("s3://bucket/none") is None


def test_an_unknown_item_is_none(store: StatusStore) -> None:
    assert store.get("s3://bucket/unknown") is None


def test_list_is_newest_first_filtered_and_cut(store: StatusStore, clock: Clock) -> None:
    assert store.list() == []
    claims = []
    for number in range(40):
        clock.advance(0.001)
        claims.append(claimed(store, job(f"k{number}")))
    for claim in claims[::2]:
        clock.advance(0.001)
        store.finish(claim, COMPLETED, {})
    completed = [claim.job_id for claim in reversed(claims[::2])]
    working = [claim.job_id for claim in reversed(claims[1::2])]
    assert [item.job_id for item in store.list()] == completed + working
    assert [item.job_id for item in store.list(status=COMPLETED)] == completed
    assert [item.job_id for item in store.list(status=CREATING_TORRENT, limit=3)] == working[:3]
    assert [item.job_id for item in store.list(limit=25)] == (completed + working)[:25]
    assert store.list(limit=1) == [store.get(completed[0])]
    assert store.list(status=FAILED) == []


# --- the table ---


@pytest.fixture
def table(ministack: MiniStack, table_name: str) -> Iterator[Any]:
    """Makes a table of the test's own schema under ``table_name``."""

    def make(keys: list[dict[str, str]], types: dict[str, str]) -> None:
        ministack.client("dynamodb").create_table(
            TableName=table_name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=keys,
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in types.items()],
        )

    return make


@pytest.mark.stack
def test_the_table_is_made_with_index_and_expiry(ministack: MiniStack, table_name: str, clock: Clock) -> None:
    client = ministack.client("dynamodb")
    DynamoStatus(client, table_name, clock).ensure()
    DynamoStatus(client, table_name, clock, create_missing=False).ensure()
    described = client.describe_table(TableName=table_name)["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    (index,) = described["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("status-updatedAt", {"ProjectionType": "ALL"})
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["statusShard", "updatedAt"]
    expiry = client.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "expiresAt")


@pytest.mark.stack
def test_64_first_claims_at_once_make_one_table_and_no_error(
    ministack: MiniStack, table_name: str, clock: Clock
) -> None:
    client = ministack.client("dynamodb")
    stores = [DynamoStatus(client, table_name, clock) for _ in range(64)]
    results = at_once(
        64,
        lambda number: stores[number].claim(job(f"k{number % 32}"), owner=f"w{number}", lease_seconds=LEASE),
    )
    assert sum(isinstance(result, Claimed) for result in results) == 32
    assert sum(isinstance(result, HeldUntil) for result in results) == 32
    assert len(stores[0].list()) == 32


@pytest.mark.stack
def test_a_missing_table_is_an_error_where_it_may_not_be_made(
    ministack: MiniStack, table_name: str, clock: Clock
) -> None:
    store = DynamoStatus(ministack.client("dynamodb"), table_name, clock, create_missing=False)
    claim = Claimed("j", 1, "A", START)
    for call in (
        store.ensure,
        lambda: store.claim(job(), owner="A", lease_seconds=LEASE),
        lambda: store.renew(claim, lease_seconds=LEASE, status=CREATING_TORRENT, bytes_hashed=0),
        lambda: store.finish(claim, COMPLETED, {}),
        lambda: store.note("j", SKIPPED, {}),
        lambda: store.get("j"),
        store.list,
    ):
        with pytest.raises(TableMissing, match=f"table {table_name} does not exist"):
            call()
    assert table_name not in ministack.client("dynamodb").list_tables()["TableNames"]


@pytest.mark.stack
@pytest.mark.parametrize(
    ("keys", "types", "found"),
    [
        ([("id", "HASH")], {"id": "S"}, r"id \(S, HASH\)"),
        ([("jobId", "HASH")], {"jobId": "N"}, r"jobId \(N, HASH\)"),
        (
            [("jobId", "HASH"), ("at", "RANGE")],
            {"jobId": "S", "at": "S"},
            r"jobId \(S, HASH\), at \(S, RANGE\)",
        ),
    ],
    ids=["another name", "a number", "a range key too"],
)
def test_another_key_schema_is_named_with_the_one_expected(
    ministack: MiniStack,
    table_name: str,
    table: Any,
    clock: Clock,
    keys: list[tuple[str, str]],
    types: dict[str, str],
    found: str,
) -> None:
    table([{"AttributeName": name, "KeyType": kind} for name, kind in keys], types)
    store = DynamoStatus(ministack.client("dynamodb"), table_name, clock)
    for call in (
        store.ensure,
        lambda: store.claim(job(), owner="A", lease_seconds=LEASE),
        lambda: store.get("j"),
    ):
        with pytest.raises(TableSchemaMismatch, match=rf"has the key {found}; expected jobId \(S, HASH\)"):
            call()


@pytest.mark.stack
def test_a_table_without_the_index_serves_all_but_the_list(
    ministack: MiniStack, table_name: str, table: Any, clock: Clock
) -> None:
    table([{"AttributeName": "jobId", "KeyType": "HASH"}], {"jobId": "S"})
    store = DynamoStatus(ministack.client("dynamodb"), table_name, clock)
    claim = claimed(store, job())
    store.renew(claim, lease_seconds=LEASE, status=UPLOADING_TORRENT, bytes_hashed=5)
    store.finish(claim, COMPLETED, {})
    assert store.get(claim.job_id).status == COMPLETED
    with pytest.raises(StatusError, match="status-updatedAt"):
        store.list()


@pytest.mark.stack
def test_attributes_of_other_programs_are_kept(ministack: MiniStack, table_name: str, clock: Clock) -> None:
    client = ministack.client("dynamodb")
    store = DynamoStatus(client, table_name, clock)
    store.ensure()
    theirs = {"ratio": {"N": "1.5"}, "tags": {"L": [{"S": "x"}, {"NULL": True}]}, "set": {"SS": ["a"]}}
    client.put_item(
        TableName=table_name, Item={"jobId": {"S": job().job_id}, "status": {"S": "PENDING"}, **theirs}
    )
    store.finish(claimed(store, job()), COMPLETED, {})
    item = store.get(job().job_id)
    assert (item.get("ratio"), item.get("tags"), list(item.get("set"))) == (1.5, ["x", None], ["a"])
    assert item.get("attempt") == 1


@pytest.mark.stack
def test_an_address_where_nothing_answers_is_named(clock: Clock) -> None:
    nowhere = MiniStack()  # never started: port 0
    nowhere.port = 9  # discard: nothing listens there
    client = nowhere.new_client("dynamodb", Config(retries={"total_max_attempts": 1}, connect_timeout=1))
    try:
        store = DynamoStatus(client, "table", clock)
        for call in (store.ensure, lambda: store.claim(job(), owner="A", lease_seconds=LEASE), store.list):
            with pytest.raises(EndpointUnreachable, match=r"http://127\.0\.0\.1:9"):
                call()
    finally:
        client.close()


def at_once(count: int, act: Any) -> list[Any]:
    """The results of ``count`` threads that start together; an exception of any is raised."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# --- items ---


def test_items_are_all_of_a_prefix_and_no_others(store: StatusStore) -> None:
    """Thirty of them, more than any page of the stand-ins tells at once where it is made small."""
    for number in range(30):
        claimed(store, job(f"shows/{number}"))
    claimed(store, job("other"))
    found = [item.job_id for item in store.items("s3://bucket/shows/")]
    assert sorted(found) == sorted(f"s3://bucket/shows/{number}" for number in range(30))
    assert list(store.items("s3://nobody/")) == []
