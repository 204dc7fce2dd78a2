"""A full bucket by an inventory and by a file of keys, made here by all cores, and as a job of S3 Batch Operations."""

from __future__ import annotations

import csv
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from support.backfilling import COUNT, HARD, command, environment, fill, killed_at, run, told, torrents
from support.inventories import Entry, csv_file, parquet_file, put_inventory
from support.meddling_proxy import MeddlingProxy, Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.deployed import Deployed
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

ROLE = "arn:aws:iam::000000000000:role/batch"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:s3torrent"
JOB = ("--batch-function", FUNCTION, "--batch-role", ROLE)


@pytest.fixture
def full(ministack: MiniStack, bucket: str) -> str:
    fill(ministack, bucket)
    return bucket


def entries(ministack: MiniStack, bucket: str) -> list[Entry]:
    """What lies there, last key first, and an older version and a delete marker besides."""
    listed = ministack.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    found = [Entry(one["Key"], one["Size"], one["LastModified"]) for one in listed]
    return [Entry("x/000.bin", 9, latest=False), *reversed(found), Entry("x/gone.bin", None, deleted=True)]


def by_csv(bucket: str, rows: list[Entry]) -> bytes:
    return csv_file(bucket, rows, versions=True)


@pytest.mark.parametrize(("kind", "write"), [("CSV", by_csv), ("Parquet", parquet_file)])
def test_an_inventory_tells_what_a_listing_does(
    ministack: MiniStack, full: str, table_name: str, kind: str, write: Callable[[str, list[Entry]], bytes]
) -> None:
    """The same objects, done ones too, though its rows are in no order and it is of the whole bucket."""
    if kind == "Parquet":
        pytest.importorskip("pyarrow", reason="the extra `inventory` is not installed")
    client = ministack.client("s3")
    place = f"s3://{full}/x/"
    made = told(
        run(ministack.endpoint, place, "--inline", "--max-size", "1004", "--json", DDB_TABLE=table_name)
    )
    assert made["wanted"] == 5
    rows = entries(ministack, full)
    manifest = put_inventory(
        lambda key, body: client.put_object(Bucket=full, Key=key, Body=body),
        full, full, [write(full, rows[:20]), write(full, rows[20:])],
        file_format=kind, versions=True,
    )  # fmt: skip
    listed = told(run(ministack.endpoint, place, "--dry-run", "--json"))
    found = told(
        run(ministack.endpoint, place, "--dry-run", "--json", "--inventory", f"s3://{full}/{manifest}")
    )
    assert {**found, "objects": 0, "leftOut": 0} == {**listed, "objects": 0, "leftOut": 0}
    assert (found["done"], found["wanted"]) == (5, COUNT - 5)


def test_an_inventory_of_another_bucket_is_refused(ministack: MiniStack, full: str) -> None:
    client = ministack.client("s3")
    manifest = put_inventory(
        lambda key, body: client.put_object(Bucket=full, Key=key, Body=body), "movies", full, [b""]
    )
    done = run(ministack.endpoint, f"s3://{full}/", "--dry-run", "--inventory", f"s3://{full}/{manifest}")
    assert done.returncode == 2
    assert f"is an inventory of bucket movies, expected {full}" in done.stderr


def test_keys_from_standard_input(ministack: MiniStack, full: str, table_name: str) -> None:
    """Those that are there get their torrents; those that are not are told, and the exit code is 1."""
    keys = ["x/003.bin", HARD, "x/no-such.bin", "y/other.bin"]
    done = run(
        ministack.endpoint, f"s3://{full}/x/", "--inline", "--keys", "-", "--json",
        given="\n".join(keys), DDB_TABLE=table_name,
    )  # fmt: skip
    made = told(done, 1)
    assert (made["wanted"], made["missing"], made["leftOut"], made["failed"]) == (2, 1, 1, 0)
    assert done.stderr.splitlines() == [f"s3://{full}/x/no-such.bin does not exist"]
    assert torrents(ministack, full) == {"x/003.bin.torrent", f"{HARD}.torrent"}


