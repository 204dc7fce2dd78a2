"""The function zip as Lambda runs it: unpacked, under AWS's own runtime client, with S3 on the embedded stack."""

from __future__ import annotations

import json
import re
import shutil
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from support.deployed import fresh, status_of
from support.ministack import ENVIRONMENT
from support.payloads import created, message_ids, on_the_bus, queued
from support.reference import content, info_dict, info_hash
from support.runtime_api import InvocationResult, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

PIECE = 16384
HARD_KEY = "shows/é+ü & 100%.bin"
MEMORY = 200 << 20


@pytest.fixture
def function(ministack: MiniStack, unpacked: Path, own_table: str) -> Callable[..., RuntimeApi]:
    """The function with its settings; ``function(S3_BUCKET=...)`` adds to them, None takes one away."""

    def build(**settings: str | None) -> RuntimeApi:
        given = {
            "AWS_ENDPOINT_URL": ministack.endpoint,
            **ENVIRONMENT,
            "DDB_TABLE": own_table,
            "PYTHONDONTWRITEBYTECODE": "1",
            **settings,
        }
        return RuntimeApi(unpacked, env={name: value for name, value in given.items() if value is not None})

    return build


@dataclass(frozen=True)
class Running:
    """One process of the function, warm for every test that needs no settings of its own."""

    api: RuntimeApi
    table: str


@pytest.fixture(scope="module")
def running(ministack: MiniStack, unpacked: Path) -> Iterator[Running]:
    table = fresh("table")
    settings = {"DDB_TABLE": table, "AWS_ENDPOINT_URL": ministack.endpoint, **ENVIRONMENT}
    with RuntimeApi(unpacked, env={**settings, "PYTHONDONTWRITEBYTECODE": "1"}) as api:
        yield Running(api, table)


def torrent_of(ministack: MiniStack, bucket: str, key: str) -> bytes:
    body: bytes = ministack.client("s3").get_object(Bucket=bucket, Key=key + ".torrent")["Body"].read()
    return body


def keys_of(ministack: MiniStack, bucket: str) -> set[str]:
    listed = ministack.client("s3").list_objects_v2(Bucket=bucket)
    return {found["Key"] for found in listed.get("Contents", [])}


class TestEventInTorrentOut:
    @pytest.mark.parametrize("kind", ["s3", "eventbridge", "direct", "sqs"])
    def test_each_kind_of_event(self, ministack: MiniStack, bucket: str, running: Running, kind: str) -> None:
        body = content(100_000, kind)
        ministack.client("s3").put_object(Bucket=bucket, Key=HARD_KEY, Body=body)
        event = {
            "s3": created(bucket, HARD_KEY),
            "eventbridge": on_the_bus(bucket, HARD_KEY),
            "direct": {"bucket": bucket, "key": HARD_KEY},
            "sqs": queued(created(bucket, HARD_KEY)),
        }[kind]
        result = running.api.invoke(event)
        assert result.ok, result
        if kind == "sqs":
            assert result.payload == {"batchItemFailures": []}
        else:
            [told] = result.payload["results"]
            assert (told["status"], told["infoHashV1"]) == ("COMPLETED", info_hash(body, HARD_KEY, PIECE))
        assert b"4:info" + info_dict(body, HARD_KEY, PIECE) in torrent_of(ministack, bucket, HARD_KEY)
        item = status_of(ministack, running.table, bucket, HARD_KEY)
        assert (item["status"], item["infoHashV1"]) == ("COMPLETED", info_hash(body, HARD_KEY, PIECE))

    def test_it_is_the_code_of_the_zip_and_needs_nothing_else_of_ours(
        self, unpacked: Path, ministack: MiniStack, tmp_path: Path
    ) -> None:
        """In the process that served the event: where each of our modules came from."""
        code = shutil.copytree(unpacked, tmp_path / "code")
        (code / "probe.py").write_text(
            "import sys\n"
            "from s3torrent.lambda_handler import handler as inner\n"
            "def handler(event, context):\n"
            "    answer = inner(event, context)\n"
            "    files = {name: module.__file__ for name, module in sys.modules.items()\n"
            "             if name.partition('.')[0] == 's3torrent'}\n"
            "    return {'answer': answer, 'files': files, 'modules': sorted(sys.modules)}\n",
            encoding="utf-8",
        )
        settings = {"DDB_TABLE": fresh("table"), "AWS_ENDPOINT_URL": ministack.endpoint}
        with RuntimeApi(code, handler="probe.handler", env=settings) as api:
            result = api.invoke({"Event": "s3:TestEvent"})
        assert result.ok, result
        [told] = result.payload["answer"]["results"]
        assert (told["status"], told["id"]) == ("DROPPED", "")
        files = result.payload["files"]
        assert files["s3torrent"] == str(code / "s3torrent" / "__init__.py")
        assert {file for file in files.values() if not file.startswith(f"{code}/")} == set()
        assert {"click", "rich"}.isdisjoint(result.payload["modules"])

    def test_one_process_takes_event_after_event(
        self, ministack: MiniStack, bucket: str, running: Running
    ) -> None:
        process = running.api.pid
        for number in range(3):
            ministack.client("s3").put_object(Bucket=bucket, Key=f"{number}.bin", Body=content(1000))
            assert running.api.invoke(created(bucket, f"{number}.bin")).ok
        assert running.api.pid == process
        assert {f"{number}.bin.torrent" for number in range(3)} < keys_of(ministack, bucket)

    def test_s3_bucket_refuses_the_events_of_other_buckets(
        self, ministack: MiniStack, bucket: str, own_table: str, function: Callable[..., RuntimeApi]
    ) -> None:
        ministack.client("s3").put_object(Bucket=bucket, Key="a.bin", Body=b"content")
        with function(S3_BUCKET="another-bucket") as api:
            result = api.invoke(created(bucket, "a.bin"))
            assert result.ok
            assert "another-bucket" in api.stdout + api.stderr
        [told] = result.payload["results"]
        assert (told["status"], told["id"]) == ("DROPPED", f"s3://{bucket}/a.bin")
        assert "another-bucket" in told["reason"]
        assert keys_of(ministack, bucket) == {"a.bin"}


