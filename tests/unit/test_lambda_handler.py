"""The function's answer: failed records only from a queue, an error raised from anywhere else."""

import json
import logging
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from s3torrent import lambda_handler
from s3torrent.engine.native import NativeEngine
from s3torrent.errors import AccessDenied, ConfigError, EventError
from s3torrent.intake.folders import FolderRules
from s3torrent.intake.rules import Rules
from s3torrent.lambda_handler import Function
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.folder import Folders
from s3torrent.pipeline.make import Maker
from s3torrent.redelivery import Redelivery
from s3torrent.status.base import Job
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef


class Context:
    def __init__(self, *milliseconds: int) -> None:
        self.milliseconds = list(milliseconds) or [60_000]

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds.pop(0) if len(self.milliseconds) > 1 else self.milliseconds[0]


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.create_bucket("bucket")
    for key in ("good", "also good", "bad"):
        store.upload(ObjectRef("bucket", key), b"content of " + key.encode())
    return store


def function(store: MemoryStore, *faults: Fault) -> Function:
    maker = Maker(
        store=FailingStore(store, faults),
        status=MemoryStatus(lambda: datetime.now(UTC)),
        engine=NativeEngine(1),
        policy=TorrentPolicy(),
        owner="test",
        lease_seconds=60,
        monotonic=lambda: 0.0,
    )
    return Function(Rules(bucket="bucket"), maker)


def notification(key: str, bucket: str = "bucket") -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}},
            }
        ]
    }


def queue(*bodies: Any) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": f"m{index}",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for index, body in enumerate(bodies)
        ]
    }


def has_torrent(store: MemoryStore, key: str) -> bool:
    return bool(store._find(ObjectRef("bucket", key).torrent, None))


def test_from_a_queue_only_the_failed_records_come_back(store: MemoryStore) -> None:
    event = queue(notification("good"), notification("bad"), "not json", notification("also+good"))
    assert function(store).handle(event, Context()) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert all(has_torrent(store, key) for key in ("good", "bad", "also good"))


def test_a_record_whose_object_fails_comes_back_and_the_others_do_not(store: MemoryStore) -> None:
    first_head_fails = Fault("head", call=1, error=AccessDenied("denied"))
    answer = function(store, first_head_fails).handle(
        queue(notification("bad"), notification("good")), Context()
    )
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert has_torrent(store, "good")


def test_a_plain_s3_event_that_fails_raises_its_own_error_after_the_other_records(store: MemoryStore) -> None:
    event = notification("bad")
    event["Records"] += notification("good")["Records"]
    with pytest.raises(AccessDenied):
        function(store, Fault("head", call=1, error=AccessDenied("denied"))).handle(event, Context())
    assert has_torrent(store, "good")


def test_a_direct_call_is_answered_with_the_torrent(store: MemoryStore) -> None:
    answer = function(store).handle({"bucket": "bucket", "key": "good"}, Context())
    (result,) = answer["results"]
    assert (result["id"], result["status"]) == ("s3://bucket/good", "COMPLETED")
    assert result["torrentKey"] == "good.torrent"
    assert result["magnet"].startswith("magnet:?xt=urn:btih:" + result["infoHashV1"])
    json.dumps(answer)


def test_events_that_are_not_ours_are_dropped_with_a_reason(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "s3torrent")
    answer = function(store).handle(
        queue(notification("good.torrent"), notification("x", "other")), Context()
    )
    assert answer == {"batchItemFailures": []}
    dropped = [json.loads(record.message) for record in caplog.records]
    assert [line["event"] for line in dropped] == ["dropped", "dropped"]
    assert all(line["reason"] for line in dropped)


def test_a_direct_call_that_is_dropped_hears_why(store: MemoryStore) -> None:
    (told,) = function(store).handle({"bucket": "other", "key": "x"}, Context())["results"]
    assert (told["id"], told["status"]) == ("s3://other/x", "DROPPED")
    assert "other" in told["reason"]


def test_an_unknown_payload_raises(store: MemoryStore) -> None:
    with pytest.raises(EventError):
        function(store).handle({"hello": "world"}, Context())


def test_what_no_time_is_left_for_goes_back_unbegun(store: MemoryStore) -> None:
    event = queue(notification("good"), notification("also+good"))
    answer = function(store).handle(event, Context(60_000, 60_000, 9_000))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert not has_torrent(store, "also good")


def test_a_short_timeout_still_makes_its_first_object(store: MemoryStore) -> None:
    event = queue(notification("good"), notification("also+good"))
    assert function(store).handle(event, Context(3_000, 2_900, 900)) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }
    assert has_torrent(store, "good")


def test_every_log_line_is_one_json_document_whatever_the_key_holds(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "s3torrent")
    key = 'a\n{"event": "forged"}\u2028\x1b[31m'
    store.upload(ObjectRef("bucket", key), b"content")
    function(store).handle({"bucket": "bucket", "key": key}, Context())
    (record,) = caplog.records
    assert json.loads(record.getMessage())["id"] == f"s3://bucket/{key}"
    assert record.getMessage().isascii()
    assert "\n" not in record.getMessage()


