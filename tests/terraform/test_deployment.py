"""The examples, applied on a stack that enforces IAM: upload -> torrent, nothing else allowed, and back."""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from s3torrent import wiring
from s3torrent.config import from_environment
from s3torrent.metainfo.infohash import v1
from s3torrent.metainfo.parse import parse
from support.deployed import status_of
from support.ministack import ENVIRONMENT, REGION
from support.reference import content, info_hash
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.ministack import MiniStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]  # two applies and the provider's waits

NAME = "s3torrent"
PIECE = 16384
BODY = content(100_000)
HARD_KEY = "shows/é+ü & 100%.bin"
ALARMS = {"dead-letters", "errors", "failing", "throttles", "oldest-event", "near-timeout"}
SECONDS = 90.0


def plain(stack: MiniStack) -> wiring.Clients:
    keys = ENVIRONMENT["AWS_ACCESS_KEY_ID"], ENVIRONMENT["AWS_SECRET_ACCESS_KEY"]
    return wiring.Clients(stack.endpoint, REGION, keys)


class Site:
    """What a test does with a deployment and asks of it."""

    def __init__(self, stack: MiniStack, bucket: str) -> None:
        self.stack, self.bucket = stack, bucket

    def upload(self, key: str) -> None:
        self.stack.client("s3").put_object(Bucket=self.bucket, Key=key, Body=BODY)

    def ended(self, key: str, status: str) -> dict[str, Any]:
        """The status item once it has this status."""

        def look() -> dict[str, Any] | None:
            item = status_of(self.stack, NAME, self.bucket, key)
            return item if item.get("status") == status else None

        def found() -> str:
            return (
                f"{status} of {key}; found {status_of(self.stack, NAME, self.bucket, key)}\n"
                f"{self.stack.log[-4000:]}"
            )

        return until(look, found, seconds=SECONDS)

    def completed(self, key: str) -> None:
        """Upload it; its torrent is the right one."""
        self.upload(key)
        item = self.ended(key, "COMPLETED")
        body = self.stack.client("s3").get_object(Bucket=self.bucket, Key=key + ".torrent")["Body"].read()
        expected = info_hash(BODY, key, PIECE)
        assert v1(parse(body)).hex() == expected
        assert item["infoHashV1"] == expected

    @contextlib.contextmanager
    def without(self, action: str, *more: dict[str, Any]) -> Iterator[None]:
        """The role without this action, and with these statements more, while the block lasts."""
        iam, where = self.stack.client("iam"), {"RoleName": NAME, "PolicyName": NAME}
        whole = iam.get_role_policy(**where)["PolicyDocument"]
        kept = [
            one | {"Action": [name for name in actions(one) if name != action]} for one in whole["Statement"]
        ]
        assert sum(len(actions(one)) for one in kept) == sum(
            len(actions(one)) for one in whole["Statement"]
        ) - (action != "")
        changed = whole | {"Statement": [one for one in kept if one["Action"]] + list(more)}
        iam.put_role_policy(**where, PolicyDocument=json.dumps(changed))
        try:
            yield
        finally:
            iam.put_role_policy(**where, PolicyDocument=json.dumps(whole))

    def fails(self, key: str, action: str, resource: str) -> None:
        """Without this action: FAILED, and the status item names action, resource and mend."""
        with self.without(action):
            self.upload(key)
            error = self.ended(key, "FAILED")["error"]
        assert error["type"] == "AccessDenied"
        assert error["message"].startswith(f"{action} on {resource}: 403")
        assert f"allow {action} on {resource}" in error["hint"]

    def dead_letter(self, url: str) -> dict[str, Any]:
        """The next message of the dead-letter queue, which stays there."""
        sqs = self.stack.client("sqs")
        found = until(
            lambda: sqs.receive_message(QueueUrl=url).get("Messages"),
            self.stack.log[-4000:],
            seconds=SECONDS,
        )
        handle = found[0]["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return json.loads(found[0]["Body"])

    def delete(self, *keys: str) -> None:
        """Every version of them: terraform loops on keys with + (FIELD)."""
        s3 = self.stack.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                if one["Key"] in keys:
                    s3.delete_object(Bucket=self.bucket, Key=one["Key"], VersionId=one["VersionId"])


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


def drift(workspace) -> set[str]:
    """The addresses a second plan would change, but for the alarms: the provider reads from MiniStack only the
    names of its alarms (FIELD); ``alarms_are_right`` looks at them itself.
    """
    messages = workspace.messages("plan", "-detailed-exitcode")
    assert not [one for one in messages if one["@level"] == "error"]
    resources = [one["change"]["resource"] for one in messages if one["type"] == "planned_change"]
    return {one["addr"] for one in resources if one["resource_type"] != "aws_cloudwatch_metric_alarm"}


def alarms_are_right(stack: MiniStack, oldest: str) -> None:
    found = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    alarms = {one["AlarmName"].removeprefix(f"{NAME}-"): one for one in found}
    assert set(alarms) == ALARMS
    assert {name: one["MetricName"] for name, one in alarms.items()} == {
        "dead-letters": "ApproximateNumberOfMessagesVisible",
        "errors": "Errors",
        "failing": "Failed",
        "throttles": "Throttles",
        "oldest-event": oldest,
        "near-timeout": "Duration",
    }
    assert alarms["dead-letters"]["Dimensions"] == [{"Name": "QueueName", "Value": f"{NAME}-dlq"}]
    assert (alarms["near-timeout"]["Threshold"], alarms["near-timeout"]["Statistic"]) == (48_000, "Maximum")
    assert all(one["TreatMissingData"] == "notBreaching" for one in alarms.values())


def may_be_redriven_from(stack: MiniStack, dead_letters: str) -> dict[str, Any]:
    asked = stack.client("sqs").get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["All"])
    return json.loads(asked["Attributes"]["RedriveAllowPolicy"])


