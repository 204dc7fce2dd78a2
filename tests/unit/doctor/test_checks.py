"""What each check says of what it is told: colour, cause, and the command that mends it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from s3torrent.doctor import (
    bucket,
    calling,
    checks,
    examination,
    filters,
    function,
    notifications,
    programs,
    queue,
    seeds,
    sending,
    surroundings,
    table,
    work,
)
from s3torrent.doctor.asking import Unreachable
from s3torrent.doctor.finding import Finding, Level
from s3torrent.errors import AccessDenied
from s3torrent.pipeline import backfill
from s3torrent.status.base import StatusItem
from support.doctoring import ACCOUNT, EVENTS, FUNCTION, QUEUE, REGION, case, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.doctor.case import Case

GIB = 1 << 30


def verdict(check: Callable[..., Finding | None], examined: Case) -> tuple[str, str, str]:
    found = check(examined)
    assert found
    return found.level.value, found.cause, found.mend


def time(examined: Case) -> Finding | None:
    return function.time(examined, checks.RATE)


def attributes(**changes: str) -> dict[str, Any]:
    return {"get_queue_attributes": {"Attributes": {"QueueArn": QUEUE, **changes}}}


def notified(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    configuration = {"QueueConfigurations": list(entries), **more}
    return {"get_bucket_notification_configuration": {k: v for k, v in configuration.items() if v != []}}


OURS = {"Id": "s3torrent", "QueueArn": QUEUE, "Events": EVENTS}
THEIRS = {"Id": "x", "LambdaFunctionArn": "arn:aws:lambda:r:1:function:x", "Events": ["s3:ObjectCreated:Put"]}


def filtered(**rules: str) -> dict[str, Any]:
    return {**OURS, "Filter": {"Key": {"FilterRules": [{"Name": n, "Value": v} for n, v in rules.items()]}}}


def only_the_queue(**asked: str) -> dict[str, str]:
    if asked["QueueName"] != "s3torrent":
        raise refused("QueueDoesNotExist")
    return {"QueueUrl": "https://sqs/s3torrent"}


RULE = {
    "list_rule_names_by_target": {"RuleNames": ["told"]},
    "describe_rule": {"State": "ENABLED", "EventPattern": json.dumps({"source": ["aws.s3"]})},
}
DIRECT = {
    "list_event_source_mappings": {"EventSourceMappings": []},
    "get_queue_url": refused("AWS.SimpleQueueService.NonExistentQueue"),
    "get_policy": {"Policy": '{"Statement": [{"Principal": {"Service": "s3.amazonaws.com"}}]}'},
    "get_bucket_notification_configuration": {
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": FUNCTION, "Events": EVENTS}]
    },
}
TRANSMISSION = {"TORRENT_ENGINE": "transmission"}
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:s3torrent-fanout"

ROWS: list[tuple[str, Callable[..., Finding | None], Case, str, str, str]] = [
    # settings and where they lead
    ("one bad variable", surroundings.settings, case(variables={"TORRENT_THREADS": "0"}), "red", "TORRENT_THREADS", 'del(.Variables["TORRENT_THREADS"])'),
    ("two bad variables", surroundings.settings, case(variables={"TORRENT_THREADS": "0", "TORRENT_VERSION": "v3"}), "red", "TORRENT_VERSION", 'del(.Variables["TORRENT_VERSION"]) | del(.Variables["TORRENT_THREADS"])'),
    ("no table named", surroundings.settings, case(variables={"DDB_TABLE": ""}), "red", "DDB_TABLE is not set", '.Variables["DDB_TABLE"]="s3torrent"'),
    ("a stack's endpoint on AWS", surroundings.endpoint, case(variables={"AWS_ENDPOINT_URL": "http://stack:4566"}), "red", "calls http://stack:4566 instead of AWS", 'del(.Variables["AWS_ENDPOINT_URL"])'),
    ("no endpoint on a stack", surroundings.endpoint, case(endpoint="http://stack:4566"), "red", "calls AWS, but lies at http://stack:4566", "http://stack:4566"),
    ("AWS from AWS", surroundings.endpoint, case(), "green", "AWS", ""),
    ("two regions", surroundings.region, case({"head_bucket": {"BucketRegion": "us-west-2"}}), "red", "films lies in us-west-2, the function in eu-central-1", 'terraform apply # with region = "us-west-2" in the provider'),
    ("no region", surroundings.region, case(region="aws-global"), "red", "no region is set", "aws configure set region eu-central-1"),
    ("the wrong region here", surroundings.region, case({"head_bucket": {"BucketRegion": "us-west-2"}}, function=None, bucket="films"), "red", "eu-central-1 is asked", "export AWS_REGION=us-west-2"),
    # function
    ("no function", function.function, case({"get_function_configuration": refused("ResourceNotFoundException")}), "red", "does not exist", 'make package && terraform apply # with name = "s3torrent" in the module'),
    ("one that failed", function.function, case(configuration={"State": "Failed", "StateReason": "the key is gone"}), "red", "the key is gone", "make package && terraform apply"),
    ("one that is updated", function.function, case(configuration={"LastUpdateStatus": "InProgress"}), "yellow", "being updated", "wait function-updated-v2"),
    ("one that was idle", function.function, case(configuration={"State": "Inactive"}), "yellow", "idle", "aws lambda invoke"),
    ("another handler", function.handler, case(configuration={"Handler": "a.b"}), "red", "a.b", "--handler s3torrent.lambda_handler.handler"),
    ("an image", function.handler, case(configuration={"PackageType": "Image"}), "grey", "image", ""),
    ("an old runtime", function.runtime, case(configuration={"Runtime": "python3.9"}), "red", "python3.9", "--runtime python3.13"),
    ("another language", function.runtime, case(configuration={"Runtime": "nodejs22.x"}), "red", "nodejs22.x", "--runtime python3.13"),
    ("little memory", function.memory, case(configuration={"MemorySize": 128}), "yellow", "128 MB", "--memory-size 1769"),
    # time
    ("an empty bucket", time, case(), "green", "empty", ""),
    ("what fits", time, case(sizes=(80 * GIB, GIB)), "green", "0.mkv takes about 859 s", ""),
    ("what takes two runs", time, case(sizes=(100 * GIB,)), "yellow", "it takes 2 runs", "fanout_enabled = true"),
    ("a short timeout", time, case(configuration={"Timeout": 60}, sizes=(10 * GIB,)), "yellow", "it takes 2 runs", "--timeout 220"),
    ("too short to begin", time, case(configuration={"Timeout": 3}), "red", "3 s; expected 15 s", "--timeout 900"),
    ("a share of a CPU", time, case(configuration={"MemorySize": 442}, sizes=(80 * GIB,)), "yellow", "it takes 4 runs", "--memory-size 1769"),
    ("what is handed over", time, case(variables={"TORRENT_FANOUT_STATE_MACHINE": MACHINE}, sizes=(100 * GIB,)), "green", "state machine", ""),
    ("transmission", time, case(variables=TRANSMISSION, sizes=(100 * GIB,)), "red", "begins anew", '.Variables["TORRENT_ENGINE"]="native"'),
    ("without a queue", time, case(DIRECT, sizes=(400 * GIB,)), "red", "5 runs, and without a queue there are 3", "fanout_enabled = true"),
    # transmission's own
    ("no layer", programs.layer, case({"list_layers": {"Layers": []}}, variables=TRANSMISSION), "red", "no layer", "./util/build-transmission-lambda-layer.sh --arch x86_64 && "),
    ("a layer of another name", programs.layer, case({"list_layers": {"Layers": []}}, variables=TRANSMISSION, configuration={"Layers": [{"Arn": "arn:x:1"}]}), "yellow", "arn:x:1", '--layers arn:x:1 "$(aws lambda publish-layer-version'),
    ("of another machine", programs.layer, case({"get_layer_version_by_arn": {"CompatibleArchitectures": ["arm64"]}, "list_layers": {"Layers": []}}, variables=TRANSMISSION, configuration={"Layers": [{"Arn": "a:transmission:1"}]}), "red", "arm64; the function runs on x86_64", "publish-layer-version"),
    ("the native engine", programs.layer, case(), "green", "needs none", ""),
    ("room in /tmp", programs.storage, case(variables=TRANSMISSION, sizes=(600_000_000,)), "red", "512 MB, and s3://films/0.mkv 600,000,000 bytes", "--ephemeral-storage Size=664"),
    ("more than there is", programs.storage, case(variables=TRANSMISSION, sizes=(20 * GIB,)), "red", "more than the 10,240 MB", '.Variables["TORRENT_ENGINE"]="native"'),
    ("no program here", programs.program, case(function=None, machine={**TRANSMISSION, "TRANSMISSION_CREATE": "/nowhere"}), "red", "/nowhere", "unset TRANSMISSION_CREATE"),
    # queue
    ("a queue that is gone", queue.queue, case({"get_queue_attributes": refused("QueueDoesNotExist")}), "red", "queue s3torrent does not exist", "create-queue --queue-name s3torrent"),
    ("no queue at all", queue.queue, case({**DIRECT, "get_policy": refused("ResourceNotFoundException"), **notified()}), "red", "there is no queue s3torrent", "create-queue"),
    ("called directly", queue.queue, case(DIRECT), "green", "without one", ""),
    ("nobody may send", sending.policy, case(), "red", "does not let S3 send for bucket films", f'"AWS:SourceAccount":"{ACCOUNT}"'.replace("AWS:", "aws:")),
    ("short, but longer than a run", queue.visibility, case(attributes(VisibilityTimeout="1000")), "yellow", "1,000 s; expected 5,400", '{"VisibilityTimeout":"5400"}'),
    ("shorter than a run", queue.visibility, case(attributes(VisibilityTimeout="30")), "red", "30 s", '{"VisibilityTimeout":"5400"}'),
    ("one try", queue.redrive, case(attributes(RedrivePolicy=json.dumps({"deadLetterTargetArn": f"{QUEUE}-dlq", "maxReceiveCount": 1}))), "yellow", "after 1 try", '\\"maxReceiveCount\\":5'),
    ("a dead-letter queue that is gone", queue.redrive, case({"get_queue_url": only_the_queue}), "red", "s3torrent-dlq of queue s3torrent does not exist", "create-queue --queue-name s3torrent-dlq"),
    ("dead letters", queue.dead_letters, case({**attributes(ApproximateNumberOfMessages="2", RedrivePolicy=json.dumps({"deadLetterTargetArn": f"{QUEUE}-dlq"})), "get_metric_statistics": {"Datapoints": [{"Timestamp": 1, "Maximum": 90000.0}]}}), "yellow", "2 messages in s3torrent-dlq, the oldest 1 day, 1:00:00 old", "s3torrent redrive https://"),
    ("a filter before the function", queue.mapping, case({"list_event_source_mappings": {"EventSourceMappings": [{"UUID": "u", "EventSourceArn": QUEUE, "State": "Enabled", "FunctionResponseTypes": ["ReportBatchItemFailures"], "FilterCriteria": {"Filters": [{}]}}]}}), "yellow", "has a filter", "--filter-criteria"),
    ("S3 may not call", calling.invoke, case(DIRECT), "red", "does not let S3 call it for bucket films", "aws lambda add-permission"),
    # notifications
    ("all", notifications.notifications, case(), "green", "all events", ""),
    ("four ways are all ways", notifications.notifications, case(notified({**OURS, "Events": [*EVENTS[1:], *(f"s3:ObjectCreated:{one}" for one in filters.WAYS)]})), "green", "all events", ""),
    ("not of deletions", notifications.notifications, case(notified({**OURS, "Events": EVENTS[:1]})), "yellow", "s3:ObjectRemoved:*", '"s3:ObjectRemoved:*"'),
    ("which are wanted", notifications.notifications, case(notified({**OURS, "Events": EVENTS[:1]}), variables={"TORRENT_ON_DELETE": "remove"}), "red", "TORRENT_ON_DELETE=remove needs it", '"s3:ObjectRemoved:*"'),
    ("of some keys", notifications.notifications, case(notified(filtered(prefix="shows/", suffix=".mkv"))), "green", "of keys with prefix shows/ and suffix .mkv", ""),
    ("of our own keys", notifications.notifications, case(notified(filtered(prefix=".s3torrent/x"))), "red", "keeps its own files", "put-bucket-notification-configuration"),
    ("of what is left out", notifications.notifications, case(notified(filtered(prefix="shows/")), variables={"TORRENT_INCLUDE": "films/*"}), "red", "TORRENT_INCLUDE takes films/*", "put-bucket-notification-configuration"),
    ("of what is taken", notifications.notifications, case(notified(filtered(prefix="shows/2026/")), variables={"TORRENT_INCLUDE": "films/*,shows/*.mkv"}), "green", "prefix shows/2026/", ""),
    ("another in the way", notifications.notifications, case(notified(LambdaFunctionConfigurations=[THEIRS])), "red", "it tells arn:aws:lambda:r:1:function:x", 'notification_prefix = "recordings/"'),
    ("by a rule", notifications.notifications, case({**notified(EventBridgeConfiguration={}), **RULE}), "green", "EventBridge rule told", ""),
    ("by a disabled rule", notifications.notifications, case({**notified(EventBridgeConfiguration={}), **RULE, "describe_rule": {"State": "DISABLED"}}), "red", "told is disabled", "aws events enable-rule --name told"),
    ("by no rule", notifications.notifications, case({**notified(EventBridgeConfiguration={}), "list_rule_names_by_target": {"RuleNames": []}}), "red", "no rule leads to", '"EventBridgeConfiguration":{}'),
    ("by a topic", notifications.notifications, case({**notified(TopicConfigurations=[{"TopicArn": "t", "Events": EVENTS}]), "list_subscriptions_by_topic": {"Subscriptions": [{"Endpoint": QUEUE}]}}), "green", "all events", ""),
    # table
    ("provisioned", table.capacity, case({"describe_table": {"Table": {"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 1}}}}), "yellow", "5 reads and 1 writes", "--billing-mode PAY_PER_REQUEST"),
    ("in the making", table.table, case({"describe_table": {"Table": {"TableStatus": "CREATING"}}}), "red", "CREATING", "wait table-exists"),
    ("expiry by another name", table.expiry, case({"describe_time_to_live": {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}}}), "yellow", "by ttl", "Enabled=false,AttributeName=ttl"),
    # work
    ("a machine that is gone", work.fanout, case({"describe_state_machine": refused("StateMachineDoesNotExist")}, variables={"TORRENT_FANOUT_STATE_MACHINE": MACHINE}), "red", "does not exist", "fanout_enabled = true"),
    ("one of another function", work.fanout, case({"describe_state_machine": {"status": "ACTIVE", "definition": "{}"}}, variables={"TORRENT_FANOUT_STATE_MACHINE": MACHINE}), "red", "calls another function", "fanout_enabled = true"),
    ("two that failed", work.failed, case(items=tuple(StatusItem(f"s3://films/{n}", {"status": "FAILED", "bucket": "films", "reason": "why"}) for n in "ab")), "yellow", "2 of the newest 2; the last is s3://films/a: why", "s3torrent backfill s3://films/ --queue https://"),
    ("a live worker", work.stuck, case(items=(StatusItem("j", {"status": "CREATING_TORRENT", "leaseExpiresAt": "2026-11-24T11:30:00Z"}),)), "green", "none of", ""),
    ("no web seeds", lambda one: seeds.web_seeds(one, lambda *_: {}), case(), "green", "none are set", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "examined", "level", "cause", "mend"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_check_tells_colour_cause_and_mend(
    check: Callable[..., Finding | None], examined: Case, level: str, cause: str, mend: str
) -> None:
    found = verdict(check, examined)
    assert found[0] == level, found
    assert cause in found[1]
    assert bool(found[2]) == bool(mend), found
    assert mend in found[2].replace('\\"', '"') or mend in found[2]


def test_what_does_not_apply_says_nothing() -> None:
    assert programs.program(case()) is None
    assert calling.invoke(case()) is None
    for check in (function.handler, function.runtime, function.memory, time, programs.layer, queue.mapping):
        assert check(case(function=None)) is None


def test_a_runtime_is_yellow_three_months_before_its_end() -> None:
    assert verdict(function.runtime, case(configuration={"Runtime": "python3.11"}))[0] == "green"
    old = case(configuration={"Runtime": "python3.11"})
    old.now = lambda: old_day  # type: ignore[method-assign]
    old_day = case().now().replace(year=2027, month=5)
    assert verdict(function.runtime, old)[:2] == ("yellow", "AWS supports python3.11 until 2027-06-30")


def test_each_fact_is_asked_for_once_be_it_denied() -> None:
    examined = case({"get_queue_attributes": refused("AccessDenied", 403)})
    found = list(examination.examine(examined))
    asked = [operation for operation, _ in examined.clients.asked]
    assert {
        asked.count(one) for one in ("get_function_configuration", "get_queue_attributes", "head_bucket")
    } == {1}
    grey = {one.check: one.cause for one in found if one.level is Level.GREY}
    assert grey["queue-visibility"] == "you may not sqs:GetQueueAttributes on queue s3torrent"


def test_what_may_not_be_looked_at_is_grey_and_nothing_red_for_it() -> None:
    """Of an operator who may do nothing but say who he is."""
    identity = {"get_caller_identity": {"Account": ACCOUNT, "Arn": "arn:me"}}
    clock = {"list_buckets": refused("AccessDenied", 403, date="Tue, 24 Nov 2026 12:00:00 GMT")}
    examined = case(function="s3torrent", bucket="films", table="t")
    examined.clients.told = {**identity, **clock}

    def denied(*_: object) -> list[StatusItem]:
        raise AccessDenied("dynamodb:Query on table t")

    examined.items = denied
    found = {one.check: one.level for one in examination.examine(examined)}
    assert found.pop("credentials") is found.pop("clock") is Level.GREEN
    assert set(found.values()) == {Level.GREY}


@pytest.mark.parametrize(
    "error",
    [NoCredentialsError(), EndpointConnectionError(endpoint_url="https://sts")],
    ids=["no credentials", "nobody"],
)
def test_where_nothing_can_be_asked_no_more_is_asked(error: Exception) -> None:
    examined = case(dict.fromkeys(["get_caller_identity", "list_buckets"], error))
    found = []
    with pytest.raises(Unreachable):
        found.extend(examination.examine(examined))
    assert {operation for operation, _ in examined.clients.asked} == {"get_caller_identity", "list_buckets"}


def test_refused_credentials_are_red() -> None:
    first = next(iter(examination.examine(case({"get_caller_identity": refused("ExpiredToken", 403)}))))
    assert (first.level, first.mend) == (Level.RED, "aws configure")
    assert "ExpiredToken" in first.cause


@pytest.mark.parametrize("name", ["it's; rm -rf $HOME", "a b", "$(reboot)", "`x`"])
def test_names_cannot_break_out_of_a_mend(name: str) -> None:
    """Each command is one, whatever the names hold."""
    for check in (bucket.bucket, function.handler):
        examined = case(
            {"head_bucket": refused("404", 404)}, configuration={"Handler": "x"}, function=name, bucket=name
        )
        words = shlex.split(verdict(check, examined)[2])
        assert name in words
        assert words[0] == "aws"
        assert words[-2:] == ["--region", REGION]


def test_the_rate_and_the_table_are_those_of_the_rest() -> None:
    from s3torrent.status import dynamodb_table

    assert checks.RATE == backfill.RATE
    assert (table.KEY, table.INDEX) == (dynamodb_table.KEY, dynamodb_table.INDEX)