class TestBatches:
    def test_only_the_bad_record_of_a_batch_comes_back(
        self, ministack: MiniStack, bucket: str, running: Running
    ) -> None:
        s3 = ministack.client("s3")
        for key in ("first.bin", HARD_KEY):
            s3.put_object(Bucket=bucket, Key=key, Body=content(20_000, key))
        event = queued(
            created(bucket, "first.bin"),
            created("no-such-bucket-of-ours", "x.bin"),
            "not JSON",
            created(bucket, "other.torrent"),
            created(bucket, HARD_KEY),
        )
        result = running.api.invoke(event)
        assert result.ok, result
        ids = message_ids(event)
        assert result.payload == {
            "batchItemFailures": [{"itemIdentifier": ids[1]}, {"itemIdentifier": ids[2]}]
        }
        assert keys_of(ministack, bucket) == {
            "first.bin", "first.bin.torrent", HARD_KEY, HARD_KEY + ".torrent",
        }  # fmt: skip
        item = status_of(ministack, running.table, "no-such-bucket-of-ours", "x.bin")
        assert (item["status"], item["error"]["type"]) == ("FAILED", "NoSuchBucket")

    def test_a_bad_object_does_not_keep_its_neighbours_in_the_notification_waiting(
        self, ministack: MiniStack, bucket: str, running: Running
    ) -> None:
        """One S3 notification with several records: the good are made, then the whole message is given back."""
        ministack.client("s3").put_object(Bucket=bucket, Key="good.bin", Body=b"content")
        bad = created("no-such-bucket-of-ours", "x.bin")
        bad["Records"] += created(bucket, "good.bin")["Records"]
        event = queued(bad)
        result = running.api.invoke(event)
        assert result.payload == {"batchItemFailures": [{"itemIdentifier": message_ids(event)[0]}]}
        assert "good.bin.torrent" in keys_of(ministack, bucket)


