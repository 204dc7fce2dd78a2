"""From upload to torrent on the embedded stack: the packaged function, real events, independent judges."""

from __future__ import annotations

import json
import urllib.request
import uuid
from datetime import UTC
from hashlib import sha1
from typing import TYPE_CHECKING, Any

import libtorrent as lt
import pytest

from support.command import s3torrent
from support.reference import content, info_dict, info_hash
from support.routes import EVENTS, ROUTES, counts, feed, notify, queue, s3_eventbridge_sqs, s3_sqs
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.deployed import Deployed

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

PIECE = 16384
"""The piece length that DESIGN gives every object of this module: the shortest there is."""

HARD_KEY = "shows/é+ü & 100%.bin"
HARD_KEYS = [
    "plain.bin",
    "red flower.jpg",
    "a+b.bin",
    "100%.bin",
    "literal %2B%20%25.bin",
    "salt & pepper=?#;:@,$!'()*[]{}|\\^~`\"<>.bin",
    "日本/é+ü.bin",
    "nfd-e\u0301.bin",
    "/from/the/root.bin",
    "two//slashes.bin",
    "name.torrent.bin",
    "long/" + "x" * 1011,
    "long/" + "é" * 450 + "/" + "日" * 36 + "zz",
]
LONGEST = 1016
"""Bytes of the longest key for which KEY.torrent still fits S3's 1,024."""


def put(deployed: Deployed, bucket: str, key: str, body: bytes) -> None:
    deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def copy(deployed: Deployed, bucket: str, key: str, body: bytes) -> None:
    s3, other = deployed.client("s3"), deployed.bucket(versioned=False)
    s3.put_object(Bucket=other, Key="original", Body=body)
    s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": other, "Key": "original"})


def multipart(deployed: Deployed, bucket: str, key: str, body: bytes) -> None:
    s3, where = deployed.client("s3"), {"Bucket": bucket, "Key": key}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    cut = 5 << 20
    parts = [
        s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=part) | {"PartNumber": number}
        for number, part in enumerate((body[:cut], body[cut:]), 1)
    ]
    listed = [{"ETag": part["ETag"], "PartNumber": part["PartNumber"]} for part in parts]
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": listed})


def post(deployed: Deployed, bucket: str, key: str, body: bytes) -> None:
    form = deployed.client("s3").generate_presigned_post(bucket, key)
    boundary = uuid.uuid4().hex
    fields = [(f'name="{name}"', value.encode()) for name, value in form["fields"].items()]
    lines: list[bytes] = []
    for what, value in [*fields, ('name="file"; filename="f"', body)]:
        lines += [f"--{boundary}".encode(), f"Content-Disposition: form-data; {what}".encode(), b"", value]
    data = b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], data, kind, method="POST")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        assert answer.status == 204


UPLOADS: dict[str, Callable[[Deployed, str, str, bytes], None]] = {
    "Put": put,
    "Copy": copy,
    "CompleteMultipartUpload": multipart,
    "Post": post,
}


def check(deployed: Deployed, bucket: str, key: str, body: bytes) -> bytes:
    """Wait for the torrent of exactly these bytes, let everyone judge it, and return it."""
    head = deployed.client("s3").head_object(Bucket=bucket, Key=key)
    item = deployed.ended(bucket, key, "COMPLETED", etag=head["ETag"].strip('"'))
    torrent = deployed.torrent(bucket, key)
    # One reading of the whole file: info dict as the reference writes it, and nothing hashed but that.
    assert b"4:info" + info_dict(body, key, PIECE) in torrent
    document = lt.bdecode(torrent)
    assert document[b"creation date"] == int(head["LastModified"].astimezone(UTC).timestamp())
    hashed = info_hash(body, key, PIECE)
    assert lt.load_torrent_buffer(torrent).ti.info_hashes().v1.to_bytes().hex() == hashed
    assert item["infoHashV1"] == hashed
    assert item["magnet"].startswith(f"magnet:?xt=urn:btih:{hashed}&dn=")
    assert (item["bucket"], item["key"], item["torrentKey"]) == (bucket, key, key + ".torrent")
    assert (item["size"], item["bytesHashed"], item["pieceLength"]) == (len(body), len(body), PIECE)
    assert item.get("versionId") == head.get("VersionId")
    assert item["completedAt"] >= item["createdAt"]
    assert "error" not in item
    assert "leaseExpiresAt" not in item
    assert (
        deployed.client("s3").head_object(Bucket=bucket, Key=key + ".torrent")["ContentType"]
        == "application/x-bittorrent"
    )
    return torrent