def test_killed_while_it_makes_them_here_and_gone_on(
    ministack: MiniStack, full: str, table_name: str, tmp_path: Path
) -> None:
    """By a file of keys: what the dead one held is waited for; in the end each has its torrent."""
    keys = tmp_path / "keys"
    keys.write_text("\n".join(f"x/{number:03}.bin" for number in range(COUNT - 1)))
    marker = tmp_path / "marker"
    arguments = [f"s3://{full}/", "--inline", "--keys", str(keys), "--resume", str(marker), "--json"]
    more = {"DDB_TABLE": table_name, "TORRENT_LEASE_SECONDS": "5"}
    assert killed_at(ministack.endpoint, 80, *arguments, **more) == -signal.SIGKILL
    begun = torrents(ministack, full)
    assert 0 < len(begun) < COUNT - 1
    last = told(run(ministack.endpoint, *arguments, **more))
    assert (last["failed"], len(torrents(ministack, full))) == (0, COUNT - 1)
    assert json.loads(marker.read_text())["after"].endswith(f":x/{COUNT - 2:03}.bin")
    again = told(run(ministack.endpoint, *arguments, **more))
    assert (again["objects"], again["wanted"]) == (0, 0)


def test_an_interrupt_waits_for_no_object(
    ministack: MiniStack, full: str, table_name: str, tmp_path: Path
) -> None:
    """Ctrl-C while an object's GET hangs: it ends before that is answered, and with the place written down."""
    marker = tmp_path / "marker"
    arguments = [f"s3://{full}/x/", "--inline", "--resume", str(marker), "--json"]
    more = {"DDB_TABLE": table_name, "TORRENT_LEASE_SECONDS": "5"}
    codes: list[int] = []
    with MeddlingProxy(ministack.endpoint) as proxy:
        process = subprocess.Popen(
            command(*arguments), env=environment(proxy.endpoint, **more), stderr=subprocess.PIPE, text=True
        )

        def interrupt() -> None:
            process.send_signal(signal.SIGINT)
            codes.append(process.wait(20))

        proxy.at(Moment("GET", f"/{full}/x/020.bin", 1), interrupt)
        _, said = process.communicate(timeout=120)
    assert (codes, said.strip()) == ([130], "interrupted")
    assert json.loads(marker.read_text())["after"] < "x/020.bin"
    assert told(run(ministack.endpoint, *arguments, **more))["failed"] == 0
    assert len(torrents(ministack, full)) == COUNT


def handed_to(deployed: Deployed, lines: list[list[str]]) -> list[dict[str, Any]]:
    """What S3 Batch Operations does with the lines of a manifest, ten at a time."""
    results = []
    for start in range(0, len(lines), 10):
        tasks = [
            {"taskId": key, "s3Bucket": bucket, "s3Key": key, "s3VersionId": None}
            for bucket, key in lines[start : start + 10]
        ]
        answer = deployed.invoke(
            {"invocationSchemaVersion": "2.0", "invocationId": str(start), "job": {"id": "1"}, "tasks": tasks}
        )
        results += answer["results"]
    return results


def test_a_job_of_s3_batch_operations(
    deployed: Deployed, ministack: MiniStack, full: str, tmp_path: Path
) -> None:
    """Its manifest goes where the job looks for it, with the ETag that the job expects; the function takes each of
    its lines.
    """
    path = tmp_path / "a manifest.csv"
    arguments = (f"s3://{full}/x/", "--batch-manifest", str(path), *JOB, "--json")
    done = run(ministack.endpoint, *arguments)
    assert told(done)["wanted"] == COUNT
    job = json.loads(Path(f"{path}.job.json").read_text())
    upload, create = (shlex.split(line) for line in done.stderr.splitlines()[1:])
    assert create[-1] == f"file://{path}.job.json"
    aws = str(Path(sys.executable).with_name("aws"))
    subprocess.run(
        [sys.executable, aws, *upload[1:]],
        env=environment(ministack.endpoint),
        check=True,
        capture_output=True,
        timeout=60,
    )
    key = job["Manifest"]["Location"]["ObjectArn"].removeprefix(f"arn:aws:s3:::{full}/")
    there = ministack.client("s3").get_object(Bucket=full, Key=key)
    assert there["ETag"] == f'"{job["Manifest"]["Location"]["ETag"]}"'
    lines = list(csv.reader(there["Body"].read().decode().splitlines()))
    assert {unquote(key) for _, key in lines} >= {HARD, "x/000.bin"}
    assert {one["resultCode"] for one in handed_to(deployed, lines)} == {"Succeeded"}
    assert len(torrents(ministack, full)) == COUNT
    again = run(ministack.endpoint, *arguments)
    assert (again.returncode, f"{path} is there already" in again.stderr) == (2, True)
    path.unlink()
    Path(f"{path}.job.json").unlink()
    assert "nothing is wanted" in run(ministack.endpoint, *arguments).stderr
    assert not list(tmp_path.iterdir())
