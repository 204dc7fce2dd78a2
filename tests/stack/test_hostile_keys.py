"""Keys that mean harm, end to end: each gets a sound torrent of a harmless name, or a status with its reason."""

from __future__ import annotations

import http.client
import json
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.paths import component_fault
from support.deployed import deployed_on
from support.routes import s3_eventbridge_sqs, s3_sqs
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from support.deployed import Deployed
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

BODY = b"content of no importance"

NAMED = [
    "../../etc/passwd",
    "a/../../b.bin",
    "..hidden",
    "C:\\Windows\\system32\\x.bin",
    "a\nb.bin",
    '"}\n{"event": "object", "id": "s3://forged/key", "status": "COMPLETED"}',
    "cr\r\nx-amz-acl: public-read\r\n.bin",
    "tab\tbell\x07back\x08.bin",
    "\x1b]0;owned\x07\x1b[31mred.bin",
    "\u202egpj.exe",
    "\u2066isolate\u2069\ufeff\u200b.bin",
    "line\u2028separator\u2029.bin",
    "\x7f\x80\x9b31m.bin",
    "not-a-character-\ufffe\uffff.bin",
    "%2e%2e%2fescaped%00.bin",
    "-o",
    "dir/--help",
    "$(touch pwned);`id`|&.bin",
    "{key}.bin",
    "a" * 256,
    "🎬" * 64 + ".bin",
    " .bin ",
]
"""Each has a last segment that is a file name: COMPLETED."""

NAMELESS = ["..", ".", "a/..", "a/.", "../.."]
"""Each ends in what means a folder: SKIPPED."""


def put(deployed: Deployed, bucket: str, keys: Iterable[str]) -> None:
    for key in keys:
        deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=BODY)


def ended(deployed: Deployed, bucket: str, key: str) -> dict[str, Any]:
    """The status item, once work on the object has ended."""

    def look() -> dict[str, Any] | None:
        item = deployed.status(bucket, key)
        return item if item.get("status") in ("COMPLETED", "SKIPPED", "FAILED") else None

    return until(look, lambda: f"an end of {key!r}; found {deployed.status(bucket, key)}")


def check_log(deployed: Deployed, bucket: str, keys: list[str]) -> None:
    """Every line of the function's log is one JSON object, and each key has its own, under its own name."""
    ids = {f"s3://{bucket}/{key}" for key in keys}
    told: set[str] = set()
    for line in deployed.stack.log.split("\n"):
        at = line.find('{"event": ')
        if at >= 0 and bucket in line:
            entry = json.loads(line[at:])
            assert line[at:].isascii()
            assert line[at:].isprintable()
            told.add(entry.get("id", ""))
    assert told - {f"{one}.torrent" for one in ids} == ids
    assert not any(one.startswith("s3://forged") for one in told)


@pytest.mark.parametrize("wire", [s3_sqs, s3_eventbridge_sqs], ids=["encoded", "plain"])
def test_a_key_that_means_harm_gets_a_sound_torrent_or_a_reason(
    deployed: Deployed, wire: Callable[[Deployed, str], None]
) -> None:
    bucket = deployed.bucket(versioned=False)
    wire(deployed, bucket)
    put(deployed, bucket, [*NAMED, *NAMELESS])
    for key in NAMED:
        item = ended(deployed, bucket, key)
        assert item["status"] == "COMPLETED", item
        metainfo = parse(deployed.torrent(bucket, key))
        assert metainfo.name == key.rsplit("/", 1)[-1]
        assert component_fault(metainfo.name.encode()) is None
        assert (metainfo.size, len(metainfo.files)) == (len(BODY), 1)
        assert (item["key"], item["torrentKey"]) == (key, key + ".torrent")
        assert item["magnet"].isascii()
        assert item["magnet"].isprintable()
    for key in NAMELESS:
        item = ended(deployed, bucket, key)
        assert (item["status"], item["error"]["type"]) == ("SKIPPED", "BadName"), item
        assert repr(key.rsplit("/", 1)[-1]) in item["reason"]
    assert keys_of(deployed, bucket) == {*NAMELESS, *NAMED, *(key + ".torrent" for key in NAMED)}
    check_log(deployed, bucket, [*NAMED, *NAMELESS])


def keys_of(deployed: Deployed, bucket: str) -> set[str]:
    """By HEAD: a listing of such keys is XML that cannot be read unless it is encoded."""
    s3, found = deployed.client("s3"), set()
    for key in [*NAMED, *NAMELESS]:
        for name in (key, key + ".torrent"):
            try:
                s3.head_object(Bucket=bucket, Key=name)
            except s3.exceptions.ClientError:
                continue
            found.add(name)
    return found


@pytest.mark.parametrize("path", ["%FF%FE.bin", "a%C3.bin", "%ED%A0%80.bin", "zero%00byte.bin"])
def test_bytes_that_are_no_text_are_never_passed_over_in_silence(deployed: Deployed, path: str) -> None:
    """AWS refuses them; where a stack takes them, the event ends in a torrent or in a reason."""
    bucket = deployed.bucket(versioned=False)
    s3_sqs(deployed, bucket)
    where = urlsplit(deployed.stack.endpoint)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    try:
        connection.request("PUT", f"/{bucket}/{path}", BODY)
        status = connection.getresponse().status
    finally:
        connection.close()
    if status >= 400:
        return
    there = deployed.client("s3").list_objects_v2(Bucket=bucket, EncodingType="url")["Contents"]
    [listed] = [one for one in there if not one["Key"].endswith(".torrent")]
    key = unquote(listed["Key"])
    item = ended(deployed, bucket, key)
    if "\0" in key:
        assert (item["status"], item["error"]["type"]) == ("SKIPPED", "BadName"), item
    else:
        assert item["status"] == "COMPLETED", item
        assert parse(deployed.torrent(bucket, key)).name == key


PROGRAM = shutil.which("transmission-create")


@pytest.mark.skipif(not PROGRAM, reason="transmission-create is not installed (apt: transmission-cli)")
def test_keys_that_look_like_options_or_commands_are_names_to_transmission_create(
    ministack: MiniStack,
) -> None:
    """It is given a path, and no shell stands between; a name that no file can have is a reason."""
    deployed = deployed_on(
        ministack, S3_BUCKET="", TORRENT_ENGINE="transmission", TRANSMISSION_CREATE=str(PROGRAM)
    )
    bucket = deployed.bucket(versioned=False)
    s3_sqs(deployed, bucket)
    names = [
        "-o",
        "dir/--help",
        "-p",
        "$(touch pwned);`id`.bin",
        "a\nb.bin",
        "\x1b[31mred.bin",
        "../../x.bin",
    ]
    put(deployed, bucket, [*names, "a" * 256])
    for key in names:
        item = ended(deployed, bucket, key)
        assert item["status"] == "COMPLETED", item
        assert parse(deployed.torrent(bucket, key)).name == key.rsplit("/", 1)[-1]
    item = ended(deployed, bucket, "a" * 256)
    assert (item["status"], item["error"]["type"]) == ("SKIPPED", "BadName")
