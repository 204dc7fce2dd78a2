"""Bad input, at the function and at the command line: a clear line, the right status or exit code, nothing lost."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support.bad_torrents import CONTENT, CORRUPT, GOOD, HOSTILE
from support.command import Done, in_process, s3torrent
from support.deployed import deployed_on, fresh, status_of
from support.meddling_proxy import MeddlingProxy, Moment
from support.ministack import ENVIRONMENT, MiniStack
from support.payloads import created, queued
from support.reference import content, info_dict
from support.routes import arn_of, counts, feed, queue, s3_sqs
from support.runtime_api import InvocationResult, RuntimeApi
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.deployed import Deployed

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

OK, MISMATCH, USAGE, BAD_TORRENT, SOURCE = 0, 1, 2, 3, 4
NOWHERE = "no-such-bucket-of-ours"
PIECE = 16384


def refused(done: Done, code: int, *words: str) -> None:
    """One line that says what is wrong, perhaps one with the mend, nothing on stdout, and this exit code."""
    assert (done.code, done.stdout) == (code, b""), done
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: "), done
    assert [line.partition(":")[0] for line in lines[1:]] in ([], ["hint"]), done
    assert len(lines[0]) < 1000, done
    for word in words:
        assert word in done.stderr, done


def failed(result: InvocationResult, error_type: str, *words: str) -> None:
    assert (result.ok, result.error_type) == (False, error_type), result
    for word in words:
        assert word in str(result.error_message), result


def told(item: dict[str, Any], status: str, error_type: str, *words: str) -> None:
    """The status item says what went wrong, and the mend."""
    assert item.get("status") == status, item
    error = item["error"]
    assert error["type"] == error_type, item
    assert error["message"] == item["reason"]
    assert error["hint"]
    for word in words:
        assert word in error["message"], item


class TestNotThere:
    def test_no_such_bucket(self, ministack: MiniStack, tmp_path: Path) -> None:
        (tmp_path / "good.torrent").write_bytes(GOOD)
        where = f"s3://{NOWHERE}/a.bin"
        for command in (["create", where], ["inspect", where]):
            refused(s3torrent(*command, endpoint=ministack.endpoint, cwd=tmp_path), SOURCE, NOWHERE)
        assert {path.name for path in tmp_path.iterdir()} == {"good.torrent"}

    def test_no_such_key(self, ministack: MiniStack, bucket: str, tmp_path: Path) -> None:
        (tmp_path / "good.torrent").write_bytes(GOOD)
        where = f"s3://{bucket}/shows/é+ü.bin"
        for command in (["create", where], ["verify", "good.torrent", where]):
            refused(s3torrent(*command, endpoint=ministack.endpoint, cwd=tmp_path), SOURCE, where)

    def test_no_such_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "good.torrent").write_bytes(GOOD)
        for command in (
            ["create", "gone.bin"],
            ["inspect", "gone.bin"],
            ["magnet", "gone.bin"],
            ["verify", "good.torrent", "gone.bin"],
        ):
            refused(in_process(capfdbinary, *command), SOURCE, "gone.bin")

    def test_an_object_that_went_before_its_event_came_is_skipped(self, deployed: Deployed) -> None:
        bucket = deployed.bucket(versioned=False)
        [result] = deployed.invoke(created(bucket, "gone.bin"))["results"]
        assert result["status"] == "SKIPPED"
        told(deployed.status(bucket, "gone.bin"), "SKIPPED", "NoSuchObject", f"s3://{bucket}/gone.bin")
        assert deployed.keys(bucket) == set()

    def test_an_endpoint_that_does_not_answer(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"
        refused(
            s3torrent("create", "s3://some-bucket/a.bin", endpoint=endpoint),
            SOURCE, endpoint, "s3://some-bucket/a.bin", "hint: check AWS_ENDPOINT_URL",
        )  # fmt: skip


class TestNeverATorrent:
    """SKIPPED, with the reason; nothing is written beside the object."""

    @pytest.mark.parametrize("length", [1017, 1024])
    def test_a_key_too_long_for_its_torrent(self, deployed: Deployed, length: int) -> None:
        bucket, key = deployed.bucket(versioned=False), "é" * 508 + "x" * (length - 1016)
        assert len(key.encode()) == length
        s3_sqs(deployed, bucket)
        deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=b"content")
        item = deployed.ended(bucket, key, "SKIPPED")
        told(item, "SKIPPED", "KeyTooLong", "1,024")
        assert "1,016" in item["error"]["hint"]
        assert deployed.keys(bucket) == {key}

    def test_an_empty_object(self, deployed: Deployed) -> None:
        bucket = deployed.bucket(versioned=True)
        s3_sqs(deployed, bucket)
        deployed.client("s3").put_object(Bucket=bucket, Key="empty.bin", Body=b"")
        told(deployed.ended(bucket, "empty.bin", "SKIPPED"), "SKIPPED", "EmptyContent", "0 bytes")
        assert deployed.keys(bucket) == {"empty.bin"}
        endpoint = deployed.stack.endpoint
        refused(s3torrent("create", f"s3://{bucket}/empty.bin", endpoint=endpoint), USAGE, "empty", "0 bytes")

    def test_an_empty_file_and_a_folder_without_content(self, tmp_path: Path) -> None:
        (tmp_path / "folder" / "inner").mkdir(parents=True)
        (tmp_path / "folder" / "empty").touch()
        for source in ("folder/empty", "folder", "folder/inner"):
            refused(s3torrent("create", source, cwd=tmp_path), USAGE)
        assert {path.name for path in tmp_path.iterdir()} == {"folder"}

    @pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
    def test_a_foreign_torrent_that_is_there_already(self, deployed: Deployed, versioned: bool) -> None:
        bucket, s3 = deployed.bucket(versioned=versioned), deployed.client("s3")
        s3_sqs(deployed, bucket)
        s3.put_object(Bucket=bucket, Key="a.bin.torrent", Body=b"mine", Metadata={"made-by": "hand"})
        written = deployed.writes_of_torrent(bucket, "a.bin")
        s3.put_object(Bucket=bucket, Key="a.bin", Body=b"content")
        item = deployed.ended(bucket, "a.bin", "SKIPPED")
        told(item, "SKIPPED", "ForeignTorrent", f"s3://{bucket}/a.bin.torrent")
        assert deployed.torrent(bucket, "a.bin") == b"mine"
        assert deployed.writes_of_torrent(bucket, "a.bin") == written
        # The hint's mend works.
        s3.delete_object(Bucket=bucket, Key="a.bin.torrent")
        [result] = deployed.invoke(created(bucket, "a.bin"))["results"]
        assert result["status"] == "COMPLETED"

    def test_the_command_line_overwrites_no_file_unless_told_to(self, tmp_path: Path) -> None:
        (tmp_path / "a.bin").write_bytes(CONTENT)
        (tmp_path / "a.bin.torrent").write_bytes(b"mine")
        refused(s3torrent("create", "a.bin", cwd=tmp_path), USAGE, "a.bin.torrent", "--force")
        assert (tmp_path / "a.bin.torrent").read_bytes() == b"mine"
        assert s3torrent("create", "a.bin", "--force", cwd=tmp_path).code == OK
        assert info_dict(CONTENT, "a.bin", PIECE) in (tmp_path / "a.bin.torrent").read_bytes()


@dataclass(frozen=True)
class Meddled:
    """The function, and the command line, behind a proxy at which objects change between two requests."""

    stack: MiniStack
    proxy: MeddlingProxy
    api: RuntimeApi
    table: str

    def bucket(self, *, versioned: bool) -> str:
        name, s3 = fresh("bucket"), self.stack.client("s3")
        s3.create_bucket(Bucket=name)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def keys(self, bucket: str) -> set[str]:
        listed = self.stack.client("s3").list_objects_v2(Bucket=bucket)
        return {found["Key"] for found in listed.get("Contents", [])}

    def body(self, bucket: str, key: str) -> bytes:
        body: bytes = self.stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body


@pytest.fixture(scope="module")
def meddled(ministack: MiniStack, unpacked: Path) -> Iterator[Meddled]:
    table = fresh("table")
    with MeddlingProxy(ministack.endpoint) as proxy:
        settings = {
            "AWS_ENDPOINT_URL": proxy.endpoint,
            **ENVIRONMENT,
            "DDB_TABLE": table,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with RuntimeApi(unpacked, env=settings) as api:
            yield Meddled(ministack, proxy, api, table)


SEVERAL_RANGES = content(20 << 20, "before")
MOMENTS = {
    "before the first byte": ("GET", 1),
    "between two ranges": ("GET", 2),
    "after the last byte": ("HEAD", 2),
}


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("moment", MOMENTS)
class TestWhileItIsHashed:
    def test_an_object_that_is_replaced_gives_no_torrent_until_the_event_comes_again(
        self, meddled: Meddled, moment: str, versioned: bool
    ) -> None:
        bucket, s3 = meddled.bucket(versioned=versioned), meddled.stack.client("s3")
        s3.put_object(Bucket=bucket, Key="a.bin", Body=SEVERAL_RANGES)
        after = content(300_000, "after")
        method, number = MOMENTS[moment]
        meddled.proxy.at(
            Moment(method, f"/{bucket}/a.bin", number),
            lambda: s3.put_object(Bucket=bucket, Key="a.bin", Body=after),
        )
        failed(meddled.api.invoke(created(bucket, "a.bin")), "ObjectChanged", f"s3://{bucket}/a.bin")
        assert meddled.proxy.pending == []
        assert meddled.keys(bucket) == {"a.bin"}
        item = status_of(meddled.stack, meddled.table, bucket, "a.bin")
        told(item, "FAILED", "ObjectChanged", f"s3://{bucket}/a.bin")
        assert item["error"]["retryable"] is True

        assert meddled.api.invoke(created(bucket, "a.bin")).ok
        assert info_dict(after, "a.bin", PIECE) in meddled.body(bucket, "a.bin.torrent")
        item = status_of(meddled.stack, meddled.table, bucket, "a.bin")
        assert (item["status"], item.get("error")) == ("COMPLETED", None)

    def test_an_object_that_is_deleted_is_skipped(
        self, meddled: Meddled, moment: str, versioned: bool
    ) -> None:
        bucket, s3 = meddled.bucket(versioned=versioned), meddled.stack.client("s3")
        s3.put_object(Bucket=bucket, Key="a.bin", Body=SEVERAL_RANGES)
        method, number = MOMENTS[moment]
        meddled.proxy.at(
            Moment(method, f"/{bucket}/a.bin", number), lambda: s3.delete_object(Bucket=bucket, Key="a.bin")
        )
        result = meddled.api.invoke(created(bucket, "a.bin"))
        assert result.ok, result
        assert meddled.proxy.pending == []
        assert result.payload["results"][0]["status"] == "SKIPPED"
        assert meddled.keys(bucket) == set()
        item = status_of(meddled.stack, meddled.table, bucket, "a.bin")
        told(item, "SKIPPED", "ObjectGone", f"s3://{bucket}/a.bin")


@pytest.mark.parametrize(
    ("moment", "versioned"),
    [("before the first byte", False), ("between two ranges", False), ("after the last byte", True)],
)
@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_the_command_line_writes_nothing_for_an_object_that_changes_while_it_is_hashed(
    meddled: Meddled, moment: str, versioned: bool, change: str, tmp_path: Path
) -> None:
    bucket, s3 = meddled.bucket(versioned=versioned), meddled.stack.client("s3")
    where = {"Bucket": bucket, "Key": "a.bin"}
    s3.put_object(**where, Body=SEVERAL_RANGES)
    method, number = MOMENTS[moment]
    meddled.proxy.at(
        Moment(method, f"/{bucket}/a.bin", number),
        lambda: s3.put_object(**where, Body=b"after") if change == "replaced" else s3.delete_object(**where),
    )
    done = s3torrent("create", f"s3://{bucket}/a.bin", endpoint=meddled.proxy.endpoint, cwd=tmp_path)
    assert meddled.proxy.pending == []
    refused(done, SOURCE, f"s3://{bucket}/a.bin", "hint: nothing to do")
    assert list(tmp_path.iterdir()) == []


class TestWhileTheTorrentIsWritten:
    def test_a_foreign_torrent_that_appears_is_not_overwritten(self, meddled: Meddled) -> None:
        bucket, s3 = meddled.bucket(versioned=False), meddled.stack.client("s3")
        s3.put_object(Bucket=bucket, Key="a.bin", Body=b"content")
        meddled.proxy.at(
            Moment("PUT", f"/{bucket}/a.bin.torrent", 1),
            lambda: s3.put_object(Bucket=bucket, Key="a.bin.torrent", Body=b"mine"),
        )
        result = meddled.api.invoke(created(bucket, "a.bin"))
        assert result.payload["results"][0]["status"] == "SKIPPED"
        assert meddled.body(bucket, "a.bin.torrent") == b"mine"
        told(status_of(meddled.stack, meddled.table, bucket, "a.bin"), "SKIPPED", "ForeignTorrent")

    def test_a_foreign_torrent_that_takes_the_place_of_ours_is_not_overwritten(
        self, meddled: Meddled
    ) -> None:
        bucket, s3 = meddled.bucket(versioned=False), meddled.stack.client("s3")
        s3.put_object(Bucket=bucket, Key="a.bin", Body=b"content")
        assert meddled.api.invoke(created(bucket, "a.bin")).ok
        s3.put_object(Bucket=bucket, Key="a.bin", Body=b"second version")
        meddled.proxy.at(
            Moment("PUT", f"/{bucket}/a.bin.torrent", 2),
            lambda: s3.put_object(Bucket=bucket, Key="a.bin.torrent", Body=b"mine"),
        )
        meddled.api.invoke(created(bucket, "a.bin"))
        assert meddled.proxy.pending == []
        assert meddled.body(bucket, "a.bin.torrent") == b"mine"
        told(status_of(meddled.stack, meddled.table, bucket, "a.bin"), "SKIPPED", "ForeignTorrent")


class TestTheTable:
    def test_a_table_of_another_key_schema_is_named_and_left_alone(
        self, ministack: MiniStack, unpacked: Path, bucket: str, own_table: str
    ) -> None:
        dynamodb = ministack.client("dynamodb")
        dynamodb.create_table(
            TableName=own_table,
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "time", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "time", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        s3 = ministack.client("s3")
        s3.put_object(Bucket=bucket, Key="a.bin", Body=b"content")
        settings = {
            "AWS_ENDPOINT_URL": ministack.endpoint,
            **ENVIRONMENT,
            "DDB_TABLE": own_table,
        }
        with RuntimeApi(unpacked, env=settings) as api:
            failed(
                api.invoke(created(bucket, "a.bin")),
                "TableSchemaMismatch",
                own_table,
                "id",
                "time",
                "jobId (S",
            )
            event = queued(created(bucket, "a.bin"))
            assert len(api.invoke(event).payload["batchItemFailures"]) == 1
        assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a.bin"]
        assert dynamodb.scan(TableName=own_table)["Items"] == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; it holds a.bin."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bin").write_bytes(CONTENT)
    return tmp_path


class TestArguments:
    @pytest.mark.parametrize(
        "url",
        ["tracker.example/announce", "ftp://tracker.example/", "udp://tracker.example", "http://", "http:///x",
         "http://tracker.example/an nounce", "http://träcker.example/", "http://a:99999/", ""],
    )  # fmt: skip
    def test_a_tracker_that_is_no_url(
        self, folder: Path, capfdbinary: pytest.CaptureFixture[bytes], url: str
    ) -> None:
        refused(in_process(capfdbinary, "create", "a.bin", "--tracker", url), USAGE, "tracker", repr(url))
        assert {path.name for path in folder.iterdir()} == {"a.bin"}

    @pytest.mark.parametrize(
        "length",
        ["0", "1", "8KiB", "16383", "17000", "48KiB", "100000", "256MiB", "-16384", "1e6", "64kb", ""],
    )
    def test_a_piece_length_that_is_no_power_of_two_from_16_kib_to_128_mib(
        self, folder: Path, capfdbinary: pytest.CaptureFixture[bytes], length: str
    ) -> None:
        done = in_process(capfdbinary, "create", "a.bin", f"--piece-length={length}")
        refused(done, USAGE, "piece length", "16KiB to 128MiB")
        assert {path.name for path in folder.iterdir()} == {"a.bin"}


class TestBadTorrents:
    def test_the_good_one_that_all_are_made_of_is_good(self, tmp_path: Path) -> None:
        (tmp_path / "good.torrent").write_bytes(GOOD)
        (tmp_path / "good.bin").write_bytes(CONTENT)
        for command in (["inspect", "good.torrent"], ["magnet", "-"], ["verify", "good.torrent", "good.bin"]):
            done = s3torrent(*command, cwd=tmp_path, stdin=GOOD)
            assert (done.code, done.stderr) == (OK, ""), done

    @pytest.mark.parametrize("case", CORRUPT | HOSTILE)
    def test_it_is_refused_with_exit_code_3(
        self, folder: Path, capfdbinary: pytest.CaptureFixture[bytes], case: str
    ) -> None:
        (folder / "bad.torrent").write_bytes((CORRUPT | HOSTILE)[case])
        for command in (
            ["inspect", "bad.torrent"],
            ["magnet", "bad.torrent"],
            ["verify", "bad.torrent", "a.bin"],
        ):
            refused(in_process(capfdbinary, *command), BAD_TORRENT, "bad.torrent")

    @pytest.mark.parametrize("case", ["cut-short", "lists-100000-deep"])
    def test_by_the_program_and_from_everywhere(
        self, ministack: MiniStack, bucket: str, tmp_path: Path, case: str
    ) -> None:
        bad = (CORRUPT | HOSTILE)[case]
        (tmp_path / "bad.torrent").write_bytes(bad)
        (tmp_path / "content").write_bytes(CONTENT)
        ministack.client("s3").put_object(Bucket=bucket, Key="bad.torrent", Body=bad)
        where = f"s3://{bucket}/bad.torrent"
        for command, name in (
            (["inspect", "--json", "bad.torrent"], "bad.torrent"),
            (["verify", "--json", "-", "content"], "standard input"),
            (["magnet", where], where),
        ):
            done = s3torrent(*command, cwd=tmp_path, stdin=bad, endpoint=ministack.endpoint)
            refused(done, BAD_TORRENT, name)

    def test_a_file_far_larger_than_any_torrent_is_refused_without_being_read(
        self, folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        with (folder / "huge.torrent").open("wb") as file:
            file.truncate(10 << 40)
        for command in (["inspect", "huge.torrent"], ["verify", "huge.torrent", "a.bin"]):
            refused(in_process(capfdbinary, *command), BAD_TORRENT, "huge.torrent")

    def test_a_name_that_would_command_the_terminal_is_shown_escaped(
        self, folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        name = "\x1b]0;owned\x07\u202egpj.bin"
        (folder / "evil.torrent").write_bytes(b"d4:info%se" % info_dict(CONTENT, name, PIECE))
        shown = in_process(capfdbinary, "inspect", "evil.torrent")
        assert shown.code in (OK, BAD_TORRENT)
        assert "gpj.bin" in shown.stdout.decode() + shown.stderr
        for harmful in ("\x1b", "\x07", "\u202e"):
            assert harmful not in shown.stdout.decode() + shown.stderr


class TestGivenUp:
    """A record that fails again and again ends in the dead-letter queue; its neighbours do not."""

    def test_it_ends_in_the_dead_letter_queue_after_its_tries(self, deployed: Deployed) -> None:
        sqs, bucket = deployed.client("sqs"), deployed.bucket(versioned=False)
        dead_url, _ = queue(deployed)
        redrive = json.dumps({"deadLetterTargetArn": arn_of(deployed, dead_url), "maxReceiveCount": 2})
        url, arn = queue(deployed, VisibilityTimeout="1", RedrivePolicy=redrive)
        deployed.client("s3").put_object(Bucket=bucket, Key="good.bin", Body=b"content")
        bodies = [
            json.dumps(created(NOWHERE, "bad.bin")),
            json.dumps(created(bucket, "good.bin")),
            "not JSON",
        ]
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body)
        feed(deployed, arn)

        until(lambda: counts(sqs, url) == (0, 0), "the queue done")
        until(lambda: counts(sqs, dead_url)[0] == 2, "both bad records in the dead-letter queue")
        received = sqs.receive_message(
            QueueUrl=dead_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )["Messages"]
        assert sorted(message["Body"] for message in received) == sorted([bodies[0], bodies[2]])
        told(deployed.status(NOWHERE, "bad.bin"), "FAILED", "NoSuchBucket", NOWHERE)
        assert deployed.status(bucket, "good.bin")["status"] == "COMPLETED"


RIGHTS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "dynamodb:*")
"""All that the function needs in an unversioned bucket; tests take one away."""


@dataclass(frozen=True)
class Guarded:
    """A MiniStack that enforces IAM, and users on it with some rights."""

    stack: MiniStack
    code: Path

    def user(self, *rights: str) -> dict[str, str]:
        """The environment of a user who may do exactly this."""
        iam, name = self.stack.client("iam"), fresh("user")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        statement = {"Effect": "Allow", "Action": list(rights), "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def bucket(self) -> str:
        name = fresh("bucket")
        self.stack.client("s3").create_bucket(Bucket=name)
        self.stack.client("s3").put_object(Bucket=name, Key="a.bin", Body=b"content")
        return name

    def function(self, table: str, *rights: str) -> RuntimeApi:
        settings = {"AWS_ENDPOINT_URL": self.stack.endpoint, "DDB_TABLE": table, **self.user(*rights)}
        return RuntimeApi(self.code, env=settings)

    def keys(self, bucket: str) -> set[str]:
        return {found["Key"] for found in self.stack.client("s3").list_objects_v2(Bucket=bucket)["Contents"]}


@pytest.fixture(scope="module")
def guarded(_no_account: None, unpacked: Path) -> Iterator[Guarded]:
    with MiniStack({"AUTH": "true"}) as stack:
        yield Guarded(stack, unpacked)


class TestPermission:
    def test_with_all_its_rights_the_function_makes_table_and_torrent(self, guarded: Guarded) -> None:
        bucket, table = guarded.bucket(), fresh("table")
        with guarded.function(table, *RIGHTS) as api:
            result = api.invoke(created(bucket, "a.bin"))
        assert result.ok, result
        assert guarded.keys(bucket) == {"a.bin", "a.bin.torrent"}
        assert status_of(guarded.stack, table, bucket, "a.bin")["status"] == "COMPLETED"

    @pytest.mark.parametrize("missing", ["s3:GetObject", "s3:PutObject"])
    def test_a_right_that_is_missing_is_named_with_its_resource(self, guarded: Guarded, missing: str) -> None:
        bucket, table = guarded.bucket(), fresh("table")
        with guarded.function(table, *(right for right in RIGHTS if right != missing)) as api:
            result = api.invoke(created(bucket, "a.bin"))
        failed(result, "AccessDenied", missing, f"arn:aws:s3:::{bucket}/a.bin")
        item = status_of(guarded.stack, table, bucket, "a.bin")
        told(item, "FAILED", "AccessDenied", missing, f"arn:aws:s3:::{bucket}/a.bin")
        assert f"allow {missing} on arn:aws:s3:::{bucket}/a.bin" in item["error"]["hint"]
        # To one without ListBucket, S3 says of a missing key, too, that it is forbidden (MiniStack does not).
        asks_for_list = f"s3:ListBucket on arn:aws:s3:::{bucket}" in item["error"]["hint"]
        assert asks_for_list == (missing == "s3:GetObject")
        assert guarded.keys(bucket) == {"a.bin"}

    def test_a_table_that_is_missing_and_may_not_be_made(self, guarded: Guarded) -> None:
        bucket, table = guarded.bucket(), fresh("table")
        rights = ("dynamodb:UpdateItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DescribeTable")
        with guarded.function(table, "s3:*", *rights) as api:
            result = api.invoke(created(bucket, "a.bin"))
        failed(result, "TableMissing", table, "dynamodb:CreateTable")
        assert guarded.keys(bucket) == {"a.bin"}
        assert guarded.stack.client("dynamodb").list_tables()["TableNames"].count(table) == 0

    def test_a_table_that_may_not_be_written(self, guarded: Guarded) -> None:
        bucket, table = guarded.bucket(), fresh("table")
        with guarded.function(table, "s3:*", "dynamodb:DescribeTable") as api:
            result = api.invoke(created(bucket, "a.bin"))
        failed(result, "AccessDenied", "dynamodb:UpdateItem", table)
        assert guarded.keys(bucket) == {"a.bin"}

    def test_the_command_line_names_action_and_object(self, guarded: Guarded, tmp_path: Path) -> None:
        bucket = guarded.bucket()
        done = s3torrent(
            "create", f"s3://{bucket}/a.bin",
            endpoint=guarded.stack.endpoint, cwd=tmp_path, env=guarded.user("s3:ListBucket"),
        )  # fmt: skip
        refused(done, SOURCE, f"s3:GetObject on arn:aws:s3:::{bucket}/a.bin", "hint: allow s3:GetObject")
        assert list(tmp_path.iterdir()) == []

    def test_the_deployed_function_has_the_rights_it_needs_and_needs_those_it_has(
        self, guarded: Guarded
    ) -> None:
        """``deploy``'s own role, enforced: enough for a torrent; without PutObject, FAILED and dead-lettered."""
        deployed = deployed_on(guarded.stack)
        s3, iam, sqs = (deployed.client(service) for service in ("s3", "iam", "sqs"))
        bucket = deployed.deployment.names.bucket
        s3.put_object(Bucket=bucket, Key="a.bin", Body=b"content")
        deployed.ended(bucket, "a.bin", "COMPLETED")

        refusal = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        iam.put_role_policy(
            RoleName=deployed.function,
            PolicyName="refusal",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [refusal]}),
        )
        url = deployed.deployment.queue_url
        redrive = {
            "deadLetterTargetArn": arn_of(deployed, deployed.deployment.dead_letter_queue_url),
            "maxReceiveCount": 2,
        }
        sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)}
        )
        s3.put_object(Bucket=bucket, Key="b.bin", Body=b"content")
        item = deployed.ended(bucket, "b.bin", "FAILED")
        told(item, "FAILED", "AccessDenied", "s3:PutObject", f"arn:aws:s3:::{bucket}/b.bin.torrent")
        dead = deployed.deployment.dead_letter_queue_url
        until(lambda: counts(sqs, dead)[0] == 1, "the record in the dead-letter queue")
        message = sqs.receive_message(QueueUrl=dead)["Messages"][0]
        assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == "b.bin"