def unreachable() -> str:
    """An address on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class TestErrors:
    """Outside a queue the function fails, by the error's own name, so that Lambda retries and shows it."""

    def fails(self, result: InvocationResult, error_type: str, *words: str) -> None:
        assert not result.ok, result
        assert result.error_type == error_type, result
        message = str(result.error_message)
        assert "\n" not in message
        for word in words:
            assert word in message, message

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"DDB_TABLE": None}, ["DDB_TABLE"]),
            ({"TRACKERS": "udp://tracker.example.org"}, ["TRACKERS", "udp://tracker.example.org", "port"]),
            ({"TRACKERS": "http://a.example/announce,not a url"}, ["TRACKERS", "not a url"]),
            ({"TORRENT_PIECE_LENGTH": "100000"}, ["TORRENT_PIECE_LENGTH", "100000", "power of two"]),
            ({"TORRENT_VERSION": "v3"}, ["TORRENT_VERSION", "v3", "hybrid"]),
            ({"TORRENT_WEB_SEEDS": "http://cdn.example/"}, ["TORRENT_WEB_SEEDS", "{key}"]),
            ({"AWS_ENDPOINT_URL": "localhost:4566"}, ["localhost:4566"]),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_a_setting_that_is_wrong_is_a_config_error(
        self,
        function: Callable[..., RuntimeApi],
        bucket: str,
        settings: dict[str, str | None],
        words: list[str],
    ) -> None:
        with function(**settings) as api:
            for _ in range(2):  # not only at the first: a function that failed to start stays failed
                self.fails(api.invoke(created(bucket, "a.bin")), "ConfigError", *words)

    def test_a_payload_of_no_known_kind_is_an_event_error(self, running: Running) -> None:
        unknown = [{}, [], "text", {"Records": []}, {"bucket": "b"}, {"Records": [{"eventSource": "aws:s3"}]}]
        for event in unknown:
            self.fails(running.api.invoke(event), "EventError", "event", "expected")

    def test_a_bucket_that_does_not_exist(self, ministack: MiniStack, running: Running) -> None:
        for event in (created("no-such-bucket-of-ours", "a"), on_the_bus("no-such-bucket-of-ours", "b")):
            self.fails(running.api.invoke(event), "NoSuchBucket", "no-such-bucket-of-ours")
        item = status_of(ministack, running.table, "no-such-bucket-of-ours", "a")
        assert (item["status"], item["error"]["type"]) == ("FAILED", "NoSuchBucket")

    def test_an_endpoint_that_does_not_answer(self, function: Callable[..., RuntimeApi]) -> None:
        endpoint = unreachable()
        with function(AWS_ENDPOINT_URL=endpoint) as api:
            self.fails(api.invoke(created("some-bucket", "a.bin")), "EndpointUnreachable", endpoint)

    def test_what_failed_first_is_said_though_the_status_could_not_be_written_either(
        self, ministack: MiniStack, own_table: str, function: Callable[..., RuntimeApi]
    ) -> None:
        ministack.client("dynamodb").create_table(
            TableName=own_table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        with function() as api:
            result = api.invoke(created("no-such-bucket-of-ours", "a.bin"))
        self.fails(result, "NoSuchBucket", "no-such-bucket-of-ours")


class TestItsFootprint:
    def test_64_mib_take_less_than_200_mib_of_memory_and_no_file(
        self,
        ministack: MiniStack,
        bucket: str,
        function: Callable[..., RuntimeApi],
        tmp_path: Path,
        unpacked: Path,
    ) -> None:
        body = content(64 << 20)
        ministack.client("s3").put_object(Bucket=bucket, Key="recording.ts", Body=body)
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        code = {path: path.stat().st_mtime_ns for path in (unpacked, *unpacked.rglob("*"))}
        with function(TMPDIR=str(temporary), HOME=str(temporary)) as api:
            assert api.invoke(created(bucket, "other.torrent")).ok  # everything is imported by now
            before = temporary.stat().st_mtime_ns
            result = api.invoke(created(bucket, "recording.ts"))
            peak = api.peak_memory()
        assert result.ok, result
        length = result.payload["results"][0]["pieceLength"]
        assert b"4:info" + info_dict(body, "recording.ts", length) in torrent_of(
            ministack, bucket, "recording.ts"
        )
        assert peak < MEMORY
        # A file made and removed again would have changed the folder's time.
        assert (list(temporary.iterdir()), temporary.stat().st_mtime_ns) == ([], before)
        assert {path: path.stat().st_mtime_ns for path in (unpacked, *unpacked.rglob("*"))} == code

    def test_the_log_is_one_json_object_a_line(
        self, ministack: MiniStack, bucket: str, running: Running
    ) -> None:
        key = 'quote" back\\slash.bin'
        ministack.client("s3").put_object(Bucket=bucket, Key=key, Body=b"content")
        assert running.api.invoke(created(bucket, key, "gone.bin")).ok
        log = (running.api.stdout + running.api.stderr).splitlines()
        # Lambda's own runtime may put level, time and request id before the text.
        told = [json.loads(found[0]) for line in log if (found := re.search(r'\{"event".*$', line))]
        ours = {line["id"]: line["status"] for line in told if bucket in line.get("id", "")}
        assert ours == {f"s3://{bucket}/{key}": "COMPLETED", f"s3://{bucket}/gone.bin": "SKIPPED"}