class TestEveryKindOfUpload:
    @pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
    @pytest.mark.parametrize("kind", UPLOADS)
    def test_an_upload_gets_its_torrent(self, deployed: Deployed, kind: str, versioned: bool) -> None:
        bucket = deployed.bucket(versioned=versioned)
        s3_sqs(deployed, bucket)
        body = content((5 << 20) + 12_345 if kind == "CompleteMultipartUpload" else 3 * PIECE + 1, kind)
        UPLOADS[kind](deployed, bucket, HARD_KEY, body)
        check(deployed, bucket, HARD_KEY, body)
        assert deployed.keys(bucket) == {HARD_KEY, HARD_KEY + ".torrent"}

    @pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1])
    def test_sizes_at_the_edges_of_a_piece(self, deployed: Deployed, size: int) -> None:
        bucket = deployed.bucket(versioned=True)
        s3_sqs(deployed, bucket)
        put(deployed, bucket, "edge.bin", content(size))
        check(deployed, bucket, "edge.bin", content(size))


class TestEveryWayIn:
    @pytest.mark.parametrize("route", ROUTES)
    def test_the_event_arrives_by_it(self, deployed: Deployed, route: str) -> None:
        bucket = deployed.bucket(versioned=True)
        ROUTES[route](deployed, bucket)
        put(deployed, bucket, HARD_KEY, content(40_000, route))
        check(deployed, bucket, HARD_KEY, content(40_000, route))

    def test_a_direct_call_answers_with_the_torrent(self, deployed: Deployed) -> None:
        bucket, body = deployed.bucket(versioned=True), content(40_000)
        put(deployed, bucket, HARD_KEY, body)
        [result] = deployed.invoke({"bucket": bucket, "key": HARD_KEY})["results"]
        check(deployed, bucket, HARD_KEY, body)
        assert (result["id"], result["status"]) == (f"s3://{bucket}/{HARD_KEY}", "COMPLETED")
        assert (result["torrentKey"], result["infoHashV1"]) == (
            HARD_KEY + ".torrent",
            info_hash(body, HARD_KEY, PIECE),
        )

    def test_a_direct_call_for_an_older_version_never_answers_with_the_current_one(
        self, deployed: Deployed
    ) -> None:
        bucket, s3 = deployed.bucket(versioned=True), deployed.client("s3")
        old = s3.put_object(Bucket=bucket, Key="a.bin", Body=b"old content")["VersionId"]
        put(deployed, bucket, "a.bin", b"new content")
        answer = deployed.invoke({"bucket": bucket, "key": "a.bin", "versionId": old})
        told = [result.get("infoHashV1") for result in answer.get("results", [])]
        assert info_hash(b"new content", "a.bin", PIECE) not in told, answer

    def test_every_way_makes_the_same_file_as_the_command_line(self, deployed: Deployed) -> None:
        """B10: the same bytes under the same policy give the same torrent, byte for byte."""
        bucket = deployed.bucket(versioned=False)
        put(deployed, bucket, HARD_KEY, content(40_000))
        deployed.invoke({"bucket": bucket, "key": HARD_KEY})
        endpoint = deployed.stack.endpoint
        seed = f"{endpoint}/{{bucket}}/{{key}}"
        done = s3torrent(
            "create", f"s3://{bucket}/{HARD_KEY}", "-o", "-", "--web-seed", seed, endpoint=endpoint
        )
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout == check(deployed, bucket, HARD_KEY, content(40_000))


class TestHardKeys:
    def test_the_longest_are_as_long_as_may_be(self) -> None:
        assert [len(key.encode()) for key in HARD_KEYS[-2:]] == [LONGEST, LONGEST]

    @pytest.mark.parametrize("wire", [s3_sqs, s3_eventbridge_sqs], ids=["encoded", "plain"])
    def test_every_key_gets_its_torrent_under_its_own_name(
        self, deployed: Deployed, wire: Callable[[Deployed, str], None]
    ) -> None:
        bucket = deployed.bucket(versioned=False)
        wire(deployed, bucket)
        for key in HARD_KEYS:
            put(deployed, bucket, key, content(20_000, key))
        for key in HARD_KEYS:
            check(deployed, bucket, key, content(20_000, key))
        assert deployed.keys(bucket) == {name for key in HARD_KEYS for name in (key, key + ".torrent")}

    def test_folder_markers_torrents_and_our_own_files_get_none(self, deployed: Deployed) -> None:
        bucket = deployed.bucket(versioned=False)
        s3_sqs(deployed, bucket)
        dropped = ["shows/", "shows/2026_$folder$", "a.torrent", "B.TORRENT", ".s3torrent/checkpoint"]
        for key in dropped:
            put(deployed, bucket, key, b"x" * 100)
        for key in dropped:
            until(lambda key=key: deployed.said("dropped", bucket, key), f"{key} dropped")
            assert deployed.status(bucket, key) == {}
        assert deployed.keys(bucket) == set(dropped)

    def test_our_own_torrent_comes_back_as_an_event_and_starts_nothing(self, deployed: Deployed) -> None:
        bucket = deployed.bucket(versioned=True)
        s3_sqs(deployed, bucket)
        put(deployed, bucket, "a.bin", b"content")
        check(deployed, bucket, "a.bin", b"content")
        until(lambda: deployed.said("dropped", bucket, "a.bin.torrent"), "the torrent's own event")
        assert deployed.keys(bucket) == {"a.bin", "a.bin.torrent"}
        assert len(deployed.writes_of_torrent(bucket, "a.bin")) == 1
        assert deployed.status(bucket, "a.bin.torrent") == {}


