"""Buckets that tell EventBridge alone: what the rules take, and whether they may send."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from s3torrent.doctor.asking import Unseen
from s3torrent.doctor.calling import invoke
from s3torrent.doctor.notifications import notifications
from s3torrent.doctor.sending import policy
from support.doctoring import ACCOUNT, EVENTS, FUNCTION, QUEUE, REGION, case, refused

ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r2"
EVERY = ["Object Created", "Object Deleted", "Object Restore Completed"]
BUCKET = {"bucket": {"name": ["films"]}}


def pattern(kinds: list[Any] = EVERY, **detail: Any) -> dict[str, Any]:
    return {"source": ["aws.s3"], "detail-type": kinds, "detail": BUCKET | detail}


def ruled(wanted: dict[str, Any], target: str = QUEUE, **more: Any) -> dict[str, Any]:
    """Answers where a rule of that pattern leads to ``target``."""
    told = {"Name": "r2", "Arn": ARN, "State": "ENABLED", "EventPattern": json.dumps(wanted), **more}
    return {
        "get_bucket_notification_configuration": {"EventBridgeConfiguration": {}},
        "list_rule_names_by_target": lambda **asked: {
            "RuleNames": ["r2"] if asked["TargetArn"] == target else []
        },
        "describe_rule": told,
    }


def option(mend: str, name: str) -> str:
    words = shlex.split(mend)
    return words[words.index(name) + 1]


def test_a_rule_of_deletions_alone_is_red_and_its_mend_adds_creations() -> None:
    found = notifications(case(ruled(pattern(["Object Deleted"]), Description="ours", RoleArn="arn:role")))
    assert found
    assert found.level == "red"
    assert found.cause == "EventBridge rule r2 takes Object Deleted of bucket films, but not Object Created"
    after = json.loads(option(found.mend, "--event-pattern"))
    assert (after["source"], after["detail"]) == (["aws.s3"], BUCKET)
    assert sorted(after["detail-type"]) == EVERY
    # PutRule forgets what is not said again.
    kept = [option(found.mend, name) for name in ("--state", "--description", "--role-arn")]
    assert kept == ["ENABLED", "ours", "arn:role"]
    assert notifications(case(ruled(after))).level == "green"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kinds", "variables", "level", "lacks"),
    [
        (EVERY, {}, "green", "by EventBridge rule r2, all events"),
        (EVERY[:1], {}, "yellow", "does not take Object Deleted, Object Restore Completed of bucket films"),
        (EVERY[:2], {}, "yellow", "does not take Object Restore Completed"),
        (EVERY[:1], {"TORRENT_ON_DELETE": "remove"}, "red", "TORRENT_ON_DELETE=remove needs it"),
        (EVERY[:2], {"TORRENT_ON_DELETE": "remove"}, "yellow", "Object Restore Completed"),
        ([{"prefix": "Object "}], {}, "green", "all events"),
        ([{"anything-but": "Object Deleted"}], {}, "yellow", "does not take Object Deleted"),
    ],
)
def test_deletions_are_missed_as_in_the_bucket_s_own_notifications(
    kinds: list[Any], variables: dict[str, str], level: str, lacks: str
) -> None:
    found = notifications(case(ruled(pattern(kinds)), variables=variables))
    assert found
    assert (found.level, lacks in found.cause) == (level, True), found
    if level != "green":
        after = json.loads(option(found.mend, "--event-pattern"))
        assert notifications(case(ruled(after), variables=variables)).level == "green"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("names", "level"),
    [
        (["films"], "green"),
        ([{"prefix": "fil"}], "green"),
        ([{"anything-but": "songs"}], "green"),
        ([{"wildcard": "f*s"}], "green"),
        ([{"equals-ignore-case": "FILMS"}], "green"),
        (["songs"], "red"),
        ([{"prefix": "s3torrent"}], "red"),
        ([{"anything-but": {"prefix": "fil"}}], "red"),
        ([{"cidr": "10.0.0.0/8"}], "grey"),
    ],
)
def test_the_bucket_is_matched_by_every_matcher(names: list[Any], level: str) -> None:
    found = notifications(case(ruled(pattern(bucket={"name": names}))))
    assert found
    assert found.level == level, found
    if level == "red":
        assert found.cause.startswith("bucket films tells EventBridge, but no rule leads to ")
    if level == "grey":
        assert found.cause.startswith(
            "whether EventBridge rule r2 takes Object Created of bucket films cannot be told"
        )
        assert found.mend.startswith("aws events describe-rule --name r2")


@pytest.mark.parametrize(
    "other",
    [
        {"source": ["aws.ec2"]},
        {"account": ["999999999999"]},
        {"region": ["us-east-1"]},
        {"resources": ["arn:aws:s3:::songs"]},
        {"detail-type": ["AWS API Call via CloudTrail"]},
    ],
)
def test_a_rule_of_other_events_is_no_rule(other: dict[str, Any]) -> None:
    found = notifications(case(ruled(pattern() | other)))
    assert found
    assert (found.level, "no rule leads to" in found.cause) == ("red", True), found


def test_a_rule_by_the_clock_is_no_rule() -> None:
    told = ruled({})
    told["describe_rule"] = {"Name": "r2", "State": "ENABLED", "ScheduleExpression": "rate(1 day)"}
    found = notifications(case(told))
    assert found
    assert (found.level, "no rule leads to" in found.cause) == ("red", True), found


@pytest.mark.parametrize(
    ("key", "variables", "level", "cause"),
    [
        ([{"prefix": "only-this/"}], {}, "green", "all events, of keys with prefix only-this/"),
        ([{"prefix": "only/"}], {"TORRENT_INCLUDE": "films/*"}, "red", "TORRENT_INCLUDE takes films/*"),
        ([{"suffix": ".torrent"}], {}, "red", "no torrents of torrents"),
        ([{"prefix": ".s3torrent/"}], {}, "red", "keeps its own files"),
        ([{"anything-but": {"suffix": ".torrent"}}], {}, "green", "all events"),
        ([{"anything-but": {"prefix": "tmp/"}}], {}, "grey", "cannot be told"),
    ],
)
def test_a_filter_of_keys_is_judged_as_the_bucket_s_own(
    key: list[Any], variables: dict[str, str], level: str, cause: str
) -> None:
    wanted = pattern(object={"key": key})
    found = notifications(case(ruled(wanted), variables=variables))
    assert found
    assert (found.level, cause in found.cause) == (level, True), found
    if level == "red":
        after = json.loads(option(found.mend, "--event-pattern"))
        assert after == pattern()
        assert notifications(case(ruled(after), variables=variables)).level == "green"  # type: ignore[union-attr]


def test_a_filter_that_nobody_can_judge_is_never_green() -> None:
    for detail in ({"object": {"size": [{"numeric": [">", 9]}]}}, {"reason": ["PutObject"]}):
        found = notifications(case(ruled(pattern(**detail))))
        assert found
        assert found.level == "grey"


def test_a_disabled_rule_is_red() -> None:
    found = notifications(case(ruled(pattern(), State="DISABLED")))
    assert found
    assert (found.level, found.cause) == ("red", "EventBridge rule r2 is disabled")
    assert found.mend.startswith("aws events enable-rule --name r2")


def test_what_a_rule_brings_besides_is_not_missed() -> None:
    told = ruled(pattern(["Object Deleted", "Object Restore Completed"]))
    entry = {"Id": "q", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}
    told["get_bucket_notification_configuration"]["QueueConfigurations"] = [entry]
    found = notifications(case(told))
    assert found
    assert (found.level, found.cause) == ("green", "all events")
    denied = notifications(case(told | {"list_rule_names_by_target": refused("AccessDenied", 403)}))
    assert denied
    assert (denied.level, "s3:ObjectRemoved:*" in denied.cause) == ("yellow", True)
    sent = policy(case(told))
    assert sent
    assert "does not let S3 send for bucket films, nor EventBridge send for rule r2" in sent.cause


@pytest.mark.parametrize(
    ("configuration", "denied"),
    [
        ({"EventBridgeConfiguration": {}}, "events:ListRuleNamesByTarget"),
        ({"TopicConfigurations": [{"TopicArn": "t", "Events": EVENTS}]}, "sns:ListSubscriptionsByTopic"),
    ],
)
def test_what_may_not_be_seen_matters_only_where_nothing_else_tells(
    configuration: dict[str, Any], denied: str
) -> None:
    told: dict[str, Any] = {"get_bucket_notification_configuration": dict(configuration)}
    for check in (notifications, policy, invoke):
        with pytest.raises(Unseen, match=f"you may not {denied}"):
            check(case(told))
    entry = {"Id": "q", "QueueArn": QUEUE, "Events": EVENTS}
    told["get_bucket_notification_configuration"]["QueueConfigurations"] = [entry]
    beside = case(told | with_policy(of("s3", "arn:aws:s3:::films")))
    assert [one and one.level for one in (notifications(beside), policy(beside), invoke(beside))] == [
        "green",
        "green",
        None,
    ]


# --- what lets the rule in


def of(service: str, source: str) -> dict[str, Any]:
    return {
        "Sid": "theirs", "Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": QUEUE, "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }  # fmt: skip


def with_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {"get_queue_attributes": {"Attributes": {"QueueArn": QUEUE, "Policy": document}}}


def test_the_queue_has_to_let_eventbridge_send_for_the_rule() -> None:
    theirs = of("s3", "arn:aws:s3:::films")
    found = policy(case(ruled(pattern()) | with_policy(theirs)))
    assert found
    assert found.level == "red"
    assert found.cause == "the policy of queue s3torrent does not let EventBridge send for rule r2"
    kept, ours = json.loads(json.loads(option(found.mend, "--attributes"))["Policy"])["Statement"]
    assert kept == theirs
    assert ours["Principal"] == {"Service": "events.amazonaws.com"}
    assert ours["Condition"] == {"ArnEquals": {"aws:SourceArn": ARN}}
    after = policy(case(ruled(pattern()) | with_policy(kept, ours)))
    assert after
    assert (after.level, after.cause) == ("green", "EventBridge may send for rule r2")
    other = policy(case(ruled(pattern()) | with_policy(of("events", ARN.replace("r2", "r3")))))
    assert other
    assert other.level == "red"


def test_a_function_that_a_rule_calls_has_to_let_it() -> None:
    told = ruled(pattern(), target=FUNCTION) | {
        "list_event_source_mappings": {"EventSourceMappings": []},
        "get_queue_url": refused("QueueDoesNotExist"),
    }
    found = invoke(case(told))
    assert found
    assert (found.level, found.cause) == (
        "red",
        "function s3torrent does not let EventBridge call it for rule r2",
    )
    assert option(found.mend, "--principal") == "events.amazonaws.com"
    assert option(found.mend, "--source-arn") == ARN
    assert "--source-account" not in found.mend
    allowed = {**of("events", ARN), "Action": "lambda:InvokeFunction", "Resource": FUNCTION}
    after = invoke(case(told | {"get_policy": {"Policy": json.dumps({"Statement": [allowed]})}}))
    assert after
    assert (after.level, after.cause) == ("green", "EventBridge may call it for rule r2")
    assert notifications(case(told)).level == "green"  # type: ignore[union-attr]
