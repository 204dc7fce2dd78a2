"""watch.sh against MiniStack, without a daemon: what it brings, what it leaves, what it refuses."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack

HOSTILE = (
    "0-plain.torrent",
    "1-a b.torrent",
    "2-line\nbreak.torrent",
    "3-'single' \"double\" `id`.torrent",
    "4-$(touch stolen).torrent",
    "5/../../up.torrent",
    "6-é+ü & 100%.torrent",
    "7-back\\slash\ttab.torrent",
    "8-*?[a].torrent",
    f"9-{'long' * 200}.torrent",
    "--body.torrent",
    "file:///etc/hostname.torrent",
)


def test_every_new_torrent_is_brought_whatever_its_key(watch: Any) -> None:
    bodies = {name: f"the torrent of {name!r}".encode() for name in HOSTILE}
    for name, body in bodies.items():
        watch.put(name, body)
    watch.put("notes.txt", b"not a torrent")
    watch.stack.client("s3").put_object(Bucket=watch.bucket, Key="elsewhere.torrent", Body=b"not asked for")
    said = watch.once(code=1)
    assert "was not handed to transmission-daemon at 127.0.0.1:1" in said
    assert watch.copies() == sorted(bodies.values())
    assert {path.name for path in watch.folder.parent.iterdir()} == {"watch"}
    listed = watch.stack.client("s3").list_objects_v2(Bucket=watch.bucket)
    assert listed["KeyCount"] == len(HOSTILE) + 2, "nothing is deleted from the bucket"


def test_what_was_brought_is_not_brought_again_but_its_next_version_is(watch: Any) -> None:
    watch.put("a.torrent", b"first")
    watch.once(code=1)
    (copy,) = watch.folder.glob("*.torrent")
    copy.unlink()
    assert watch.once() == ""
    assert watch.copies() == []
    watch.put("a.torrent", b"second")
    watch.put("b.torrent", b"other")
    watch.once(code=1)
    assert watch.copies() == [b"other", b"second"]


def test_what_no_client_could_load_is_named_once_and_left_out(watch: Any) -> None:
    watch.put("empty.torrent", b"")
    watch.put("large.torrent", bytes(10_000_001))
    said = watch.once()
    assert '/empty.torrent" has 0 bytes; a .torrent has 1 to 10000000' in said
    assert '/large.torrent" has 10000001 bytes' in said
    assert watch.copies() == []
    assert watch.once() == ""


def test_more_torrents_than_a_page_of_the_listing(watch: Any) -> None:
    """S3 lists 1,000 at a time. All but the last few are known already, so that few are fetched."""
    names = [f"{number:04}.torrent" for number in range(1003)]
    for name in names:
        watch.put(name, b"x")
    listed = watch.stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=watch.bucket)
    found = [(one["Key"], one["ETag"]) for page in listed for one in page["Contents"]]
    lines = [
        f'{{"Key":"{key}","IfMatch":"{etag[1:-1]}","Size":1}}'.replace(etag[1:-1], f'\\"{etag[1:-1]}\\"')
        for key, etag in found
    ]
    (watch.folder / ".seen").write_text("\n".join(lines[:500] + lines[503:1001]) + "\n")
    watch.once(code=1)
    assert len(watch.copies()) == 5


def test_a_bucket_out_of_reach_is_told_and_the_next_round_comes(
    watch: Any, shared: Path, run_watch: Any
) -> None:
    log = shared / "watch.log"
    with run_watch(log, AWS_ENDPOINT_URL="http://127.0.0.1:1") as process:
        until(lambda: log.exists() and log.read_text().count("was not listed: ") >= 2, log.read_text)
        assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert "Could not connect to the endpoint URL" in log.read_text()
    assert not list(watch.folder.glob(".work*"))


def test_two_watchers_do_not_share_a_folder(watch: Any, shared: Path, run_watch: Any) -> None:
    with run_watch(shared / "watch.log"):
        until((watch.folder / ".seen").exists, "the first watcher at work")
        assert "another watch.sh is at work" in watch.once(code=2)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("S3_BUCKET", "", "expected the name of the bucket"),
        ("S3_BUCKET", "s3://bucket", "expected the name of the bucket"),
        ("TORRENT_WATCH_PREFIX", "", "expected the function's, with a / and without :"),
        ("TORRENT_WATCH_PREFIX", "file", "expected the function's, with a / and without :"),
        ("TORRENT_WATCH_PREFIX", "file:/", "expected the function's, with a / and without :"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "expected http://HOST:PORT"),
        ("WATCH_SECONDS", "0", "expected 1 to 3600"),
        ("WATCH_SECONDS", "3601", "expected 1 to 3600"),
        ("WATCH_FOLDER", "watch", "expected an absolute path"),
        ("WATCH_FOLDER", "/nowhere/at/all", "expected a folder that this user may write to"),
        ("CONTENT_FOLDER", "content", "expected an absolute path"),
        ("CONTENT_LAYOUT", "tree", "expected own or flat"),
        ("TRANSMISSION_RPC", "http://127.0.0.1:9091", "expected HOST:PORT"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    watch: Any, name: str, value: str, expected: str
) -> None:
    said = watch.once(code=2, **{name: value})
    assert said.startswith(f"watch: {name} is ")
    assert expected in said
    assert said.count("\n") == 1


def test_a_missing_program_is_named(watch: Any, tmp_path: Path) -> None:
    (tmp_path / "bash").symlink_to("/bin/bash")
    (tmp_path / "env").symlink_to("/usr/bin/env")
    assert "aws is not on PATH" in watch.once(code=4, PATH=str(tmp_path))


def test_an_unknown_argument_is_refused_and_help_tells_the_settings(seed_script: Any) -> None:
    wrong = subprocess.run([seed_script("watch.sh"), "--onec"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "unknown argument: --onec" in wrong.stderr
    helped = subprocess.run([seed_script("watch.sh"), "--help"], capture_output=True, text=True)
    assert helped.returncode == 0
    assert "TORRENT_WATCH_PREFIX" in helped.stdout
