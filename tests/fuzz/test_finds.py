"""What fuzzing found, each as the least input that shows it; the corpus keeps the inputs themselves (``find-*``)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from events.make_fixtures import s3, s3_record, sqs
from fuzz.saying import check_error
from fuzz.wire import answer, server
from s3torrent.config import from_environment
from s3torrent.errors import (
    ConfigError,
    EndpointUnreachable,
    NoSuchObject,
    ReadInterrupted,
    S3TorrentError,
    TableSchemaMismatch,
    Throttled,
)
from s3torrent.intake.parse import parse
from s3torrent.metainfo import bencode
from s3torrent.metainfo.model import Metainfo
from s3torrent.metainfo.validate import problems
from s3torrent.status.base import Claimed, Done, Job
from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.store.resume import Patience
from s3torrent.store.s3_upload import S3UploadStore
from s3torrent.types import ObjectRef, ObjectVersion, Upload

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
REF = ObjectRef("bucket", "a.bin")
VERSION = ObjectVersion(REF, None, "abc", 10, NOW)
UPLOAD = Upload(REF, "u1")
JOB = Job(str(REF), VERSION, "v1", sequencer="0060")
COMMON: Any = {"content_type": "", "metadata": {}}
DATE = "Mon, 23 Nov 2026 14:00:00 GMT"
HEAD = {"ETag": '"abc"', "Last_Modified": DATE, "Content_Length": "10"}


def store(*answers: bytes) -> S3UploadStore:
    stub = server("s3")
    stub.load(b"\0".join(answers))
    hasty = Patience(attempts=2, first_wait=0, sleep=lambda _: None)
    return S3UploadStore(stub.client, hasty, hasty)


def status(*answers: bytes) -> DynamoStatus:
    stub = server("dynamodb")
    stub.load(b"\0".join(answers))
    return DynamoStatus(stub.client, "table", lambda: NOW, sleep=lambda _: None)


def xml(name: str, inner: str) -> bytes:
    return answer(200, f"<{name}>{inner}</{name}>")


class TestS3:
    @pytest.mark.parametrize(
        "wrong",
        [{"ETag": '""'}, {"Content_Length": "-1"}, {"Content_Length": "9" * 30}, {"Content_Length": "ten"},
         {"Last_Modified": "soon"}, {"Last_Modified": f"Mon, 23 Nov 2026{'0' * 200} 14:00:00 GMT"}],
        ids=str,
    )  # fmt: skip
    def test_a_head_that_tells_no_object_is_a_typed_error(self, wrong: dict[str, str]) -> None:
        with pytest.raises(EndpointUnreachable, match="cannot be read"):
            store(answer(200, **{**HEAD, **wrong})).head(REF)

    @pytest.mark.parametrize("missing", HEAD)
    def test_a_head_without_one_of_its_headers_is_a_typed_error(self, missing: str) -> None:
        told = {name: value for name, value in HEAD.items() if name != missing}
        with pytest.raises(EndpointUnreachable, match="cannot be read"):
            store(answer(200, **told)).head(REF)

    def test_the_body_of_an_error_that_breaks_off_is_a_broken_connection(self) -> None:
        """botocore reads it unguarded where the body was to be streamed: urllib3's own error came through."""
        with pytest.raises(ReadInterrupted, match=r"a\.bin"):
            list(store(answer(503, "<Error>", Content_Length="100")).read(VERSION, 0, 10))

    def test_an_error_page_of_a_proxy_is_judged_by_its_status(self) -> None:
        """Well-formed XML, but none of S3's: botocore's answer then has no Error at all."""
        with pytest.raises(Throttled, match="502"):
            store(answer(502, "<html><body>Bad Gateway</body></html>")).put(
                REF, b"x", replaces=None, **COMMON
            )

    def test_a_success_that_is_no_xml_is_a_typed_error(self) -> None:
        with pytest.raises(EndpointUnreachable, match="cannot be read"):
            store(xml("hotel", "<login/>"), xml("x", "")).put(REF, b"x", replaces=None, **COMMON)
        with pytest.raises(EndpointUnreachable, match="UploadId"):
            store(xml("InitiateMultipartUploadResult", "")).begin_upload(REF, **COMMON)

    def test_a_message_without_end_is_cut(self) -> None:
        """It goes into the status item, which holds 400 KB."""
        said = answer(403, f"<Error><Code>AccessDenied</Code><Message>{'so ' * 300_000}</Message></Error>")
        with pytest.raises(S3TorrentError) as caught:
            store(said).put(REF, b"x", replaces=None, **COMMON)
        check_error(caught.value)

    def test_a_write_whose_answer_has_no_date_is_written(self) -> None:
        assert (
            store(answer(200, ETag='"e"', Date="0")).put(REF, b"x", replaces=None, **COMMON).version.etag
            == "e"
        )

    @pytest.mark.parametrize(
        "inner", ["<Size>-1</Size>", "<Size>1</Size><ChecksumSHA1>YQ==</ChecksumSHA1>", ""]
    )
    def test_a_part_that_can_be_none_is_a_typed_error(self, inner: str) -> None:
        part = f'<Part><PartNumber>1</PartNumber><ETag>"e"</ETag>{inner}</Part>'
        with pytest.raises(EndpointUnreachable, match="cannot be read"):
            store(xml("ListPartsResult", part)).uploaded_parts(UPLOAD)

    @pytest.mark.parametrize("kind", ["uploads", "parts"])
    def test_a_listing_without_end_ends(self, kind: str) -> None:
        """Each page points to another that is not like it, so botocore's own guard sees nothing."""
        markers = "<NextKeyMarker>k@N@</NextKeyMarker><NextUploadIdMarker>u@N@</NextUploadIdMarker>"
        more = f"<IsTruncated>true</IsTruncated>{markers}<NextPartNumberMarker>@N@</NextPartNumberMarker>"
        if kind == "uploads":
            with pytest.raises(EndpointUnreachable, match="more than 100 pages"):
                store(xml("ListMultipartUploadsResult", more)).unfinished_uploads(REF)
        else:
            with pytest.raises(EndpointUnreachable, match="more than 100 pages"):
                store(xml("ListPartsResult", more)).uploaded_parts(UPLOAD)

    def test_a_key_that_xml_cannot_hold_is_found_among_the_uploads(self) -> None:
        """S3 writes it encoded where that is asked for; its marker goes back as it was."""
        ref = ObjectRef("bucket", "a\x01 b+c")
        told = "<Upload><Key>a%01+b%2Bc</Key><UploadId>u@N@</UploadId><Initiated>2026-11-23T14:00:0@N@Z</Initiated></Upload>"
        page = f"<EncodingType>url</EncodingType>{told}"
        more = "<IsTruncated>true</IsTruncated><NextKeyMarker>a%01+b%2Bc</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>"
        pages = [xml("ListMultipartUploadsResult", page + more), xml("ListMultipartUploadsResult", page)]
        assert store(*pages).unfinished_uploads(ref) == [Upload(ref, "u2"), Upload(ref, "u1")]

    def test_a_missing_object_is_still_missing_where_its_bucket_cannot_be_asked(self) -> None:
        with pytest.raises(NoSuchObject):
            store(answer(404), answer(200, Content_Length="x")).head(REF)