def nothing_is_left(stack: MiniStack) -> None:
    assert stack.client("lambda").list_functions()["Functions"] == []
    assert stack.client("sqs").list_queues().get("QueueUrls", []) == []
    assert stack.client("iam").list_roles()["Roles"] == []
    assert stack.client("logs").describe_log_groups()["logGroups"] == []
    assert stack.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def nothing_else_is_allowed(site: Site) -> None:
    """With the role's policy a user can do none of what the function does not do."""
    stack = site.stack
    iam = stack.client("iam")
    policy = iam.get_role_policy(RoleName=NAME, PolicyName=NAME)["PolicyDocument"]
    iam.create_user(UserName="like-the-role")
    iam.put_user_policy(UserName="like-the-role", PolicyName=NAME, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="like-the-role")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    s3, dynamodb, sqs = (
        session.client(name, endpoint_url=stack.endpoint, config=stack.client(name).meta.config)
        for name in ("s3", "dynamodb", "sqs")
    )
    stack.client("s3").create_bucket(Bucket="somebody-elses")
    stack.client("s3").put_object(Bucket="somebody-elses", Key="k", Body=b"x")
    queue = stack.client("sqs").get_queue_url(QueueName=NAME)["QueueUrl"]
    here = {"Bucket": site.bucket, "Key": HARD_KEY}
    item = {"TableName": NAME, "Key": {"jobId": {"S": f"s3://{site.bucket}/{HARD_KEY}"}}}
    forbidden = [
        lambda: s3.put_object(**here, Body=b"overwritten"),
        lambda: s3.put_object(Bucket="somebody-elses", Key="k.torrent", Body=b""),
        lambda: s3.get_object(Bucket="somebody-elses", Key="k"),
        lambda: s3.delete_object(**here),
        lambda: s3.list_objects_v2(Bucket=site.bucket),
        lambda: s3.put_bucket_policy(Bucket=site.bucket, Policy="{}"),
        lambda: dynamodb.delete_item(**item),
        lambda: dynamodb.scan(TableName=NAME),
        lambda: dynamodb.create_table(
            TableName=NAME,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "jobId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "jobId", "AttributeType": "S"}],
        ),
        lambda: sqs.purge_queue(QueueUrl=queue),
    ]
    try:
        assert s3.get_object(**here)["Body"].read() == BODY  # these keys do work
        for call in forbidden:
            with pytest.raises(ClientError, match=r"\(AccessDenied(Exception)?\)"):
                call()
    finally:
        for client in (s3, dynamodb, sqs):
            client.close()