def test_a_catalogue_is_no_object_in_the_log_and_counts_as_none(
    store: MemoryStore,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "torrents")
    caplog.set_level(logging.INFO, "s3torrent")
    reminder = {"bucket": "bucket", "catalog": "catalog/"}
    assert function(store).handle(queue(reminder), Context()) == {"batchItemFailures": []}
    (record,) = caplog.records
    told = json.loads(record.getMessage())
    assert (told["event"], told["id"]) == ("catalogue", "s3://bucket/catalog/")
    assert not capsys.readouterr().out
    function(store).handle(queue(notification("good")), Context())
    assert json.loads(capsys.readouterr().out)["Made"] == 1


def frames_below_the_handler(error: BaseException) -> list[str]:
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return names[names.index("handler") + 1 :]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "DDB_TABLE is not set"),
        ({"DDB_TABLE": "table", "TRACKERS": "udp://t:99999/a"}, "TRACKERS: tracker 'udp://t:99999/a'"),
    ],
    ids=["no table", "a port that cannot be"],
)
def test_a_function_that_is_not_configured_tells_it_in_one_line_and_every_event_comes_back(
    settings: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("DDB_TABLE", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    lambda_handler.function.cache_clear()
    for _ in range(2):
        with pytest.raises(ConfigError, match=said) as caught:
            lambda_handler.handler(queue(notification("good")), Context())
        assert frames_below_the_handler(caught.value) == []
        assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)
    told = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(line["event"], line["type"], line["retryable"]) for line in told] == [
        ("refused", "ConfigError", False)
    ] * 2
    assert said in told[0]["message"]
    assert told[0]["hint"]


def test_an_error_of_ours_is_told_once_and_leaves_without_the_frames_it_came_through(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = function(store, Fault("head", call=1, error=AccessDenied("denied")))
    monkeypatch.setattr(lambda_handler, "function", lambda: made)
    with pytest.raises(AccessDenied) as caught:
        lambda_handler.handler(notification("bad"), Context())
    assert frames_below_the_handler(caught.value) == []
    with pytest.raises(EventError) as refused:
        lambda_handler.handler({"hello": "world"}, Context())
    assert frames_below_the_handler(refused.value) == []
    told = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(line["event"], line.get("status"), line["type"]) for line in told] == [
        ("object", "FAILED", "AccessDenied"),
        ("refused", None, "EventError"),
    ]


def test_a_fault_of_the_program_itself_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Function:
        raise ZeroDivisionError

    monkeypatch.setattr(lambda_handler, "function", broken)
    with pytest.raises(ZeroDivisionError) as caught:
        lambda_handler.handler({}, Context())
    assert frames_below_the_handler(caught.value) == ["broken"]


