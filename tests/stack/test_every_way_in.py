"""One object, one policy, one torrent: whichever way in made it, and on whichever machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.command import s3torrent
from support.ministack import ENVIRONMENT
from support.reference import content
from support.routes import s3_sqs
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.deployed import Deployed

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

KEY = "shows/é+ü & 100%.mkv"
BODY = content((17 << 20) + 99)


def settings(deployed: Deployed) -> dict[str, str]:
    return {
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": deployed.stack.endpoint,
        "DDB_TABLE": deployed.table,
        "TORRENT_WEB_SEEDS": f"{deployed.stack.endpoint}/{{bucket}}/{{key}}",
    }


@pytest.mark.parametrize("way", ["put", "record"])
def test_one_object_has_one_torrent_byte_for_byte(deployed: Deployed, tmp_path: Path, way: str) -> None:
    """Uploaded with its torrent; deleted and made by the event; deleted and made by a direct call; by create."""
    bucket, film = deployed.bucket(versioned=False), tmp_path / "film.mkv"
    film.write_bytes(BODY)
    target = f"s3://{bucket}/{KEY}"
    if way == "put":
        done = s3torrent("put", film, target, env=settings(deployed))
    else:
        done = s3torrent("record", target, stdin=BODY, env=settings(deployed))
    assert done.code == 0, done.stderr
    first = deployed.torrent(bucket, KEY)
    s3 = deployed.client("s3")
    for make in (_by_event, _by_call):
        s3.delete_object(Bucket=bucket, Key=f"{KEY}.torrent")
        make(deployed, bucket)
        assert deployed.torrent(bucket, KEY) == first
    seed = f"{deployed.stack.endpoint}/{{bucket}}/{{key}}"
    created = s3torrent(
        "create", target, "-o", "-", "--web-seed", seed, endpoint=deployed.stack.endpoint, cwd=tmp_path
    )
    assert created.stdout == first


def _by_event(deployed: Deployed, bucket: str) -> None:
    """The notification comes once more, as S3 may send it at any time."""
    head = deployed.client("s3").head_object(Bucket=bucket, Key=KEY)
    record: dict[str, Any] = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:CompleteMultipartUpload",
        "s3": {
            "bucket": {"name": bucket},
            "object": {"key": "shows/%C3%A9%2B%C3%BC+%26+100%25.mkv", "eTag": head["ETag"].strip('"')},
        },
    }
    answer = deployed.invoke({"Records": [record]})
    assert answer["results"][0]["status"] == "COMPLETED", answer


def _by_call(deployed: Deployed, bucket: str) -> None:
    assert deployed.invoke({"bucket": bucket, "key": KEY})["results"][0]["status"] == "COMPLETED"


def test_other_objects_of_the_same_bytes_have_the_same_info_hash(deployed: Deployed, tmp_path: Path) -> None:
    """By put, by record, and of a copy, whose parts are gone but not what it says of them."""
    bucket, film = deployed.bucket(versioned=False), tmp_path / "same.mkv"
    film.write_bytes(BODY)
    hashes = []
    for arguments, stdin in ((("put", film), b""), (("record",), BODY)):
        target = f"s3://{bucket}/{arguments[0]}/same.mkv"
        done = s3torrent(*arguments, target, "--json", stdin=stdin, env=settings(deployed))
        hashes.append(json.loads(done.stdout)["infoHashV1"])
    deployed.client("s3").copy_object(
        Bucket=bucket, Key="copy/same.mkv", CopySource={"Bucket": bucket, "Key": "put/same.mkv"}
    )
    answer = deployed.invoke({"bucket": bucket, "key": "copy/same.mkv"})
    assert {*hashes, answer["results"][0]["infoHashV1"]} == {hashes[0]}


def test_an_archived_object_is_skipped_and_taken_up_when_it_is_restored(deployed: Deployed) -> None:
    s3, bucket = deployed.client("s3"), deployed.bucket(versioned=False)
    s3_sqs(deployed, bucket)
    s3.put_object(Bucket=bucket, Key=KEY, Body=content(5000), StorageClass="GLACIER")
    item = deployed.ended(bucket, KEY, "SKIPPED")
    assert item["error"]["type"] == "Archived"
    assert "restore-object" in item["error"]["hint"]
    s3.restore_object(Bucket=bucket, Key=KEY, RestoreRequest={"Days": 1})
    until(
        lambda: 'ongoing-request="false"' in s3.head_object(Bucket=bucket, Key=KEY).get("Restore", ""),
        "restored",
    )
    restored = {
        "eventSource": "aws:s3",
        "eventName": "ObjectRestore:Completed",
        "s3": {"bucket": {"name": bucket}, "object": {"key": "shows/%C3%A9%2B%C3%BC+%26+100%25.mkv"}},
    }
    deployed.invoke({"Records": [restored]})
    deployed.ended(bucket, KEY, "COMPLETED")


def test_an_object_under_a_customer_s_own_key_is_refused_clearly(deployed: Deployed) -> None:
    """SSE-C: S3 gives it to nobody without that key, not even its size."""
    bucket = deployed.bucket(versioned=False)
    deployed.client("s3").put_object(
        Bucket=bucket, Key=KEY, Body=content(5000), SSECustomerAlgorithm="AES256", SSECustomerKey=b"k" * 32
    )
    answer = deployed.invoke({"bucket": bucket, "key": KEY})
    assert answer["errorType"] in ("AccessDenied", "Runtime.HandlerError"), answer
    item = deployed.status(bucket, KEY)
    assert (item["status"], item["error"]["type"]) == ("FAILED", "KeyUnusable")
    assert "SSE-C" in item["error"]["hint"]
