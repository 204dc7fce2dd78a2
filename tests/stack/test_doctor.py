"""``s3torrent doctor`` against a deployed stack: all is well; then one fault after the other, each found and named, and
its mend pasted into a shell, after which the check is green.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from s3torrent import wiring
from s3torrent.cli import doctor as command
from s3torrent.cli.main import cli
from s3torrent.devstack.ministack import CREDENTIALS, REGION
from s3torrent.doctor import checks, table
from support.deployed import Deployed, deployed_on, fresh
from support.ministack import ENVIRONMENT
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.ministack import MiniStack

pytestmark = pytest.mark.stack

BIN = Path(sys.executable).parent
LARGE = 30_000_000


@dataclass
class Patient:
    """A deployment, and what a doctor says of it."""

    deployed: Deployed
    healthy: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.deployed.client(service)

    @property
    def function(self) -> str:
        return self.deployed.function

    @property
    def bucket(self) -> str:
        return self.deployed.deployment.names.bucket

    @property
    def queue_url(self) -> str:
        return self.deployed.deployment.queue_url

    @property
    def environment(self) -> dict[str, str]:
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.deployed.stack.endpoint}

    def ask(self, *arguments: str, **more: str) -> tuple[int, dict[str, Any]]:
        """The exit code, and the findings by check."""
        ran = CliRunner().invoke(cli, ["doctor", *arguments, "--json"], env={**self.environment, **more})
        assert ran.exit_code in (0, 1), (ran.output, ran.exception)
        document = json.loads(ran.stdout)
        found = {one["check"]: one for one in document["findings"]}
        assert len(found) == len(document["findings"])
        return ran.exit_code, found

    def examined(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        return self.ask("--function", self.function, *arguments)

    def paste(self, line: str, folder: Path) -> None:
        """Run ``line`` as a person would, with the AWS CLI and s3torrent on PATH."""
        ran = subprocess.run(
            ["bash", "-c", line],
            env={**os.environ, **self.environment, "PATH": f"{BIN}:{os.environ['PATH']}"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, (line, ran.stdout, ran.stderr)

    def configure(self, **changes: Any) -> None:
        client = self.client("lambda")
        client.update_function_configuration(FunctionName=self.function, **changes)
        client.get_waiter("function_updated_v2").wait(
            FunctionName=self.function, WaiterConfig={"Delay": 0.05}
        )

    def variables(self, **changes: str) -> None:
        self.configure(Environment={"Variables": {**self.healthy["Environment"]["Variables"], **changes}})

    def restore(self) -> None:
        names = ("Environment", "Timeout", "MemorySize", "Handler", "Runtime", "EphemeralStorage")
        now = self.client("lambda").get_function_configuration(FunctionName=self.function)
        changed = {name: self.healthy[name] for name in names if now[name] != self.healthy[name]}
        if now.get("Layers"):
            changed["Layers"] = []
        if changed:
            self.configure(**changed)
        self.client("s3").delete_object(Bucket=self.bucket, Key="large")

    def mappings(self) -> list[dict[str, Any]]:
        found = self.client("lambda").list_event_source_mappings(FunctionName=self.function)
        return list(found["EventSourceMappings"])

    def mapping(self) -> dict[str, Any]:
        [found] = self.mappings()
        return found

    def amend(self, key: str, attributes: dict[str, Any]) -> None:
        """Set attributes of an object's status item."""
        names = {f"#{number}": name for number, name in enumerate(attributes)}
        self.client("dynamodb").update_item(
            TableName=self.deployed.table,
            Key={"jobId": {"S": f"s3://{self.bucket}/{key}"}},
            UpdateExpression="SET " + ", ".join(f"#{number} = :{number}" for number in range(len(names))),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{n}": value for n, value in enumerate(attributes.values())},
        )

    def notify(self, **configuration: Any) -> None:
        self.client("s3").put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration=configuration
        )

    @property
    def policy(self) -> str:
        """The queue's."""
        call = self.client("sqs").get_queue_attributes
        found = call(QueueUrl=self.queue_url, AttributeNames=["Policy"])
        return str(found.get("Attributes", {}).get("Policy", ""))

    @property
    def queue_arn(self) -> str:
        arn = self.deployed.deployment.function_arn
        return f"{arn.rpartition(':function:')[0].replace(':lambda:', ':sqs:')}:{self.queue_url.rpartition('/')[2]}"