class TestAgain:
    """At least once, unordered, and once more by hand: what is done is left as it is."""

    def test_an_event_that_comes_again_changes_nothing(self, deployed: Deployed) -> None:
        bucket, sqs = deployed.bucket(versioned=True), deployed.client("sqs")
        probe_url, probe_arn = queue(deployed)
        notify(deployed, bucket, QueueConfigurations=[{"QueueArn": probe_arn, "Events": EVENTS}])
        put(deployed, bucket, HARD_KEY, content(40_000))
        event = self._notification(sqs, probe_url)
        assert "results" in deployed.invoke(event)
        torrent, written = check(deployed, bucket, HARD_KEY, content(40_000)), self._state(deployed, bucket)
        assert len(written[0]) == 1

        url, arn = queue(deployed)
        feed(deployed, arn)
        for body in (event, {"bucket": bucket, "key": HARD_KEY}):
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
        until(lambda: counts(sqs, url) == (0, 0), "both messages done")
        for again in (event, {"bucket": bucket, "key": HARD_KEY}):
            assert deployed.invoke(again)["results"][0]["status"] == "COMPLETED"
        assert self._state(deployed, bucket) == written
        assert deployed.torrent(bucket, HARD_KEY) == torrent

    def test_the_same_event_several_times_at_once_makes_one_torrent(self, deployed: Deployed) -> None:
        bucket, sqs = deployed.bucket(versioned=True), deployed.client("sqs")
        put(deployed, bucket, "a.bin", content(300_000))
        url, arn = queue(deployed, VisibilityTimeout="1")
        for _ in range(3):
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"bucket": bucket, "key": "a.bin"}))
        feed(deployed, arn, batch_size=1)
        check(deployed, bucket, "a.bin", content(300_000))
        until(lambda: counts(sqs, url) == (0, 0), "all three messages done")
        assert len(deployed.writes_of_torrent(bucket, "a.bin")) == 1
        assert deployed.status(bucket, "a.bin")["attempt"] == 1

    @pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
    def test_a_second_version_replaces_the_torrent(self, deployed: Deployed, versioned: bool) -> None:
        bucket = deployed.bucket(versioned=versioned)
        s3_sqs(deployed, bucket)
        for number, body in enumerate([content(40_000, "first"), content(50_000, "second")], 1):
            put(deployed, bucket, HARD_KEY, body)
            check(deployed, bucket, HARD_KEY, body)
            assert len(deployed.writes_of_torrent(bucket, HARD_KEY)) == (number if versioned else 1)

    def test_a_torrent_that_was_deleted_is_made_again_by_the_same_event(self, deployed: Deployed) -> None:
        bucket = deployed.bucket(versioned=False)
        put(deployed, bucket, "a.bin", b"content")
        deployed.invoke({"bucket": bucket, "key": "a.bin"})
        first = check(deployed, bucket, "a.bin", b"content")
        deployed.client("s3").delete_object(Bucket=bucket, Key="a.bin.torrent")
        deployed.invoke({"bucket": bucket, "key": "a.bin"})
        assert check(deployed, bucket, "a.bin", b"content") == first

    def test_a_torrent_that_somebody_put_in_place_of_ours_is_never_touched(self, deployed: Deployed) -> None:
        bucket = deployed.bucket(versioned=True)
        put(deployed, bucket, "a.bin", b"content")
        deployed.invoke({"bucket": bucket, "key": "a.bin"})
        check(deployed, bucket, "a.bin", b"content")
        put(deployed, bucket, "a.bin.torrent", b"mine now")
        written = deployed.writes_of_torrent(bucket, "a.bin")

        for body in (None, b"second version"):
            if body:
                put(deployed, bucket, "a.bin", body)
            [result] = deployed.invoke({"bucket": bucket, "key": "a.bin"})["results"]
            assert result["status"] == "SKIPPED"
            item = deployed.status(bucket, "a.bin")
            assert (item["status"], item["error"]["type"]) == ("SKIPPED", "ForeignTorrent")
            assert f"s3://{bucket}/a.bin.torrent" in item["error"]["message"]
        assert deployed.torrent(bucket, "a.bin") == b"mine now"
        assert deployed.writes_of_torrent(bucket, "a.bin") == written

    def test_our_torrent_copied_to_another_key_is_foreign_there(self, deployed: Deployed) -> None:
        bucket, s3 = deployed.bucket(versioned=False), deployed.client("s3")
        put(deployed, bucket, "a.bin", b"content")
        deployed.invoke({"bucket": bucket, "key": "a.bin"})
        s3.copy_object(
            Bucket=bucket, Key="b.bin.torrent", CopySource={"Bucket": bucket, "Key": "a.bin.torrent"}
        )
        put(deployed, bucket, "b.bin", b"content")
        [result] = deployed.invoke({"bucket": bucket, "key": "b.bin"})["results"]
        assert result["status"] == "SKIPPED"
        assert (
            sha1(deployed.torrent(bucket, "b.bin")).digest()
            == sha1(deployed.torrent(bucket, "a.bin")).digest()
        )

    def test_an_older_event_that_comes_late_changes_nothing(self, deployed: Deployed) -> None:
        bucket, sqs = deployed.bucket(versioned=True), deployed.client("sqs")
        probe_url, probe_arn = queue(deployed)
        notify(deployed, bucket, QueueConfigurations=[{"QueueArn": probe_arn, "Events": EVENTS}])
        events = []
        for body in (content(40_000, "first"), content(50_000, "second")):
            put(deployed, bucket, HARD_KEY, body)
            events.append(self._notification(sqs, probe_url))
        deployed.invoke(events[1])
        torrent, written = check(deployed, bucket, HARD_KEY, body), self._state(deployed, bucket)
        assert "results" in deployed.invoke(events[0])
        assert self._state(deployed, bucket) == written
        assert deployed.torrent(bucket, HARD_KEY) == torrent

    def test_a_status_that_was_lost_is_written_anew_without_writing_the_torrent(
        self, deployed: Deployed
    ) -> None:
        bucket = deployed.bucket(versioned=True)
        put(deployed, bucket, HARD_KEY, content(40_000))
        deployed.invoke({"bucket": bucket, "key": HARD_KEY})
        torrent = check(deployed, bucket, HARD_KEY, content(40_000))
        written = deployed.writes_of_torrent(bucket, HARD_KEY)
        item = {"jobId": {"S": f"s3://{bucket}/{HARD_KEY}"}}
        deployed.client("dynamodb").delete_item(TableName=deployed.table, Key=item)
        assert deployed.status(bucket, HARD_KEY) == {}

        [result] = deployed.invoke({"bucket": bucket, "key": HARD_KEY})["results"]
        assert result["bytesRead"] == 0
        assert check(deployed, bucket, HARD_KEY, content(40_000)) == torrent
        assert deployed.writes_of_torrent(bucket, HARD_KEY) == written

    @staticmethod
    def _notification(sqs: Any, url: str) -> Any:
        """What S3 sent for the upload, not the test event that went before."""

        def look() -> Any:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                if "Records" in (event := json.loads(message["Body"])):
                    return event
            return None

        return until(look, "S3's notification")

    @staticmethod
    def _state(deployed: Deployed, bucket: str) -> tuple[object, ...]:
        item = deployed.status(bucket, HARD_KEY)
        return deployed.writes_of_torrent(bucket, HARD_KEY), deployed.keys(bucket), item


def test_the_event_by_which_s3_tries_out_a_notification_is_no_failure(deployed: Deployed) -> None:
    sqs, (url, arn) = deployed.client("sqs"), queue(deployed)
    notify(
        deployed, deployed.bucket(versioned=False), QueueConfigurations=[{"QueueArn": arn, "Events": EVENTS}]
    )
    until(lambda: counts(sqs, url) == (1, 0), "s3:TestEvent")
    feed(deployed, arn)
    # Of a failed record the message would stay, hidden for a while.
    until(lambda: counts(sqs, url) == (0, 0), "s3:TestEvent taken")
