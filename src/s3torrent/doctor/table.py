"""The status table: its key, its index, its expiry, its capacity."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import Absent, Unseen, ask
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import aws, both, command, compact, set_variables

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

KEY, INDEX, EXPIRY = "jobId", "status-updatedAt", "expiresAt"
OUR_KEY = f"{KEY} (S)"
INDEX_KEYS = ("statusShard", "updatedAt")
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in (KEY, *INDEX_KEYS)]
DEFINITION: dict[str, Any] = {
    "IndexName": INDEX,
    "KeySchema": [
        {"AttributeName": INDEX_KEYS[0], "KeyType": "HASH"},
        {"AttributeName": INDEX_KEYS[1], "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "ALL"},
}
"""As status/dynamodb_table.py makes it; a test compares."""


def table(case: Case) -> Finding | None:
    try:
        state = str(case.table_description.get("TableStatus"))
    except Absent:
        return red(f"table {case.table} does not exist", _make(case, case.table))
    if state in ("ACTIVE", "UPDATING"):
        return green(f"{case.table} is {state}")
    words = ("dynamodb", "wait", "table-exists", "--table-name", case.table)
    return red(f"table {case.table} is {state}; expected ACTIVE", aws(case, *words))


def _make(case: Case, name: str) -> str:
    words = ("dynamodb", "create-table", "--table-name", name, "--billing-mode", "PAY_PER_REQUEST")
    key = ("--key-schema", f"AttributeName={KEY},KeyType=HASH")
    what = (
        "--attribute-definitions",
        compact(ATTRIBUTES),
        "--global-secondary-indexes",
        compact([DEFINITION]),
    )
    wait = aws(case, "dynamodb", "wait", "table-exists", "--table-name", name)
    return both(aws(case, *words, *key, *what), wait, _expire(case, name))


def _expire(case: Case, name: str) -> str:
    words = ("dynamodb", "update-time-to-live", "--table-name", name, "--time-to-live-specification")
    return aws(case, *words, f"Enabled=true,AttributeName={EXPIRY}")


def key(case: Case) -> Finding:
    found = _key_of(case)
    if found == OUR_KEY:
        return green(found)
    cause = f"table {case.table} has the key {found}; expected {OUR_KEY}: it is another program's"
    named = case.setting("DDB_TABLE").rpartition("/")[2]
    if case.function and named not in ("", case.table):
        return red(f"{cause}, and function {case.function} uses {named}", _look_at(case, named))
    # A table's key cannot be changed, and what lies in it is somebody's.
    other = own_table(case)
    mend = both(_make(case, other), set_variables(case, {"DDB_TABLE": other}))
    return red(cause, mend)


def _look_at(case: Case, name: str) -> str:
    return command("s3torrent", "doctor", "--function", str(case.function), "--table", name)


def _key_of(case: Case) -> str:
    """``jobId (S)``."""
    there = case.table_description
    types = {one["AttributeName"]: one["AttributeType"] for one in there.get("AttributeDefinitions", ())}
    schema = there.get("KeySchema", ())
    return ", ".join(f"{one['AttributeName']} ({types.get(one['AttributeName'])})" for one in schema)


def own_table(case: Case) -> str:
    """The table that is, or is to be, ours: the one named, or where that is another program's the one that
    the mend of ``key`` makes.
    """
    with suppress(Unseen):
        if _key_of(case) not in (OUR_KEY, ""):
            return f"{case.table}-status"
    return case.table


def _require_ours(case: Case) -> None:
    """Raises Unseen where the table is another program's: nothing of it is to be changed."""
    if own_table(case) != case.table:
        raise Unseen(f"table {case.table} is another program's, and none of ours to look at")


def index(case: Case) -> Finding:
    """By which ``status`` and ``catalog`` list."""
    _require_ours(case)
    there = case.table_description.get("GlobalSecondaryIndexes", [])
    found = next((one for one in there if one.get("IndexName") == INDEX), None)
    wanted = [(one["AttributeName"], one["KeyType"]) for one in DEFINITION["KeySchema"]]
    if found is None:
        return red(f"table {case.table} has no index {INDEX}: nothing can be listed", _make_index(case))
    if [(one["AttributeName"], one["KeyType"]) for one in found["KeySchema"]] != wanted:
        cause = f"index {INDEX} of table {case.table} has another key; expected {' and '.join(INDEX_KEYS)}"
        return red(cause, _anew(case))
    projected = found.get("Projection", {}).get("ProjectionType", "ALL")
    if projected != "ALL":
        cause = f"index {INDEX} of table {case.table} has the projection {projected}; expected ALL: "
        return red(f"{cause}what is listed lacks its status", _anew(case))
    if found.get("IndexStatus", "ACTIVE") != "ACTIVE":
        wait = aws(case, "dynamodb", "wait", "table-exists", "--table-name", case.table)
        return yellow(f"index {INDEX} is {found['IndexStatus']}", wait)
    return green(INDEX)


def _make_index(case: Case) -> str:
    words = ("dynamodb", "update-table", "--table-name", case.table)
    change = compact([{"Create": DEFINITION}])
    return aws(
        case,
        *words,
        "--attribute-definitions",
        compact(ATTRIBUTES),
        "--global-secondary-index-updates",
        change,
    )


def _anew(case: Case) -> str:
    """An index cannot be changed: it is deleted, which takes a while, and made again. The items stay."""
    name = ("--table-name", case.table)
    change = compact([{"Delete": {"IndexName": INDEX}}])
    delete = aws(case, "dynamodb", "update-table", *name, "--global-secondary-index-updates", change)
    query = ("--query", "Table.GlobalSecondaryIndexes[].IndexName", "--output", "text")
    there = f"{aws(case, 'dynamodb', 'describe-table', *name, *query)} | grep -qw {INDEX}"
    wait = aws(case, "dynamodb", "wait", "table-exists", *name)
    return both(delete, f"while {there}; do sleep 5; done", wait, _make_index(case))


def expiry(case: Case) -> Finding:
    _require_ours(case)
    call = case.client("dynamodb").describe_time_to_live
    answer = ask("dynamodb:DescribeTimeToLive", f"table {case.table}", call, TableName=case.table)
    found = answer.get("TimeToLiveDescription", {})
    name, state = found.get("AttributeName"), found.get("TimeToLiveStatus")
    if name == EXPIRY and state in ("ENABLED", "ENABLING"):
        return green(f"items expire by {EXPIRY}")
    told = f"table {case.table}: expiry (TTL) is {state or 'DISABLED'}{f', by {name}' if name else ''}"
    off = ""
    if name and name != EXPIRY and state in ("ENABLED", "ENABLING"):  # one attribute at a time
        words = (
            "dynamodb",
            "update-time-to-live",
            "--table-name",
            case.table,
            "--time-to-live-specification",
        )
        off = aws(case, *words, f"Enabled=false,AttributeName={name}")
    mend = both(off, _expire(case, case.table))
    return yellow(f"{told}; expected it by {EXPIRY}, or recordings with TTL_DAYS stay for ever", mend)


def capacity(case: Case) -> Finding:
    _require_ours(case)
    found = case.table_description
    mode = found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    if mode == "PAY_PER_REQUEST":
        return green("on demand")
    there = found.get("ProvisionedThroughput", {})
    told = f"{there.get('ReadCapacityUnits')} reads and {there.get('WriteCapacityUnits')} writes a second"
    words = ("dynamodb", "update-table", "--table-name", case.table, "--billing-mode", "PAY_PER_REQUEST")
    return yellow(f"table {case.table} is throttled from {told} on", aws(case, *words))