ITEM: dict[str, Any] = {
    "jobId": {"S": JOB.job_id}, "status": {"S": "CREATING_TORRENT"}, "etag": {"S": "abc"}, "size": {"N": "10"},
    "policyId": {"S": "v1"}, "attempt": {"N": "3"}, "leaseOwner": {"S": "other"},
    "leaseExpiresAt": {"S": "2026-11-23T14:01:00.000Z"}, "sequencer": {"S": "0059"},
}  # fmt: skip


def met(item: dict[str, Any]) -> bytes:
    kind = "ConditionalCheckFailedException"
    return answer(400, json.dumps({"__type": kind, "message": "no", "Item": item}))


class TestStatusItemEditedByHand:
    @pytest.mark.parametrize(
        ("name", "value", "attempt"),
        [
            ("attempt", {"S": "three"}, 1),
            ("attempt", {"N": "1.5"}, 1),
            ("attempt", {"N": "-3"}, 1),
            ("attempt", {"N": "9" * 38}, 1),
            ("attempt", {"NULL": True}, 1),
            ("attempt", {"M": {}}, 1),
            ("leaseExpiresAt", {"S": "tomorrow"}, 4),
            ("leaseExpiresAt", {"S": "9999-12-31T23:59:59-14:00"}, 4),
            ("leaseExpiresAt", {"N": "9999999999"}, 4),
            ("leaseExpiresAt", {"SS": ["a", "b"]}, 4),
            ("uploadExpiresAt", {"N": "9999999999"}, None),
            ("sequencer", {"N": "99"}, None),
            ("sequencer", {"L": []}, None),
            ("status", {"N": "7"}, 4),
        ],
        ids=str,
    )
    def test_an_attribute_of_another_type_says_nothing(
        self, name: str, value: dict[str, Any], attempt: int | None
    ) -> None:
        """The job is claimed, or held by what is sound in the item; the write compares with what lies there."""
        item = {
            key: told for key, told in ITEM.items() if not (name == "attempt" and key == "leaseExpiresAt")
        }
        sent: list[dict[str, Any]] = []
        it = status(met(item | {name: value}), answer(200, "{}"))
        it._client.meta.events.register_last(
            "before-call", lambda params, **_: sent.append(json.loads(params["body"])), "spy"
        )
        try:
            result = it.claim(JOB, owner="me", lease_seconds=60)
        finally:
            it._client.meta.events.unregister("before-call", unique_id="spy")
        if attempt is None:  # the lease is sound, and live
            assert not isinstance(result, Claimed | Done)
            return
        assert isinstance(result, Claimed)
        assert result.attempt == attempt
        assert value in sent[-1]["ExpressionAttributeValues"].values()

    def test_what_is_handed_out_of_a_finished_item_has_the_types_that_are_promised(self) -> None:
        """A set would not go into the function's JSON answer."""
        done = ITEM | {"status": {"S": "COMPLETED"}, "magnet": {"SS": ["a"]}, "torrentKey": {"S": "k"}}
        known = replace(JOB, sequencer=None)  # which tells the item nothing new
        result = status(met(done)).claim(known, owner="me", lease_seconds=60)
        assert isinstance(result, Done)
        assert (result.item.get("magnet"), result.item.get("torrentKey")) == (None, "k")

    def test_numbers_that_are_none_are_read_as_they_are(self) -> None:
        item = ITEM | {"n": {"N": "many"}, "long": {"N": "9" * 5000}, "empty": {}}
        found = status(answer(200, json.dumps({"Item": item}))).get(JOB.job_id)
        assert found is not None
        assert (found.get("n"), found.get("empty")) == ("many", None)

    def test_a_page_that_leads_to_itself_ends_the_list(self) -> None:
        page = answer(200, json.dumps({"Items": [], "LastEvaluatedKey": {"jobId": {"S": "x"}}}))
        assert status(page).list() == []


