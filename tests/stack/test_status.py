"""``s3torrent status`` in the terminal and as a page; ``s3torrent redrive``."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.command import PROGRAM, s3torrent
from support.ministack import ENVIRONMENT
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

HARD = "x/<script>alert(1)</script>\u202e\n é.bin"


@pytest.fixture
def table(ministack: MiniStack, bucket: str, table_name: str) -> dict[str, str]:
    """One object COMPLETED, one SKIPPED as it is empty, one with a key that is hard to show."""
    client = ministack.client("s3")
    for key, body in (("x/good", b"content"), (HARD, b"content"), ("x/empty", b"")):
        client.put_object(Bucket=bucket, Key=key, Body=body)
    environment = {"DDB_TABLE": table_name}
    made = s3torrent(
        "backfill", f"s3://{bucket}/x/", "--inline", endpoint=ministack.endpoint, env=environment
    )
    assert made.code == 0, made.stderr
    from s3torrent import wiring
    from s3torrent.config import from_environment
    from s3torrent.types import ObjectRef, TorrentRequest

    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        maker = wiring.maker(from_environment({**environment, "AWS_ENDPOINT_URL": ministack.endpoint}))
        maker.make(TorrentRequest(ObjectRef(bucket, "x/empty")))
        maker.store._client.close()  # type: ignore[attr-defined]
        maker.status._client.close()  # type: ignore[attr-defined]
    return environment


def status(ministack: MiniStack, table: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    done = s3torrent("status", *arguments, endpoint=ministack.endpoint, env=table)
    return done.code, done.stdout.decode(), done.stderr


def test_of_one_object(ministack: MiniStack, bucket: str, table: dict[str, str]) -> None:
    code, out, _ = status(ministack, table, f"s3://{bucket}/x/good")
    assert code == 0
    assert "status\tCOMPLETED\n" in out
    assert "magnet:?xt=urn:btih:" in out
    code, out, _ = status(ministack, table, f"s3://{bucket}/x/empty", "--json")
    item = json.loads(out)
    assert (code, item["status"], item["error"]["type"]) == (0, "SKIPPED", "EmptyContent")
    assert not {"seal", "statusShard"} & item.keys()


def test_on_a_terminal_it_is_a_table_and_nothing_of_a_name_is_cut(
    ministack: MiniStack, table: dict[str, str]
) -> None:
    long = f"films/{'long ' * 30}.mkv"
    bucket = f"test-{uuid.uuid4().hex[:20]}"
    ministack.client("s3").create_bucket(Bucket=bucket)
    ministack.client("s3").put_object(Bucket=bucket, Key=long, Body=b"content")
    s3torrent("backfill", f"s3://{bucket}/", "--inline", endpoint=ministack.endpoint, env=table)
    environment = {**ENVIRONMENT, **table, "AWS_ENDPOINT_URL": ministack.endpoint, "PATH": "/usr/bin:/bin"}
    main, other = pty.openpty()
    try:
        subprocess.run(
            [PROGRAM, "status", "--limit", "1"],
            stdout=other, env={**environment, "TERM": "xterm", "COLUMNS": "80"}, timeout=60, check=True,
        )  # fmt: skip
        shown = os.read(main, 65536).decode()
    finally:
        os.close(main)
        os.close(other)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "\x1b[32mCOMPLETED" in shown
    assert plain.startswith("Changed (UTC)")
    assert all(len(line) <= 80 for line in plain.splitlines())
    assert plain.count("long") == 30


def test_of_an_empty_table_a_note_says_so(ministack: MiniStack, table: dict[str, str]) -> None:
    code, out, said = status(ministack, table, "--status", "RECORDING")
    assert (code, out, said) == (0, "", "note: the table tells of nothing like that\n")


def test_of_one_that_is_not_known(ministack: MiniStack, bucket: str, table: dict[str, str]) -> None:
    code, out, err = status(ministack, table, f"s3://{bucket}/nothing")
    assert (code, out) == (4, "")
    assert f"the table knows nothing of s3://{bucket}/nothing" in err


def test_the_newest_a_line_each(ministack: MiniStack, bucket: str, table: dict[str, str]) -> None:
    """Whatever the key, it stays on its line and shows what is in it."""
    code, out, _ = status(ministack, table)
    rows = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert {row[2]: row[1] for row in rows} == {
        f"s3://{bucket}/x/good": "COMPLETED",
        f"s3://{bucket}/x/empty": "SKIPPED",
        f"s3://{bucket}/x/<script>alert(1)</script>\\u202e\\n é.bin": "COMPLETED",
    }
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    _, out, _ = status(ministack, table, "--status", "skipped", "--json")
    assert [json.loads(line)["jobId"] for line in out.splitlines()] == [f"s3://{bucket}/x/empty"]
    assert len(status(ministack, table, "--limit", "1")[1].splitlines()) == 1


def test_watching_one_ends_when_it_has_ended(
    ministack: MiniStack, bucket: str, table: dict[str, str]
) -> None:
    code, out, _ = status(ministack, table, f"s3://{bucket}/x/good", "--watch", "--json")
    assert (code, len(out.splitlines())) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["s3://b/k", "--status", "FAILED"], 2, "--status is for the list"),
        (["--status", "BROKEN"], 2, "BROKEN"),
        (["--every", "nan"], 2, "finite"),
        (["s3://b/k", "--web"], 2, "--web shows all"),
        (["--web", "--status", "FAILED"], 2, "--web shows all"),
        (["--web", "--watch"], 2, "--web shows all"),
        (["--web", "--json"], 2, "--web shows all"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], code: int, told: str) -> None:
    done = s3torrent("status", *arguments, env={"DDB_TABLE": "t"}, endpoint="http://127.0.0.1:1")
    assert (done.code, done.stdout) == (code, b"")
    assert told in done.stderr


def test_without_a_table_it_says_so() -> None:
    done = s3torrent("status")
    assert (done.code, done.stderr.splitlines()[0]) == (
        2,
        "error: DDB_TABLE is not set; expected the name of the status table",
    )


@contextmanager
def page(ministack: MiniStack, table: dict[str, str]) -> Iterator[str]:
    environment = {**ENVIRONMENT, **table, "AWS_ENDPOINT_URL": ministack.endpoint, "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        [PROGRAM, "status", "--web"], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stderr
        yield process.stderr.readline().split(" ")[0]
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stderr.close()


def fetched(url: str, **headers: str) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_the_page_is_for_this_machine_and_for_reading_only(
    ministack: MiniStack, bucket: str, table: dict[str, str]
) -> None:
    with page(ministack, table) as url:
        assert url.startswith("http://127.0.0.1:")
        for path in ("", "live.js", "live.css"):
            code, headers, body = fetched(url + path)
            assert (code, bool(body)) == (200, True)
            assert headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert "Access-Control-Allow-Origin" not in headers
        _, _, body = fetched(url + "jobs.json")
        jobs = {job["id"]: job for job in json.loads(body)["jobs"]}
        assert jobs[f"s3://{bucket}/x/good"]["infoHash"]
        assert jobs[f"s3://{bucket}/{HARD}"]["status"] == "COMPLETED"
        assert (
            "no content" in jobs[f"s3://{bucket}/x/empty"]["reason"] or jobs[f"s3://{bucket}/x/empty"]["hint"]
        )
        assert fetched(url, Host="evil.example:80")[0] == 403
        assert fetched(url + "../../etc/passwd")[0] == 404
        request = urllib.request.Request(url, data=b"x", method="POST")
        with pytest.raises(urllib.error.HTTPError, match="501"):
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20)


def test_items_that_somebody_edited_are_shown_all_the_same(
    ministack: MiniStack, bucket: str, table: dict[str, str]
) -> None:
    job = f"s3://{bucket}/x/good"
    ministack.client("dynamodb").update_item(
        TableName=table["DDB_TABLE"],
        Key={"jobId": {"S": job}},
        UpdateExpression="SET #e = :e, #s = :s, #z = :z, bytesHashed = :b, updatedAt = :u, theirs = :t",
        ExpressionAttributeNames={"#e": "error", "#s": "status", "#z": "size"},
        ExpressionAttributeValues={
            ":e": {"S": "by hand"}, ":s": {"S": "FAILED"}, ":z": {"S": "large"}, ":b": {"BOOL": True}, ":u": {"S": "2030"},
            ":t": {"B": b"x"},
        },
    )  # fmt: skip
    for words in ((job,), (job, "--json"), ("--status", "FAILED"), ("--json",), ()):
        code, out, told = status(ministack, table, *words)
        assert (code, told) == (int(words[:1] == (job,)), ""), words  # 1: the one that was asked for failed
        assert job in out
    with page(ministack, table) as url:
        jobs = {one["id"]: one for one in json.loads(fetched(url + "jobs.json")[2])["jobs"]}
    assert (jobs[job]["status"], jobs[job]["size"], jobs[job]["hint"]) == ("FAILED", None, "")


@pytest.fixture
def queues(ministack: MiniStack, bucket: str) -> tuple[str, str]:
    """A queue and its dead letters: 25 calls for objects, and a message of no known kind."""
    client = ministack.client("sqs")
    dead = client.create_queue(QueueName=f"{bucket}-dlq")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    own = client.create_queue(QueueName=bucket, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    for number in range(25):
        body = json.dumps({"bucket": bucket, "key": f"k{number:02}"})
        client.send_message(QueueUrl=dead, MessageBody=body)
    client.send_message(QueueUrl=dead, MessageBody="no json")
    return own, dead


def waiting(ministack: MiniStack, url: str) -> int:
    told = ministack.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


def test_dead_letters_go_back_where_they_came_from(
    ministack: MiniStack, queues: tuple[str, str], bucket: str
) -> None:
    own, dead = queues

    def redrive(*arguments: str) -> dict[str, Any]:
        done = s3torrent("redrive", own, "--json", *arguments, endpoint=ministack.endpoint)
        assert done.code == 0, done.stderr
        return dict(json.loads(done.stdout))

    told = redrive("--dry-run")
    page = (Path(__file__).resolve().parents[2] / "docs/json.md").read_text()
    section = page.split("## `s3torrent redrive --json`")[1].split("\n## ")[0]
    assert set(told) == set(re.findall(r"`(\w+)`", section))
    assert (told["there"], told["moved"], told["deadLetterQueue"]) == (26, 0, dead)
    assert (told["objects"][0], told["unknown"]) == (f"s3://{bucket}/k00", 0)
    assert (waiting(ministack, own), waiting(ministack, dead)) == (0, 26)
    assert redrive("--limit", "3")["moved"] == 3
    assert (waiting(ministack, own), waiting(ministack, dead)) == (3, 23)
    told = redrive()
    assert (told["there"], told["moved"], told["unknown"]) == (23, 23, 1)
    until(lambda: (waiting(ministack, own), waiting(ministack, dead)) == (26, 0), "all of them", seconds=10)
    nothing = {"there": 0, "moved": 0, "others": 0, "unknown": 0, "objects": []}
    assert redrive() == {"deadLetterQueue": dead, **nothing}


def test_dead_letters_of_another_queue_are_left_to_it(
    ministack: MiniStack, queues: tuple[str, str], bucket: str
) -> None:
    """Two queues share one: each letter says by SQS's word where it failed. What was sent there by hand, and
    so says nothing, is sent again, with its attributes.
    """
    own, dead = queues
    client = ministack.client("sqs")
    policy = json.loads(
        client.get_queue_attributes(QueueUrl=own, AttributeNames=["All"])["Attributes"]["RedrivePolicy"]
    )
    policy["maxReceiveCount"] = 1
    attributes = {"by": {"StringValue": "us", "DataType": "String"}}
    other = client.create_queue(
        QueueName=f"{bucket}-other", Attributes={"RedrivePolicy": json.dumps(policy)}
    )["QueueUrl"]
    client.send_message(QueueUrl=other, MessageBody='{"order": 42}', MessageAttributes=attributes)
    client.send_message(QueueUrl=dead, MessageBody='{"order": 43}', MessageAttributes=attributes)
    for _ in range(2):
        client.receive_message(QueueUrl=other, VisibilityTimeout=0)
    until(lambda: waiting(ministack, dead) == 28, "the other's letter", seconds=10)
    told = s3torrent("redrive", own, endpoint=ministack.endpoint)
    assert told.code == 0, told.stderr
    assert told.stdout.decode().splitlines()[-2:] == [
        "27 of 28 sent again",
        "1 of another queue, left where it is",
    ]
    [left] = client.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    assert (left["Body"], left["MessageAttributes"]) == ('{"order": 42}', attributes)
    moved = []
    while more := client.receive_message(
        QueueUrl=own, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        moved += more
    assert {one["Body"]: one.get("MessageAttributes") for one in moved}['{"order": 43}'] == attributes


def test_a_fifo_queue_is_refused_before_anything_is_asked() -> None:
    done = s3torrent("redrive", "http://127.0.0.1:1/000000000000/q.fifo", endpoint="http://127.0.0.1:1")
    assert (done.code, done.stdout) == (2, b"")
    assert "is a FIFO queue" in done.stderr


def test_a_queue_without_dead_letters_is_told(ministack: MiniStack, queues: tuple[str, str]) -> None:
    done = s3torrent("redrive", queues[1], endpoint=ministack.endpoint)
    assert (done.code, done.stdout) == (2, b"")
    assert "has no dead-letter queue" in done.stderr
    done = s3torrent("redrive", f"{queues[1]}-none", endpoint=ministack.endpoint)
    assert done.code == 4
    error, hint = done.stderr.splitlines()
    assert error.startswith(f"error: sqs:GetQueueAttributes on {queues[1]}-none: there is no such queue (")
    assert error.endswith("NonExistentQueue)")
    assert hint == "hint: give the queue of terraform output queue_url"


def test_where_nothing_answers_redrive_says_so_in_words_of_its_own() -> None:
    url = "http://127.0.0.1:1/000000000000/q"
    done = s3torrent("redrive", url, endpoint="http://127.0.0.1:1", env={"AWS_MAX_ATTEMPTS": "1"})
    assert done.code == 4
    told = f"error: sqs:GetQueueAttributes on {url}: nothing answers there (EndpointConnectionError)"
    assert done.stderr.splitlines()[0] == told