class TestTheLineOfAnObject:
    """However its try ended, it has all that is known by then."""

    ALWAYS = frozenset({"event", "id", "status", "reason", "ms", "engine", "kernel"})
    FAILED = ALWAYS | {"type", "message", "retryable", "hint"}

    @pytest.fixture(autouse=True)
    def _versions(self, store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "s3torrent")
        store.create_bucket("versions", versioned=True)
        store.upload(ObjectRef("versions", "film"), b"content of film")
        store.upload(ObjectRef("versions", "empty"), b"")

    def line(self, function: Function, key: str, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
        caplog.clear()
        event = queue(notification(key, "versions"))
        replace(function, rules=Rules(bucket="versions")).handle(event, Context())
        [line] = [
            told
            for record in caplog.records
            if (told := json.loads(record.getMessage()))["event"] == "object"
        ]
        return dict(line)

    def test_before_its_version_is_known(self, store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
        made = function(store, Fault("head", call=1, error=AccessDenied("denied")))
        line = self.line(made, "film", caplog)
        assert set(line) == self.FAILED
        assert (line["status"], line["type"], line["reason"]) == ("FAILED", "AccessDenied", "denied")

    def test_that_cannot_be_read(self, store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
        made = function(store, Fault("read", call=1, after=4, error=AccessDenied("denied")))
        line = self.line(made, "film", caplog)
        assert set(line) == self.FAILED | {"versionId", "size", "bytesRead", "hashMs"}
        assert (line["status"], line["size"], line["bytesRead"]) == ("FAILED", 15, 4)
        assert line["versionId"] == store.head(ObjectRef("versions", "film")).version.version_id

    def test_that_cannot_be_published(self, store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
        made = function(store, Fault("put", call=1, error=AccessDenied("denied")))
        line = self.line(made, "film", caplog)
        assert set(line) == self.FAILED | {"versionId", "size", "bytesRead", "hashMs", "publishMs"}
        assert line["bytesRead"] == 15

    def test_that_no_torrent_can_be_made_of(
        self, store: MemoryStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        line = self.line(function(store), "empty", caplog)
        assert (line["status"], line["type"], line["size"]) == ("SKIPPED", "EmptyContent", 0)
        assert line["versionId"]

    def test_that_another_holds(self, store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
        made = function(store)
        source = store.head(ObjectRef("versions", "film")).version
        job = Job("s3://versions/film", source, made.maker.policy.policy_id, "native", "")
        made.maker.status.claim(job, owner="other", lease_seconds=60)
        line = self.line(made, "film", caplog)
        assert set(line) == self.FAILED | {"versionId", "size"}
        assert (line["status"], line["type"]) == ("HELD", "HeldByAnother")

    def test_that_no_time_was_left_for(self, store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
        event = queue(notification("good"), notification("also+good"))
        function(store).handle(event, Context(60_000, 60_000, 9_000))
        told = [json.loads(record.getMessage()) for record in caplog.records]
        assert [(one["status"], one.get("type")) for one in told if one["event"] == "object"] == [
            ("COMPLETED", None),
            ("PENDING", "OutOfTime"),
        ]

    def test_of_work_that_was_done_before_it_took_nothing(
        self, store: MemoryStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        """So that a sum of bytesRead over the log is what was read."""
        made = function(store)
        first = self.line(made, "film", caplog)
        assert (first["bytesRead"], "hashMs" in first, "publishMs" in first) == (15, True, True)
        again = self.line(made, "film", caplog)
        assert (again["reason"], again["bytesRead"]) == ("done before", 0)
        assert not {"hashMs", "publishMs"} & set(again)
        assert again["infoHashV1"] == first["infoHashV1"]


class TestFolders:
    """Rules for folders: each event of a queue stirs its folder up, and a reminder takes it."""

    class Queue:
        class meta:  # noqa: N801 - boto3's own name
            endpoint_url = "https://sqs.eu-central-1.amazonaws.com/"

        def __init__(self) -> None:
            self.sent: list[dict[str, Any]] = []

        def send_message(self, **arguments: Any) -> None:
            self.sent.append(arguments)

    def function(self, store: MemoryStore, queue: Queue, *, quiet: float = 300.0) -> Function:
        plain = function(store)
        now = lambda: datetime.now(UTC)  # noqa: E731
        return replace(
            plain,
            rules=Rules(bucket="bucket", exclude=("*/left-out",)),
            redelivery=Redelivery(lambda: queue, now),
            folder_rules=FolderRules(("shows/*/",)),
            folders=lambda: Folders(plain.maker, store, quiet, now),
        )

    def from_queue(self, *bodies: Any) -> dict[str, Any]:
        event = queue(*bodies)
        for record in event["Records"]:
            record["eventSourceARN"] = "arn:aws:sqs:eu-central-1:123456789012:events"
            record["receiptHandle"] = "handle"
            record["attributes"] = {"ApproximateReceiveCount": "1"}
        return event

    @pytest.mark.parametrize("key", ["shows/1/a", "shows/1/x/left-out"])
    def test_an_event_sends_one_reminder(self, store: MemoryStore, key: str) -> None:
        """Also of an object that gets no torrent itself; a second one is not sent meanwhile."""
        queue = self.Queue()
        store.upload(ObjectRef("bucket", key), b"content")
        events = self.from_queue(notification(key), notification(key))
        assert self.function(store, queue).handle(events, None) == {"batchItemFailures": []}
        assert queue.sent == [
            {
                "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/events",
                "MessageBody": '{"bucket": "bucket", "folder": "shows/1/"}',
                "DelaySeconds": 301,
            }
        ]

    @pytest.mark.parametrize("key", ["good", "shows/1/a.torrent"])
    def test_other_events_send_none(self, store: MemoryStore, key: str) -> None:
        queue = self.Queue()
        store.upload(ObjectRef("bucket", key), b"content")
        self.function(store, queue).handle(self.from_queue(notification(key)), None)
        self.function(store, queue).handle(notification("shows/1/a", bucket="other"), None)
        assert queue.sent == []

    def test_a_reminder_of_a_folder_that_is_not_quiet_is_sent_again(self, store: MemoryStore) -> None:
        queue = self.Queue()
        store.upload(ObjectRef("bucket", "shows/1/a"), b"content")
        reminder = self.from_queue({"bucket": "bucket", "folder": "shows/1/"})
        assert self.function(store, queue).handle(reminder, None) == {"batchItemFailures": []}
        assert len(queue.sent) == 1
        assert not has_torrent(store, "shows/1")

    def test_a_reminder_of_a_quiet_one_makes_its_torrent(self, store: MemoryStore) -> None:
        queue = self.Queue()
        store.upload(ObjectRef("bucket", "shows/1/a"), b"content")
        reminder = self.from_queue({"bucket": "bucket", "folder": "shows/1/"})
        self.function(store, queue, quiet=-5.0).handle(reminder, None)
        assert queue.sent == []
        assert has_torrent(store, "shows/1")

    def test_a_reminder_without_a_rule_makes_none(self, store: MemoryStore) -> None:
        store.upload(ObjectRef("bucket", "other/1/a"), b"content")
        message = {"bucket": "bucket", "folder": "other/1/"}
        for tried in (function(store), self.function(store, self.Queue(), quiet=-5.0)):
            [result] = tried.handle(message, None)["results"]
            assert (result["status"], result["reason"]) == (
                "SKIPPED",
                "TORRENT_PREFIX_RULES names no such folder",
            )
        assert not has_torrent(store, "other/1")
