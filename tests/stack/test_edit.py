"""``s3torrent edit`` as a person runs it, over a bucket and over files, judged by libtorrent and transmission-show."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import libtorrent
import pytest

from support.command import s3torrent

if TYPE_CHECKING:
    from pathlib import Path

    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

KEYS = ["x/a b+c & é%25.bin", *(f"x/{number:03}" for number in range(30))]
TRACKER, OTHER = "udp://a.example:1/announce", "https://b.example/announce"


@pytest.fixture
def full(ministack: MiniStack, bucket: str, table_name: str) -> str:
    client = ministack.client("s3")
    for number, key in enumerate(KEYS):
        client.put_object(Bucket=bucket, Key=key, Body=bytes([number]) * 1000)
    made = s3torrent(
        "backfill",
        f"s3://{bucket}/x/",
        "--inline",
        endpoint=ministack.endpoint,
        env={"DDB_TABLE": table_name},
    )
    assert made.code == 0, made.stderr
    client.put_object(Bucket=bucket, Key="x/foreign.torrent", Body=b"somebody's own")
    return bucket


def torrents(stack: MiniStack, bucket: str) -> dict[str, bytes]:
    client = stack.client("s3")
    return {key: client.get_object(Bucket=bucket, Key=f"{key}.torrent")["Body"].read() for key in KEYS}


def judged(body: bytes) -> tuple[str, list[str], list[str]]:
    """Info-hash, trackers and web seeds, as libtorrent reads them."""
    params = libtorrent.load_torrent_buffer(body)
    return str(params.ti.info_hashes().v1), list(params.trackers), list(params.url_seeds)


def test_over_a_bucket_and_back(ministack: MiniStack, full: str, table_name: str, tmp_path: Path) -> None:
    before = torrents(ministack, full)

    def edit(*arguments: str) -> list[dict[str, Any]]:
        done = s3torrent(
            "edit", *arguments, "--json",
            endpoint=ministack.endpoint, cwd=tmp_path, env={"DDB_TABLE": table_name},
        )  # fmt: skip
        assert done.code == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    place, wish = f"s3://{full}/x/", ("--tracker", TRACKER, "--web-seed", "https://cdn.example.org/{key}")
    *_, told = edit(place, *wish, "--dry-run")
    assert told["summary"] == {"torrents": 32, "changed": 31, "leftAlone": 1, "failed": 0, "dryRun": True, "undo": None}  # fmt: skip
    assert torrents(ministack, full) == before
    assert not list(tmp_path.iterdir())

    *lines, told = edit(place, *wish)
    undo = told["summary"]["undo"]
    (foreign,) = (line for line in lines if line["error"])
    assert "foreign.torrent was not made by s3torrent" in foreign["error"]["message"]
    after = torrents(ministack, full)
    for key, body in after.items():
        info_hash, trackers, seeds = judged(body)
        assert (info_hash, trackers) == (judged(before[key])[0], [TRACKER])
        assert seeds == [f"https://cdn.example.org/{quote(key)}"]
    item = ministack.client("dynamodb").get_item(
        TableName=table_name, Key={"jobId": {"S": f"s3://{full}/x/000"}}
    )["Item"]
    assert "a.example" in item["magnet"]["S"]

    *_, told = edit(place, *wish)  # again: nothing to do, and no undo file
    assert (told["summary"]["changed"], told["summary"]["undo"]) == (0, None)
    assert [path.name for path in tmp_path.iterdir()] == [undo]
    audit = s3torrent("audit", place, endpoint=ministack.endpoint, env={"DDB_TABLE": table_name})
    assert audit.code == 0, audit.stdout

    *_, told = edit("--restore", undo)
    assert told["summary"]["changed"] == 31
    assert torrents(ministack, full) == before


def test_of_files(tmp_path: Path) -> None:
    """Several at once; the good ones are edited, the bad one is told of."""
    (tmp_path / "a").write_bytes(b"a" * 99)
    (tmp_path / "no.torrent").write_bytes(b"no")
    assert s3torrent("create", "a", "--tracker", TRACKER, cwd=tmp_path).code == 0
    before = (tmp_path / "a.torrent").read_bytes()
    done = s3torrent(
        "edit", "a.torrent", "no.torrent", "--announce-replace", "udp://a.example:1", "https://b.example",
        "--undo", "u", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 1
    assert "no.torrent is not a valid torrent" in done.stderr
    assert "1 of 2 changed, 1 failed" in done.stdout.decode()
    shown = subprocess.run(
        ["transmission-show", tmp_path / "a.torrent"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert OTHER in shown
    assert judged(before)[0] in shown
    assert s3torrent("edit", "--restore", "u", cwd=tmp_path).code == 0
    assert (tmp_path / "a.torrent").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["edit"], "no torrent is named"),
        (["edit", "a.torrent"], "nothing to change was given"),
        (["edit", "s3://bucket/x/", "--web-seed", "https://x.example/a"], "has no {key}"),
        (["edit", "a.torrent", "--announce-replace", "", "x"], "empty OLD"),
        (["edit", "a.torrent", "--comment", "x", "--undo", "a.torrent"], "is there already"),
        (["edit", "a.torrent", "--comment", "x", "--restore", "a.torrent"], "takes nothing else"),
        (["edit", "--restore", "a.torrent"], "undo file"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], told: str, tmp_path: Path) -> None:
    (tmp_path / "a.torrent").write_bytes(b"x\n")
    done = s3torrent(*arguments, cwd=tmp_path, endpoint="http://127.0.0.1:1")
    assert (done.code, done.stdout) == (2, b"")
    assert told in done.stderr
