"""``s3torrent edit`` as a person runs it, over a bucket and over files, judged by libtorrent and transmission-show."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import libtorrent
import pytest

from s3torrent.cli import undo_file
from support.command import PROGRAM, s3torrent
from support.meddling_proxy import MeddlingProxy, Moment
from support.ministack import ENVIRONMENT

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
    assert told["summary"] == {
        "torrents": 32, "changed": 31, "itemsAmended": 31, "itemsBehind": 0, "leftAlone": 1, "failed": 0,
        "dryRun": True, "undo": None,
    }  # fmt: skip
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


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--json"]])
def test_below_a_prefix_without_torrents_there_is_nothing_to_edit(
    ministack: MiniStack, full: str, tmp_path: Path, more: list[str]
) -> None:
    """The key of an object, with a slash at its end, is none of its torrent."""
    for key, hint in {"x/001/": [f"hint: give s3://{full}/x/001.torrent"], "x/none": []}.items():
        place = f"s3://{full}/{key}"
        done = s3torrent(
            "edit", place, "--tracker", TRACKER, *more, endpoint=ministack.endpoint, cwd=tmp_path
        )
        assert done.code == 1
        assert done.stderr.splitlines() == [f"error: no torrent lies below {place}", *hint]
        assert len(done.stdout.splitlines()) == ("--json" in more)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_table_that_there_is_not_is_told_before_anything_is_changed(
    ministack: MiniStack, full: str, tmp_path: Path, more: list[str]
) -> None:
    before = torrents(ministack, full)
    done = s3torrent(
        "edit", f"s3://{full}/x/", "--tracker", TRACKER, *more,
        endpoint=ministack.endpoint, cwd=tmp_path, env={"DDB_TABLE": "nosuch"},
    )  # fmt: skip
    assert (done.code, done.stdout) == (4, b"")
    assert "table nosuch does not exist" in done.stderr
    assert "hint: correct DDB_TABLE" in done.stderr
    assert torrents(ministack, full) == before
    assert not list(tmp_path.iterdir())


def magnet_of(stack: MiniStack, table_name: str, bucket: str, key: str) -> str:
    found = stack.client("dynamodb").get_item(
        TableName=table_name, Key={"jobId": {"S": f"s3://{bucket}/{key}"}}
    )
    return str(found["Item"]["magnet"]["S"])


def test_a_table_that_fails_in_between_is_told_and_the_next_edit_makes_it_follow(
    ministack: MiniStack, full: str, table_name: str, tmp_path: Path
) -> None:
    """The torrents are changed, can be undone, and are not said to have failed."""
    before, other = torrents(ministack, full), f"{table_name}-b"
    place, wish = f"s3://{full}/x/", ("--tracker", TRACKER)
    dynamo = ministack.client("dynamodb")
    with MeddlingProxy(ministack.endpoint) as proxy:
        dynamo.create_table(
            TableName=other, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "jobId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "jobId", "AttributeType": "S"}],
        )  # fmt: skip
        proxy.at(Moment("PUT", f"/{full}/x/000.torrent", 1), lambda: dynamo.delete_table(TableName=other))
        done = s3torrent(
            "edit", place, *wish, "--json", endpoint=proxy.endpoint, cwd=tmp_path, env={"DDB_TABLE": other}
        )
    *lines, told = map(json.loads, done.stdout.splitlines())
    assert done.code == 1
    (line,) = (line for line in lines if line["torrent"].endswith("/x/000.torrent"))
    assert (line["changed"], line["item"], line["error"]["type"]) == (True, "behind", "TableMissing")
    assert (told["summary"]["changed"], told["summary"]["failed"]) == (31, 0)
    assert told["summary"]["itemsBehind"] > 0
    assert "x/000.torrent was changed, but its status item could not follow" in done.stderr
    assert "hint: run the same command again" in done.stderr
    assert all(judged(body)[1] == [TRACKER] for body in torrents(ministack, full).values())

    again = s3torrent(
        "edit", place, *wish, endpoint=ministack.endpoint, cwd=tmp_path, env={"DDB_TABLE": table_name}
    )
    assert again.code == 0, again.stderr
    assert "0 of 32 changed, 31 status items follow, 1 not ours" in again.stdout.decode()
    assert "a.example" in magnet_of(ministack, table_name, full, "x/000")

    undo = told["summary"]["undo"]
    assert [path.name for path in tmp_path.iterdir()] == [undo]
    back = s3torrent(
        "edit", "--restore", undo, endpoint=ministack.endpoint, cwd=tmp_path, env={"DDB_TABLE": table_name}
    )
    assert back.code == 0, back.stderr
    assert torrents(ministack, full) == before
    assert "a.example" not in magnet_of(ministack, table_name, full, "x/000")


HEADERS = {
    "CacheControl": "max-age=60",
    "ContentDisposition": "attachment; filename=a.torrent",
    "ContentLanguage": "de",
    "ContentType": "application/x-mine",
    "Expires": datetime(2030, 1, 1, tzinfo=UTC),
}


def test_what_the_object_is_served_with_stays(ministack: MiniStack, full: str, tmp_path: Path) -> None:
    client, there = ministack.client("s3"), {"Bucket": full, "Key": "x/000.torrent"}
    before = client.get_object(**there)
    metadata = {**before["Metadata"], "theirs": "kept"}
    client.put_object(**there, Body=before["Body"].read(), Metadata=metadata, **HEADERS)

    def served() -> dict[str, Any]:
        head = client.head_object(**there)
        assert head["Metadata"] == metadata
        return {name: head[name] for name in HEADERS}

    assert served() == HEADERS
    place = f"s3://{full}/x/000.torrent"
    for arguments in ((place, "--tracker", TRACKER, "--undo", "u"), ("--restore", "u")):
        done = s3torrent("edit", *arguments, endpoint=ministack.endpoint, cwd=tmp_path)
        assert done.code == 0, done.stderr
        assert b"changed: " in done.stdout
        assert served() == HEADERS


def test_interrupted_it_names_the_undo_file(ministack: MiniStack, full: str, tmp_path: Path) -> None:
    before = torrents(ministack, full)
    environment = {**ENVIRONMENT, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    with MeddlingProxy(ministack.endpoint) as proxy:
        process = subprocess.Popen(
            [PROGRAM, "edit", f"s3://{full}/x/", "--tracker", TRACKER], cwd=tmp_path, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**environment, "AWS_ENDPOINT_URL": proxy.endpoint},
        )  # fmt: skip

        def interrupt() -> None:
            process.send_signal(signal.SIGINT)
            process.wait(30)

        proxy.at(Moment("PUT", f"/{full}/x/003.torrent", 1), interrupt)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    (undo,) = tmp_path.iterdir()
    assert f"to undo it: s3torrent edit --restore {undo.name}\n" in told
    assert told.rstrip().endswith("interrupted")
    assert s3torrent("edit", "--restore", undo, endpoint=ministack.endpoint).code == 0
    assert torrents(ministack, full) == before


def test_a_bucket_that_there_is_not_leaves_no_undo_file(ministack: MiniStack, tmp_path: Path) -> None:
    done = s3torrent(
        "edit", "s3://no-such-bucket-here/", "--comment", "x", endpoint=ministack.endpoint, cwd=tmp_path
    )
    assert done.code == 4
    assert "does not exist" in done.stderr
    assert not list(tmp_path.iterdir())


def test_undo_files_of_the_same_second_have_different_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(undo_file, "clock", lambda: datetime(2026, 11, 24, tzinfo=UTC))
    for _ in range(3):
        with undo_file.UndoFile(None) as undo:
            undo.write("line\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "s3torrent-undo-20261124T000000Z-2.jsonl",
        "s3torrent-undo-20261124T000000Z-3.jsonl",
        "s3torrent-undo-20261124T000000Z.jsonl",
    ]
    assert capsys.readouterr().err.count("to undo it: ") == 3


def undo_of(folder: Path) -> bytes:
    """Two files a and b are edited; their undo file."""
    for name in ("a", "b"):
        (folder / name).write_bytes(b"content")
        assert s3torrent("create", name, cwd=folder).code == 0
    done = s3torrent("edit", "a.torrent", "b.torrent", "--comment", "x", "--undo", "u", cwd=folder)
    assert done.code == 0, done.stderr
    return (folder / "u").read_bytes()


def test_an_undo_file_whose_last_line_is_cut_undoes_the_others_and_says_so(tmp_path: Path) -> None:
    undo = undo_of(tmp_path)
    (tmp_path / "u").write_bytes(undo[:-5])
    done = s3torrent("edit", "--restore", "u", cwd=tmp_path)
    assert done.code == 1
    assert b"changed: " in done.stdout
    assert "the last line of u is cut" in done.stderr
    comments = [b"7:comment" in (tmp_path / f"{name}.torrent").read_bytes() for name in ("a", "b")]
    assert sorted(comments) == [False, True]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the undo file u has no whole line"),
        (b'{"torrent"', "the undo file u has no whole line"),
        (b"\xff\n", "line 1 of the undo file u is none that edit has written"),
        (b"[" * 100_000 + b"\n", "line 1 of the undo file u is none"),
        (b'{"torrent":"\\ud800","sha256Before":"","sha256After":"","before":"ZGU="}\n', "line 1 of the undo"),
        (b'{"torrent":"a\\u0000b","sha256Before":"","sha256After":"","before":"ZGU="}\n', "is no path"),
        (b'{"torrent":"s3://","sha256Before":"","sha256After":"","before":"ZGU="}\n', "names no object"),
    ],
)
def test_what_is_no_undo_file_is_one_clear_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "u").write_bytes(content)
    done = s3torrent("edit", "--restore", "u", cwd=tmp_path, endpoint="http://127.0.0.1:1")
    assert (done.code, done.stdout) == (2, b"")
    assert told in done.stderr.splitlines()[0]
    assert len(done.stderr.splitlines()) <= 2


def test_a_bad_line_is_told_before_anything_is_undone(tmp_path: Path) -> None:
    undo = undo_of(tmp_path)
    edited = (tmp_path / "a.torrent").read_bytes()
    (tmp_path / "u").write_bytes(undo + b"{}\n")
    done = s3torrent("edit", "--restore", "u", cwd=tmp_path)
    assert (done.code, done.stdout) == (2, b"")
    assert "line 3 of the undo file u" in done.stderr
    assert (tmp_path / "a.torrent").read_bytes() == edited


def test_an_undo_file_may_come_through_a_pipe(tmp_path: Path) -> None:
    undo = undo_of(tmp_path)
    done = s3torrent("edit", "--restore", "/dev/stdin", cwd=tmp_path, stdin=undo)
    assert (done.code, done.stdout.splitlines()[-1]) == (0, b"2 of 2 changed")


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
    failed, hint, _ = done.stderr.splitlines()
    assert "no.torrent is not a valid torrent" in failed
    assert hint.startswith("hint: it is no .torrent, or was cut")
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
