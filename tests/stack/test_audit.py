"""``s3torrent audit`` as a person runs it: all seven faults planted in one bucket, found, and mended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.ministack import ENVIRONMENT

if TYPE_CHECKING:
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

COUNT = 12
HARD = "x/a b+c & é%25 \u202e.bin"


def run(stack: MiniStack, table: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("s3torrent")), *arguments],
        env={**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": stack.endpoint, "DDB_TABLE": table, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Kind by key of what was found, and the summary."""
    *findings, last = map(json.loads, done.stdout.splitlines())
    return {one["object"].partition("/x/")[2]: one["kind"] for one in findings}, last["summary"]


@pytest.fixture(params=["plain", "versions"])
def full(ministack: MiniStack, bucket: str, table_name: str, request: pytest.FixtureRequest) -> str:
    """13 objects with their torrents and status items."""
    client = ministack.client("s3")
    if request.param == "versions":
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number, key in enumerate([*(f"x/{number:03}" for number in range(COUNT)), HARD]):
        client.put_object(Bucket=bucket, Key=key, Body=bytes([number]) * 1000)
    done = run(ministack, table_name, "backfill", f"s3://{bucket}/x/", "--inline")
    assert done.returncode == 0, done.stderr
    return bucket


def plant(ministack: MiniStack, bucket: str, table: str) -> dict[str, str]:
    """One fault of each kind; the kind by key."""
    client = ministack.client("s3")

    def rewrite(number: str, body: bytes, **metadata: str) -> None:
        client.put_object(Bucket=bucket, Key=f"x/{number}.torrent", Body=body, Metadata=metadata)

    def read(key: str) -> tuple[bytes, dict[str, str]]:
        answer = client.get_object(Bucket=bucket, Key=key)
        return answer["Body"].read(), answer["Metadata"]

    client.delete_object(Bucket=bucket, Key="x/000.torrent")
    client.put_object(Bucket=bucket, Key="x/001", Body=b"something else")
    rewrite("002", b"somebody's own")
    client.delete_object(Bucket=bucket, Key="x/003")
    rewrite("004", b"d8:announce", **read("x/004.torrent")[1])
    item = {"jobId": {"S": f"s3://{bucket}/x/005"}}
    ministack.client("dynamodb").delete_item(TableName=table, Key=item)
    body, marks = read("x/006.torrent")
    place = body.index(b"6:pieces20:") + len(b"6:pieces20:")
    rewrite("006", body[:place] + bytes(20) + body[place + 20 :], **marks)
    # The item of 006 has to agree with its wrong torrent: only the content tells.
    found = json.loads(run(ministack, table, "inspect", f"s3://{bucket}/x/006.torrent", "--json").stdout)
    ministack.client("dynamodb").update_item(
        TableName=table,
        Key={"jobId": {"S": f"s3://{bucket}/x/006"}},
        UpdateExpression="SET infoHashV1 = :h",
        ExpressionAttributeValues={":h": {"S": found["infoHashV1"]}},
    )
    return {
        "000": "missing",
        "001": "stale",
        "002": "foreign",
        "003": "orphaned",
        "004": "unreadable",
        "005": "status",
        "006": "different",
    }


def test_a_clean_bucket_is_0(ministack: MiniStack, full: str, table_name: str) -> None:
    done = run(ministack, table_name, "audit", f"s3://{full}/x/", "--deep", "100", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    findings, summary = told(done)
    assert findings == {}
    assert (summary["objects"], summary["good"], summary["compared"]) == (COUNT + 1, COUNT + 1, COUNT + 1)


def test_each_fault_is_found_and_mended_as_far_as_may_be(
    ministack: MiniStack, full: str, table_name: str
) -> None:
    planted = plant(ministack, full, table_name)
    audit = ("audit", f"s3://{full}/x/", "--deep", "100", "--json")
    done = run(ministack, table_name, *audit)
    assert done.returncode == 1, done.stderr
    assert told(done)[0] == planted
    assert told(run(ministack, table_name, *audit))[0] == planted  # it changes nothing

    mended = run(ministack, table_name, *audit, "--repair", TORRENT_ON_DELETE="remove")
    assert mended.returncode == 1
    findings, summary = told(mended)
    assert findings == planted
    assert summary["repaired"] == 6
    again = run(ministack, table_name, *audit, TORRENT_ON_DELETE="remove")
    assert again.returncode == 1
    assert told(again)[0] == {"002": "foreign"}
    client = ministack.client("s3")
    assert client.get_object(Bucket=full, Key="x/002.torrent")["Body"].read() == b"somebody's own"
    client.delete_object(Bucket=full, Key="x/002.torrent")
    assert run(ministack, table_name, *audit, "--repair").returncode == 1
    clean = run(ministack, table_name, *audit)
    assert (clean.returncode, told(clean)[0]) == (0, {})


def test_a_sample_is_the_same_by_its_seed(ministack: MiniStack, full: str, table_name: str) -> None:
    audit = ("audit", f"s3://{full}/x/", "--deep", "50", "--seed", "a", "--json")
    summaries = [told(run(ministack, table_name, *audit))[1] for _ in range(2)]
    assert summaries[0] == summaries[1]
    assert 0 < summaries[0]["compared"] < COUNT


def test_for_people(ministack: MiniStack, full: str, table_name: str) -> None:
    """A line for each finding, then what was seen; names cannot write on the terminal."""
    ministack.client("s3").delete_object(Bucket=full, Key=f"{HARD}.torrent")
    done = run(ministack, table_name, "audit", f"s3://{full}")
    assert done.returncode == 1
    first, *rows = done.stdout.splitlines()
    assert first.startswith(f"missing: s3://{full}/x/a b+c & é%25 \\u202e.bin: COMPLETED")
    assert dict(row.split("\t") for row in rows) == {
        "objects": f"{COUNT + 1}",
        "good": f"{COUNT}",
        "passed over": "0",
        "missing": "1: an object without a torrent",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("there",), 2, "'there' is no place in S3"),
        (("s3://",), 2, "names no object"),
        (("s3://nobody-has-this/",), 4, "nobody-has-this"),
        (("s3://{bucket}/", "--deep", "101"), 2, "101"),
        (("s3://{bucket}/", "--repair"), 2, "DDB_TABLE is not set"),
    ],
)
def test_bad_input_is_one_clear_line(
    ministack: MiniStack, bucket: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run(ministack, "", "audit", *(text.format(bucket=bucket) for text in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_a_table_that_is_not_there_is_said_and_not_made(ministack: MiniStack, bucket: str) -> None:
    ministack.client("s3").put_object(Bucket=bucket, Key="x", Body=b"x")
    done = run(ministack, "no-such-table", "audit", f"s3://{bucket}/")
    assert done.returncode == 4
    assert "no-such-table" in done.stderr
    assert "no-such-table" not in ministack.client("dynamodb").list_tables()["TableNames"]