@pytest.fixture(scope="module")
def ward(ministack: MiniStack) -> Patient:
    deployed = deployed_on(ministack)
    name = deployed.function
    # What Terraform's role may do and that of the embedded stack, where nothing enforces it, may not.
    more = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:DeleteObject", "sqs:SendMessage"], "Resource": "*"},
        ],
    }
    deployed.client("iam").put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=json.dumps(more))
    healthy = deployed.client("lambda").get_function_configuration(FunctionName=name)
    return Patient(deployed, healthy)


@pytest.fixture(scope="module")
def clients(ministack: MiniStack) -> Iterator[wiring.Clients]:
    """For every doctor: each would make ten anew."""
    with contextlib.closing(wiring.Clients(ministack.endpoint, REGION, CREDENTIALS)) as made:
        yield made


@pytest.fixture
def patient(
    ward: Patient, clients: wiring.Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Patient]:
    """Far from the checkout, whose dist/ may hold another build."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checks, "RATE", LARGE // 30)
    monkeypatch.setattr(clients, "close", lambda: None)
    monkeypatch.setattr(command, "Clients", lambda _endpoint: clients)
    yield ward
    ward.restore()


def test_a_deployed_stack_is_all_green(patient: Patient) -> None:
    code, found = patient.examined()
    assert code == 0
    assert {name: one for name, one in found.items() if one["level"] != "green"} == {}
    assert len(found) > 25


# --- faults: each plants itself, and says which check is to find it, how, and what it names


def no_notification(patient: Patient) -> tuple[str, str, str]:
    patient.notify()
    return "notifications", "red", patient.bucket


def incomplete_notification(patient: Patient) -> tuple[str, str, str]:
    entry = {"Id": "s3torrent", "QueueArn": patient.queue_arn, "Events": ["s3:ObjectCreated:Put"]}
    patient.notify(QueueConfigurations=[entry])
    return "notifications", "red", "s3:ObjectCreated:*"


def dead_filter(patient: Patient) -> tuple[str, str, str]:
    key = {"FilterRules": [{"Name": "suffix", "Value": ".torrent"}]}
    entry = {
        "Id": "s3torrent", "QueueArn": patient.queue_arn, "Filter": {"Key": key},
        "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed"],
    }  # fmt: skip
    patient.notify(QueueConfigurations=[entry])
    return "notifications", "red", ".torrent"


def no_policy(patient: Patient) -> tuple[str, str, str]:
    patient.client("sqs").set_queue_attributes(QueueUrl=patient.queue_url, Attributes={"Policy": ""})
    return "queue-policy", "red", patient.bucket


def no_redrive(patient: Patient) -> tuple[str, str, str]:
    patient.client("sqs").set_queue_attributes(QueueUrl=patient.queue_url, Attributes={"RedrivePolicy": ""})
    return "redrive", "red", "no dead-letter queue"


def short_visibility(patient: Patient) -> tuple[str, str, str]:
    patient.client("sqs").set_queue_attributes(
        QueueUrl=patient.queue_url, Attributes={"VisibilityTimeout": "5"}
    )
    return "queue-visibility", "red", "360 s"


def disabled_mapping(patient: Patient) -> tuple[str, str, str]:
    client = patient.client("lambda")
    client.update_event_source_mapping(UUID=patient.mapping()["UUID"], Enabled=False)
    until(lambda: patient.mapping()["State"] == "Disabled", "a disabled mapping")
    return "mapping", "red", "Disabled"


def mapping_of_whole_batches(patient: Patient) -> tuple[str, str, str]:
    patient.client("lambda").update_event_source_mapping(
        UUID=patient.mapping()["UUID"], FunctionResponseTypes=[]
    )
    return "mapping", "red", "ReportBatchItemFailures"


def short_timeout(patient: Patient) -> tuple[str, str, str]:
    patient.configure(Timeout=3)
    return "time", "red", "3 s"


def too_slow_for_the_largest(patient: Patient) -> tuple[str, str, str]:
    """By the rate that the fixture sets: 30 MB take 30 s."""
    patient.client("s3").put_object(Bucket=patient.bucket, Key="large", Body=bytes(LARGE))
    patient.configure(Timeout=20)
    return "time", "yellow", f"s3://{patient.bucket}/large takes about 30 s"


def wrong_handler(patient: Patient) -> tuple[str, str, str]:
    patient.configure(Handler="lambda_function.lambda_handler")
    return "handler", "red", "lambda_function.lambda_handler"


def two_settings_that_disagree(patient: Patient) -> tuple[str, str, str]:
    patient.variables(TORRENT_ENGINE="transmission", TORRENT_SOURCE='it\'s "ours" & $HOME')
    return "settings", "red", "TORRENT_SOURCE"


def endpoint_of_nobody(patient: Patient) -> tuple[str, str, str]:
    patient.variables(AWS_ENDPOINT_URL="http://127.0.0.1:9")
    return "endpoint", "red", "http://127.0.0.1:9"


def no_table(patient: Patient) -> tuple[str, str, str]:
    name = fresh("gone")
    patient.variables(DDB_TABLE=name)
    return "table", "red", name


def another_key(patient: Patient) -> tuple[str, str, str]:
    name = fresh("theirs")
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    types = [{"AttributeName": "id", "AttributeType": "S"}]
    patient.client("dynamodb").create_table(
        TableName=name, KeySchema=key, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
    )
    patient.variables(DDB_TABLE=name)
    return "table-key", "red", "id (S)"


def no_expiry(patient: Patient) -> tuple[str, str, str]:
    patient.client("dynamodb").update_time_to_live(
        TableName=patient.deployed.table,
        TimeToLiveSpecification={"Enabled": False, "AttributeName": "expiresAt"},
    )
    return "table-expiry", "yellow", patient.deployed.table


def no_index(patient: Patient) -> tuple[str, str, str]:
    name = fresh("plain")
    key = [{"AttributeName": "jobId", "KeyType": "HASH"}]
    types = [{"AttributeName": "jobId", "AttributeType": "S"}]
    patient.client("dynamodb").create_table(
        TableName=name, KeySchema=key, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
    )
    patient.variables(DDB_TABLE=name)
    return "table-index", "red", "status-updatedAt"


def index_of_keys_alone(patient: Patient) -> tuple[str, str, str]:
    name = fresh("keys")
    patient.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": table.KEY, "KeyType": "HASH"}],
        AttributeDefinitions=table.ATTRIBUTES,
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[{**table.DEFINITION, "Projection": {"ProjectionType": "KEYS_ONLY"}}],
    )
    patient.variables(DDB_TABLE=name)
    return "table-index", "red", "KEYS_ONLY"


def switched_off(patient: Patient) -> tuple[str, str, str]:
    patient.client("lambda").put_function_concurrency(
        FunctionName=patient.function, ReservedConcurrentExecutions=0
    )
    return "concurrency", "red", "it never runs"


def all_left_out(patient: Patient) -> tuple[str, str, str]:
    patient.variables(TORRENT_EXCLUDE="*")
    return "keys", "red", "TORRENT_EXCLUDE (*) leaves out every key"


def key_of_aws(patient: Patient) -> tuple[str, str, str]:
    patient.client("sqs").set_queue_attributes(
        QueueUrl=patient.queue_url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"}
    )
    return "queue-key", "red", "alias/aws/sqs"


def no_bucket(patient: Patient) -> tuple[str, str, str]:
    name = fresh("nowhere")
    patient.variables(S3_BUCKET=name)
    return "bucket", "red", name


def no_layer(patient: Patient) -> tuple[str, str, str]:
    """One is published, but not attached."""
    archive = patient.deployed.stack.folder / "layer.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("bin/transmission-create", os.urandom(200_000))
    patient.client("lambda").publish_layer_version(
        LayerName="transmission-tools",
        Content={"ZipFile": archive.read_bytes()},
        CompatibleArchitectures=["x86_64"],
    )
    patient.variables(TORRENT_ENGINE="transmission")
    return "layer", "red", "transmission-create"


def placeholder_layer(patient: Patient) -> tuple[str, str, str]:
    no_layer(patient)
    archive = patient.deployed.stack.folder / "placeholder.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("README", "nothing")
    made = patient.client("lambda").publish_layer_version(
        LayerName="placeholder-of-transmission", Content={"ZipFile": archive.read_bytes()}
    )
    patient.configure(Layers=[made["LayerVersionArn"]])
    return "layer", "red", "placeholder"


def no_right(patient: Patient) -> tuple[str, str, str]:
    client, name = patient.client("iam"), patient.function
    policy = client.get_role_policy(RoleName=name, PolicyName="s3torrent")["PolicyDocument"]
    for statement in policy["Statement"]:
        statement["Action"] = [
            one for one in statement["Action"] if one not in ("s3:PutObject", "dynamodb:UpdateItem")
        ]
    client.put_role_policy(RoleName=name, PolicyName="s3torrent", PolicyDocument=json.dumps(policy))
    return "permissions", "red", "s3:PutObject on arn:aws:s3:::"


def no_mapping(patient: Patient) -> tuple[str, str, str]:
    patient.client("lambda").delete_event_source_mapping(UUID=patient.mapping()["UUID"])
    gone = until(lambda: not patient.mappings() and "gone", "no mapping")
    assert gone
    return "mapping", "red", patient.queue_url.rpartition("/")[2]


def dead_letters(patient: Patient) -> tuple[str, str, str]:
    """Two events that nobody could read, of which by now somebody can."""
    url = patient.deployed.deployment.dead_letter_queue_url
    patient.client("s3").put_object(Bucket=patient.bucket, Key="late", Body=b"late")
    body = json.dumps({"bucket": patient.bucket, "key": "late"})
    for _ in range(2):
        patient.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    return "dead-letters", "yellow", f"2 messages in {url.rpartition('/')[2]}"


def failed_object(patient: Patient) -> tuple[str, str, str]:
    """Of a failure whose cause is mended."""
    key = "failed & 'quoted'"
    patient.client("s3").put_object(Bucket=patient.bucket, Key=key, Body=b"content")
    patient.deployed.ended(patient.bucket, key, "COMPLETED")
    error = {"M": {"type": {"S": "NoSpace"}, "message": {"S": "/tmp is full"}}}
    patient.amend(
        key, {"status": {"S": "FAILED"}, "error": error, "updatedAt": {"S": "2100-01-01T00:00:00Z"}}
    )
    return "failed", "yellow", "NoSpace: /tmp is full"


def silent_worker(patient: Patient) -> tuple[str, str, str]:
    key = "silent"
    patient.client("s3").put_object(Bucket=patient.bucket, Key=key, Body=b"content")
    patient.deployed.ended(patient.bucket, key, "COMPLETED")
    long_ago = {"S": "2026-01-01T00:00:00Z"}
    patient.amend(key, {"status": {"S": "CREATING_TORRENT"}, "leaseExpiresAt": long_ago})
    return "stuck", "yellow", f"s3://{patient.bucket}/silent"


FAULTS: list[Callable[[Patient], tuple[str, str, str]]] = [
    no_notification, incomplete_notification, dead_filter, no_policy, no_redrive,
    short_visibility, disabled_mapping, mapping_of_whole_batches, no_mapping, dead_letters, failed_object, silent_worker,
    short_timeout, too_slow_for_the_largest, wrong_handler,
    two_settings_that_disagree, endpoint_of_nobody, no_table, another_key, no_expiry, no_index, no_bucket,
    no_layer, placeholder_layer, no_right, index_of_keys_alone, switched_off, all_left_out, key_of_aws,
]  # fmt: skip


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_fault_is_found_and_named_and_its_mend_turns_it_green(
    patient: Patient, tmp_path: Path, plant: Callable[[Patient], tuple[str, str, str]]
) -> None:
    check, level, named = plant(patient)
    code, found = patient.examined()
    assert (found[check]["level"], code) == (level, int("red" in {one["level"] for one in found.values()}))
    assert named in found[check]["cause"]
    patient.paste(found[check]["mend"], tmp_path)
    now: dict[str, Any] = {}

    def green() -> bool:
        now.update(patient.examined()[1][check])
        return now["level"] == "green"

    until(green, lambda: now)


# --- other faults, and what is no fault


def test_the_queue_of_another_program_is_left_to_it(patient: Patient) -> None:
    """No mend has the function read it: each message that we took would be lost to them."""
    sqs, name = patient.client("sqs"), fresh("thumbnails")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = patient.queue_arn.rpartition(":")[0] + f":{name}"
    before = patient.client("s3").get_bucket_notification_configuration(Bucket=patient.bucket)[
        "QueueConfigurations"
    ]
    patient.notify(QueueConfigurations=[{"Id": "thumbs", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}])
    try:
        code, found = patient.examined()
    finally:
        patient.notify(QueueConfigurations=before)
        sqs.delete_queue(QueueUrl=url)
    assert (code, found["notifications"]["level"]) == (1, "red")
    assert name in found["notifications"]["cause"]
    assert found["notifications"]["mend"].startswith("terraform apply # with notification_prefix = ")
    assert not [one for one in found.values() if "event-source-mapping" in (one["mend"] or "")]


def test_notifications_and_statements_of_others_are_left_alone(patient: Patient, tmp_path: Path) -> None:
    """Though they go by the names that ours have."""
    sqs = patient.client("sqs")
    url = sqs.create_queue(QueueName=fresh("theirs"))["QueueUrl"]
    arn = patient.queue_arn.rpartition(":")[0] + f":{url.rpartition('/')[2]}"
    key = {"FilterRules": [{"Name": "prefix", "Value": "theirs/"}]}
    theirs = {"Id": "s3torrent", "QueueArn": arn, "Events": ["s3:ObjectTagging:*"], "Filter": {"Key": key}}
    patient.notify(QueueConfigurations=[theirs])
    statement = {
        "Sid": "s3torrent", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": patient.queue_arn,
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::another"}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=patient.queue_url, Attributes={"Policy": policy})
    _, found = patient.examined()
    for check in ("queue-policy", "notifications"):
        assert found[check]["level"] == "red"
        patient.paste(found[check]["mend"], tmp_path)
    after = patient.client("s3").get_bucket_notification_configuration(Bucket=patient.bucket)[
        "QueueConfigurations"
    ]
    assert [(one["Id"], one["QueueArn"]) for one in after] == [
        ("s3torrent", arn),
        ("s3torrent-2", patient.queue_arn),
    ]
    there = sqs.get_queue_attributes(QueueUrl=patient.queue_url, AttributeNames=["Policy"])["Attributes"][
        "Policy"
    ]
    assert json.loads(there)["Statement"][0] == statement
    assert len(json.loads(there)["Statement"]) == 2
    assert patient.examined()[0] == 0


@pytest.mark.parametrize(("ahead", "level"), [(40, "yellow"), (-400, "red"), (5, "green")])
def test_a_clock_that_is_off_is_told(
    patient: Patient, ahead: int, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "clock", lambda: wiring.clock() + timedelta(seconds=ahead))
    found = patient.examined()[1]["clock"]
    assert found["level"] == level
    if level != "green":
        assert ("ahead" if ahead > 0 else "behind") in found["cause"]
        assert found["mend"] == "sudo timedatectl set-ntp true"


def test_web_seeds_are_tried_on_request(patient: Patient) -> None:
    patient.client("s3").put_object(Bucket=patient.bucket, Key="seeded", Body=b"seeded")
    patient.deployed.ended(patient.bucket, "seeded", "COMPLETED")
    patient.variables(TORRENT_WEB_SEEDS=f"{patient.deployed.stack.endpoint}/{{bucket}}/{{key}}")
    for key in patient.deployed.keys(patient.bucket):  # the one torrent is made anew, with its web seed
        if not key.startswith("seeded"):
            patient.client("s3").delete_object(Bucket=patient.bucket, Key=key)
    assert patient.deployed.invoke({"bucket": patient.bucket, "key": "seeded"})
    code, found = patient.examined("--web-seeds")
    assert (code, found["web-seeds"]["level"]) == (0, "green"), found["web-seeds"]


def test_this_machine_is_looked_at_where_no_function_is_named(patient: Patient) -> None:
    code, found = patient.ask(S3_BUCKET=patient.bucket, DDB_TABLE=patient.deployed.table)
    assert {name: one for name, one in found.items() if one["level"] != "green"} == {}
    assert code == 0
    assert {"settings", "credentials", "clock", "bucket", "table-key", "permissions"} <= found.keys()
    assert not {"function", "handler", "mapping"} & found.keys()
    assert not [key for key in patient.deployed.keys(patient.bucket) if "doctor" in key]
    code, found = patient.ask(S3_BUCKET=patient.bucket, TORRENT_VERSION="v3")
    assert (code, found["settings"]["mend"]) == (1, "unset TORRENT_VERSION")


def test_a_function_that_is_not_there_is_told_and_what_stands_on_it_is_grey(patient: Patient) -> None:
    code, found = patient.ask(
        "--function", "nobody", "--bucket", patient.bucket, "--table", patient.deployed.table
    )
    assert code == 1
    assert found["function"]["mend"] == 'make package && terraform apply # with name = "nobody" in the module'
    assert found["handler"]["level"] == "grey"
    assert "nobody does not exist" in found["handler"]["cause"]
    assert found["table-key"]["level"] == "green"


def test_on_a_terminal_each_mend_stands_below_its_cause(patient: Patient) -> None:
    """Under a pseudo-terminal of script(1), in a process of its own."""
    patient.client("sqs").set_queue_attributes(
        QueueUrl=patient.queue_url, Attributes={"VisibilityTimeout": "5"}
    )
    line = f"{BIN}/s3torrent doctor --function {patient.function}"
    ran = subprocess.run(
        ["script", "-qec", line, "/dev/null"],
        env={**os.environ, **patient.environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    wanted = {"VisibilityTimeout": "360"}
    patient.client("sqs").set_queue_attributes(QueueUrl=patient.queue_url, Attributes=wanted)
    lines = ran.stdout.splitlines()
    [place] = [number for number, line in enumerate(lines) if "queue-visibility" in line]
    assert lines[place].startswith("\x1b[31m\x1b[1mred")
    assert lines[place + 1].lstrip().startswith("\x1b[1mmend:\x1b[0m aws sqs set-queue-attributes")
    assert ran.returncode == 1


def test_where_nothing_answers_the_exit_code_is_4() -> None:
    """As a person runs it, in a process of its own: stdout holds what was found until then."""
    environment = {
        **os.environ,
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
    }
    ran = subprocess.run(
        [str(BIN / "s3torrent"), "doctor", "--function", "f"],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 4, ran.stderr
    assert ran.stdout.startswith("grey\tcredentials\t")
    assert ran.stderr.startswith("error: Could not connect")


def test_a_pipe_gets_four_columns_separated_by_tabs(patient: Patient) -> None:
    arguments = ["--function", patient.function]
    piped = CliRunner().invoke(cli, ["doctor", *arguments], env=patient.environment)
    lines = [line.split("\t") for line in piped.stdout.splitlines()]
    assert {len(line) for line in lines} == {4}
    assert [line[1] for line in lines][:2] == ["credentials", "clock"]
    assert piped.stderr.endswith(" green, 0 yellow, 0 red, 0 grey\n")


# --- other ways than from the bucket to the queue


@pytest.fixture
def detour(patient: Patient) -> Iterator[Patient]:
    """The bucket's notifications and the queue's policy are put back afterwards."""
    s3, sqs = patient.client("s3"), patient.client("sqs")
    before = s3.get_bucket_notification_configuration(Bucket=patient.bucket)
    before.pop("ResponseMetadata")
    policy = patient.policy
    yield patient
    patient.notify(**before)
    sqs.set_queue_attributes(QueueUrl=patient.queue_url, Attributes={"Policy": policy})


def test_a_rule_that_brings_nothing_is_found_and_mended(detour: Patient, tmp_path: Path) -> None:
    events, name = detour.client("events"), fresh("rule")
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Deleted"],
        "detail": {"bucket": {"name": [{"prefix": detour.bucket[:-1]}]}},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), Description="of the tests")
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": detour.queue_arn}])
    detour.notify(EventBridgeConfiguration={})
    try:
        code, found = detour.examined()
        assert (code, found["notifications"]["level"], found["queue-policy"]["level"]) == (1, "red", "red")
        assert "but not Object Created" in found["notifications"]["cause"]
        assert f"does not let EventBridge send for rule {name}" in found["queue-policy"]["cause"]
        theirs = json.loads(detour.policy)["Statement"]
        for check in ("queue-policy", "notifications"):
            detour.paste(found[check]["mend"], tmp_path)
        assert json.loads(detour.policy)["Statement"][: len(theirs)] == theirs
        code, found = detour.examined()
        assert {one: found[one]["level"] for one in ("queue-policy", "notifications")} == {
            "queue-policy": "green",
            "notifications": "green",
        }
        assert code == 0
        assert events.describe_rule(Name=name)["Description"] == "of the tests"
        detour.client("s3").put_object(Bucket=detour.bucket, Key="by rule", Body=b"content")
        detour.deployed.ended(detour.bucket, "by rule", "COMPLETED")
    finally:
        events.remove_targets(Rule=name, Ids=["queue"])
        events.delete_rule(Name=name)


def test_a_topic_that_may_not_send_or_hands_nothing_on_is_found_and_mended(
    detour: Patient, tmp_path: Path
) -> None:
    sns = detour.client("sns")
    topic = sns.create_topic(Name=fresh("topic"))["TopicArn"]
    filtered = {"FilterPolicy": json.dumps({"x": ["y"]}), "RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=detour.queue_arn, Attributes=filtered)
    events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed"]  # fmt: skip
    detour.notify(TopicConfigurations=[{"TopicArn": topic, "Events": events}])
    try:
        code, found = detour.examined()
        assert (code, found["notifications"]["level"], found["queue-policy"]["level"]) == (1, "red", "red")
        assert 'has filter policy {"x":["y"]}' in found["notifications"]["cause"]
        assert "does not let SNS send for topic" in found["queue-policy"]["cause"]
        for check in ("queue-policy", "notifications"):
            detour.paste(found[check]["mend"], tmp_path)
        code, found = detour.examined()
        assert {name: one for name, one in found.items() if one["level"] != "green"} == {}
        # SNS alone is enough.
        alone = {**json.loads(detour.policy), "Statement": json.loads(detour.policy)["Statement"][-1:]}
        detour.client("sqs").set_queue_attributes(
            QueueUrl=detour.queue_url, Attributes={"Policy": json.dumps(alone)}
        )
        assert detour.examined()[1]["queue-policy"]["level"] == "green"
    finally:
        sns.delete_topic(TopicArn=topic)


def test_a_function_that_the_bucket_calls_has_to_let_it_whatever_queue_is_there(
    ministack: MiniStack, patient: Patient, tmp_path: Path
) -> None:
    """A queue of its name lies there unused; then there is none."""
    other = Patient(deployed_on(ministack))
    client, sqs = other.client("lambda"), other.client("sqs")
    arn = other.deployed.deployment.function_arn
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        client.remove_permission(FunctionName=other.function, StatementId="s3torrent")
    client.delete_event_source_mapping(UUID=other.mapping()["UUID"])
    until(lambda: not other.mappings() and "gone", "no mapping")
    sqs.create_queue(QueueName=other.function)  # that of the deployment, or one more
    other.notify(LambdaFunctionConfigurations=[{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}])
    for url in (sqs.get_queue_url(QueueName=other.function)["QueueUrl"], None):
        code, found = other.examined()
        assert (code, found["invoke"]["level"]) == (1, "red")
        assert f"does not let S3 call it for bucket {other.bucket}" in found["invoke"]["cause"]
        assert (found["queue"]["level"], "mapping" in found) == ("green", False)
        if url:
            sqs.delete_queue(QueueUrl=url)
    other.paste(found["invoke"]["mend"], tmp_path)
    found = other.examined()[1]
    assert found["invoke"]["level"] == "green"


def test_where_the_queue_that_is_read_is_gone_every_mend_is_for_a_queue(
    ministack: MiniStack, patient: Patient, tmp_path: Path
) -> None:
    other = Patient(deployed_on(ministack))
    name = other.queue_url.rpartition("/")[2]
    other.client("sqs").delete_queue(QueueUrl=other.queue_url)
    other.notify()
    code, found = other.examined()
    assert (code, found["queue"]["level"]) == (1, "red")
    assert found["queue"]["cause"] == f"function {other.function} reads queue {name}, which does not exist"
    assert other.queue_arn in found["notifications"]["mend"]
    assert not [one for one in found.values() if "LambdaFunctionConfigurations" in (one["mend"] or "")]
    for _ in range(3):  # from the top down, until nothing is red
        reds = [one for one in found.values() if one["level"] in ("red", "yellow")]
        for one in reds:
            other.paste(one["mend"], tmp_path)
        found = other.examined()[1]
    assert {one: found[one]["level"] for one in ("queue", "queue-policy", "mapping", "notifications")} == {
        "queue": "green",
        "queue-policy": "green",
        "mapping": "green",
        "notifications": "green",
    }