def test_a_new_bucket_through_a_queue(
    workspace, shown, strict_stack, tmp_path, function_zip, table_name
) -> None:
    stack, site = strict_stack, Site(strict_stack, "recordings")
    example = workspace(tmp_path, "examples/new-bucket", stack.endpoint)
    example.override(endpoint_url=stack.endpoint, lambda_zip=str(function_zip), timeout_seconds=60)
    example.shell("cd ../..\n" + shown("cd examples/new-bucket", site.bucket))
    outputs = example.outputs()["s3torrent"]
    assert outputs["notification_command"] is None

    site.completed(HARD_KEY)
    assert drift(example) == set()
    alarms_are_right(stack, "ApproximateAgeOfOldestMessage")
    assert may_be_redriven_from(stack, outputs["dead_letter_queue_url"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [f"arn:aws:sqs:{REGION}:000000000000:{NAME}"],
    }

    # The function's own defaults are the module's, and the table is the one the function itself would make.
    function = stack.client("lambda").get_function_configuration(FunctionName=NAME)
    variables = function["Environment"]["Variables"]
    given = ("S3_BUCKET", "DDB_TABLE", "AWS_ENDPOINT_URL", "TRACKERS", "TORRENT_EXCLUDE")
    assert from_environment(variables) == from_environment({name: variables[name] for name in given})
    dynamodb, clients = stack.client("dynamodb"), plain(stack)
    wiring.status_store(clients, table_name).ensure()
    clients.close()
    made, by_us = (
        {
            "key": found["KeySchema"],
            "attributes": sorted(one["AttributeName"] for one in found["AttributeDefinitions"]),
            "indexes": [
                (one["IndexName"], one["KeySchema"], one["Projection"])
                for one in found["GlobalSecondaryIndexes"]
            ],
            "expiry": dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
        }
        for name in (NAME, table_name)
        for found in [dynamodb.describe_table(TableName=name)["Table"]]
    )
    assert made == by_us

    # One permission less, and the right error. HEAD, which needs s3:GetObject, comes before all else.
    for action, key in {"s3:GetObject": "a.bin", "s3:GetObjectVersion": "b.bin"}.items():
        site.fails(key, action, f"arn:aws:s3:::{site.bucket}/{key}")
    site.fails("c.bin", "s3:PutObject", f"arn:aws:s3:::{site.bucket}/c.bin.torrent")
    queues = stack.client("sqs")
    queues.set_queue_attributes(QueueUrl=outputs["queue_url"], Attributes={"VisibilityTimeout": "1"})
    with site.without("dynamodb:UpdateItem"):
        site.upload("d.bin")
        event = site.dead_letter(outputs["dead_letter_queue_url"])
    assert event["Records"][0]["s3"]["object"]["key"] == "d.bin"
    told = [json.loads(line) for line in stack.log.splitlines() if line.startswith('{"event": "object"')]
    failed = [one for one in told if one["status"] == "FAILED"]
    (error, *_) = (one for one in failed if one["id"] == f"s3://{site.bucket}/d.bin")
    assert error["type"] == "AccessDenied"
    assert error["message"].startswith(f"dynamodb:UpdateItem on table {NAME} at ")
    attributes = {"QueueUrl": outputs["dead_letter_queue_url"], "AttributeNames": ["QueueArn"]}
    arn = queues.get_queue_attributes(**attributes)["Attributes"]["QueueArn"]
    assert outputs["dead_letter_queue_arn"] == arn
    # MiniStack has no such task, so this one command is compared and not run.
    assert outputs["redrive_command"] == f"aws sqs start-message-move-task --source-arn {arn}"

    # AWS answers 403, MiniStack 404, to HEAD of an absent .torrent without s3:ListBucket; the Deny stands in.
    no_look = {
        "Effect": "Deny",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{site.bucket}/*.torrent",
    }
    with site.without("", no_look):
        site.completed("e.bin")
    nothing_else_is_allowed(site)

    dynamodb.delete_table(TableName=table_name)
    # What the page says of a protected table and a full bucket, in which no key has a + any more.
    site.delete(HARD_KEY, HARD_KEY + ".torrent")
    table = {"TableName": NAME, "DeletionProtectionEnabled": True}
    dynamodb.update_table(**table)
    example.shell(shown("bucket_force_destroy      = true", site.bucket))
    example.shell(shown("terraform destroy", site.bucket))
    nothing_is_left(stack)
    assert dynamodb.list_tables()["TableNames"] == []


@pytest.mark.skipif(not (shutil.which("aws") and shutil.which("jq")), reason="needs the AWS CLI and jq")
def test_an_existing_bucket_and_table_without_a_queue(
    workspace, shown, strict_stack, tmp_path, function_zip
) -> None:
    """With the commands of docs/deploy.md, as they stand there."""
    stack, site = strict_stack, Site(strict_stack, "theirs")
    stack.client("s3").create_bucket(Bucket=site.bucket)
    clients = plain(stack)
    wiring.status_store(clients, NAME).ensure()
    clients.close()
    example = workspace(tmp_path, "examples/existing-bucket", stack.endpoint)
    example.set(event_source="s3")
    example.override(
        endpoint_url=stack.endpoint,
        lambda_zip=str(function_zip),
        create_table=False,
        timeout_seconds=60,
    )
    example.shell("cd ../..\n" + shown("cd examples/existing-bucket", site.bucket))
    outputs = example.outputs()["s3torrent"]
    assert outputs["queue_url"] is None
    s3 = stack.client("s3")
    found = s3.get_bucket_notification_configuration(Bucket=site.bucket)
    ours = json.loads(outputs["notification_configuration"])
    assert found["LambdaFunctionConfigurations"] == ours["LambdaFunctionConfigurations"]

    (example.folder / "movie.mkv").write_bytes(BODY)
    said = example.shell(shown("aws s3 cp movie.mkv s3://NAME/", site.bucket))
    assert info_hash(BODY, "movie.mkv", PIECE) in said
    assert '"COMPLETED"' in said
    site.completed(HARD_KEY)
    assert drift(example) == set()
    alarms_are_right(stack, "AsyncEventAge")
    assert may_be_redriven_from(stack, outputs["dead_letter_queue_url"]) == {"redrivePermission": "denyAll"}
    retries = stack.client("lambda").get_function_event_invoke_config(FunctionName=NAME)
    assert retries["MaximumRetryAttempts"] == 2

    with site.without("s3:GetObject"):
        site.upload("a.bin")
        given_up = site.dead_letter(outputs["dead_letter_queue_url"])
    assert given_up["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "a.bin"
    assert f"s3:GetObject on arn:aws:s3:::{site.bucket}/a.bin" in json.dumps(given_up["responsePayload"])
    assert site.ended("a.bin", "FAILED")["error"]["type"] == "AccessDenied"
    example.shell(shown('eval "$(terraform output -raw redrive_command)"', site.bucket))
    site.ended("a.bin", "COMPLETED")
    assert "Messages" not in stack.client("sqs").receive_message(QueueUrl=outputs["dead_letter_queue_url"])
    site.fails("b.bin", "s3:PutObject", f"arn:aws:s3:::{site.bucket}/b.bin.torrent")

    example.shell(shown('eval "$(terraform output -raw notification_removal_command)"', site.bucket))
    example.shell(shown("terraform destroy", site.bucket))
    nothing_is_left(stack)
    assert "LambdaFunctionConfigurations" not in s3.get_bucket_notification_configuration(Bucket=site.bucket)
    assert s3.head_object(Bucket=site.bucket, Key=HARD_KEY + ".torrent")
    assert stack.client("dynamodb").list_tables()["TableNames"] == [NAME]