class TestDynamoDb:
    @pytest.mark.parametrize(
        "body", [b"<html>\xff", b"[" * 100_000, b'{"Table": null}', b'{"Table": {"TableStatus": []}}']
    )
    def test_an_answer_that_is_none_is_a_typed_error(self, body: bytes) -> None:
        for ask in (lambda it: it.claim(JOB, owner="me", lease_seconds=60), lambda it: it.ensure()):
            try:
                ask(status(answer(200, body)))
            except S3TorrentError as error:
                check_error(error)

    def test_a_key_schema_that_is_none_is_named(self) -> None:
        table = {"TableStatus": "ACTIVE", "KeySchema": [{}], "AttributeDefinitions": [{}]}
        with pytest.raises(TableSchemaMismatch, match="expected jobId"):
            status(answer(200, json.dumps({"Table": table}))).ensure()

    def test_a_message_without_end_is_cut_and_can_be_written(self) -> None:
        said = answer(400, json.dumps({"__type": "AccessDeniedException", "message": "\ud800 " * 100_000}))
        with pytest.raises(S3TorrentError) as caught:
            status(said).get(JOB.job_id)
        check_error(caught.value)


class TestConfig:
    @pytest.mark.parametrize(
        "name", ["TORRENT_COMMENT", "TORRENT_WATCH_PREFIX", "S3_BUCKET", "TORRENT_INCLUDE"]
    )
    def test_a_setting_that_is_no_utf8_is_refused(self, name: str) -> None:
        """Each object would fail at it, or a UnicodeEncodeError leave the start."""
        with pytest.raises(ConfigError, match="UTF-8"):
            from_environment({name: "a\udcff/"})

    @pytest.mark.parametrize(
        "url", ["http://[", "http://]:1", "http://a:99999", "http://:80", "http://[::::"]
    )
    def test_an_endpoint_that_is_no_address_is_refused(self, url: str) -> None:
        """It looked like one, and the making of a client raised ValueError."""
        with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL"):
            from_environment({"AWS_ENDPOINT_URL": url})


@pytest.mark.parametrize("received", ["9" * 5000, "-1", "1e3", ""])
def test_a_receive_count_that_is_none_keeps_no_message_from_its_work(received: str) -> None:
    """Python refuses to read a number of more than 4,300 digits: that took the whole batch with it."""
    batch = sqs(s3(s3_record("a.bin")))
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = received
    [parcel] = parse(batch).parcels
    assert (parcel.error, parcel.ticket) == (None, None)
    assert [request.ref.key for request in parcel.requests] == ["a.bin"]


def test_what_is_wrong_with_a_torrent_is_told_in_one_bounded_line() -> None:
    """However long its names are: a rule on piece layers quoted the whole path."""
    path = {b"": {b"length": 40_000, b"pieces root": bytes(32)}}
    for _ in range(90):
        path = {b"\x01" * 4000: path}
    info = {b"file tree": path, b"meta version": 2, b"name": b"n", b"piece length": 16384}
    [problem] = problems(Metainfo(bencode.encode(info), info, {b"piece layers": {}}))
    assert problem.rule == "piece_layers"
    check_error(problem)
