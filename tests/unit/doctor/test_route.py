"""Who really delivers, and what has to be allowed for it: S3, topics, and functions called without a queue."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from s3torrent.doctor.calling import invoke
from s3torrent.doctor.notifications import notifications
from s3torrent.doctor.queue import mapping, queue
from s3torrent.doctor.sending import policy
from support.doctoring import ACCOUNT, EVENTS, FUNCTION, QUEUE, REGION, case, refused

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:uploads"
SUBSCRIPTION = f"{TOPIC}:s-1"


def by_topic(endpoint: str = QUEUE, **attributes: str) -> dict[str, Any]:
    told = {"TopicConfigurations": [{"Id": "t", "TopicArn": TOPIC, "Events": EVENTS}]}
    subscription = {"SubscriptionArn": SUBSCRIPTION, "Endpoint": endpoint, "TopicArn": TOPIC}
    return {
        "get_bucket_notification_configuration": told,
        "list_subscriptions_by_topic": {"Subscriptions": [subscription]},
        "get_subscription_attributes": {"Attributes": attributes},
    }


def allow(
    service: str, source: str, resource: str = QUEUE, action: str = "sqs:SendMessage"
) -> dict[str, Any]:
    return {
        "Sid": service, "Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": action,
        "Resource": resource, "Condition": {"ArnLike": {"aws:SourceArn": source}},
    }  # fmt: skip


def with_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {"get_queue_attributes": {"Attributes": {"QueueArn": QUEUE, "Policy": document}}}


def statements_of(mend: str) -> list[dict[str, Any]]:
    words = shlex.split(mend)
    return json.loads(json.loads(words[words.index("--attributes") + 1])["Policy"])["Statement"]  # type: ignore[no-any-return]


# --- SNS


def test_a_topic_s_queue_has_to_let_sns_send_and_not_s3() -> None:
    right = policy(case(by_topic() | with_policy(allow("sns", TOPIC))))
    assert right
    assert (right.level, right.cause) == ("green", "SNS may send for topic uploads")
    theirs = allow("s3", "arn:aws:s3:::films")
    wrong = policy(case(by_topic() | with_policy(theirs)))
    assert wrong
    assert (wrong.level, wrong.cause) == (
        "red",
        "the policy of queue s3torrent does not let SNS send for topic uploads",
    )
    kept, ours = statements_of(wrong.mend)
    assert kept == theirs
    assert ours["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC}}
    mended = policy(case(by_topic() | with_policy(kept, ours)))
    assert mended
    assert mended.level == "green"


def test_a_deny_for_the_topic_is_shown() -> None:
    deny = {**allow("sns", TOPIC), "Sid": "NoMail", "Effect": "Deny"}
    found = policy(case(by_topic() | with_policy(allow("sns", TOPIC), deny)))
    assert found
    assert (found.level, "statement NoMail, denies SNS to send for topic uploads" in found.cause) == (
        "red",
        True,
    )


def test_each_of_two_senders_has_to_be_let_in() -> None:
    told = by_topic()
    entry = {"Id": "q", "QueueArn": QUEUE, "Events": EVENTS[:1]}
    told["get_bucket_notification_configuration"]["QueueConfigurations"] = [entry]
    found = policy(case(told))
    assert found
    assert "does not let S3 send for bucket films, nor SNS send for topic uploads" in found.cause
    ours = statements_of(found.mend)
    assert [one["Principal"]["Service"] for one in ours] == ["s3.amazonaws.com", "sns.amazonaws.com"]
    mended = policy(case(told | with_policy(*ours)))
    assert mended
    assert mended.level == "green"


@pytest.mark.parametrize(
    ("filter_policy", "scope", "level"),
    [
        ({"x": ["y"]}, {}, "red"),
        ({"x": ["y"]}, {"FilterPolicyScope": "MessageAttributes"}, "red"),
        ({"x": [{"anything-but": "y"}]}, {}, "red"),
        ({"x": [{"exists": False}]}, {}, "yellow"),
        ({"$or": [{"x": ["y"]}, {"z": [{"exists": False}]}]}, {}, "yellow"),
        ({"Records": {"eventName": [{"prefix": "Obj"}]}}, {"FilterPolicyScope": "MessageBody"}, "yellow"),
        ({}, {}, "green"),
    ],
)
@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_filter_policy_is_named(
    filter_policy: dict[str, Any], scope: dict[str, str], level: str, raw: str
) -> None:
    attributes = {"FilterPolicy": json.dumps(filter_policy), "RawMessageDelivery": raw, **scope}
    found = notifications(case(by_topic(**attributes)))
    assert found
    assert found.level == level, found
    if level != "green":
        assert f"the subscription of {QUEUE} to topic uploads has filter policy {{" in found.cause
        words = shlex.split(found.mend)
        assert words[:3] == ["aws", "sns", "set-subscription-attributes"]
        assert words[words.index("--subscription-arn") + 1] == SUBSCRIPTION


def test_a_filter_beside_a_way_that_is_open_is_yellow() -> None:
    told = by_topic(FilterPolicy='{"x":["y"]}')
    entry = {"Id": "q", "QueueArn": QUEUE, "Events": EVENTS}
    told["get_bucket_notification_configuration"]["QueueConfigurations"] = [entry]
    found = notifications(case(told))
    assert found
    assert found.level == "yellow"


def test_a_subscription_that_nobody_confirmed_delivers_nothing() -> None:
    told = by_topic()
    told["list_subscriptions_by_topic"]["Subscriptions"][0]["SubscriptionArn"] = "PendingConfirmation"
    found = notifications(case(told))
    assert found
    assert (found.level, "does not tell queue s3torrent" in found.cause) == ("red", True)


def test_a_subscription_on_the_second_page_is_found() -> None:
    told = by_topic()
    [subscription] = told["list_subscriptions_by_topic"]["Subscriptions"]
    other = {**subscription, "Endpoint": "mailto:x"}
    told["list_subscriptions_by_topic"] = lambda **asked: (
        {"Subscriptions": [subscription]}
        if "NextToken" in asked
        else {"Subscriptions": [other], "NextToken": "n"}
    )
    found = notifications(case(told))
    assert found
    assert found.level == "green"


# --- functions that are called without a queue

NO_MAPPING: dict[str, Any] = {"list_event_source_mappings": {"EventSourceMappings": []}}
CALLED = {
    "get_bucket_notification_configuration": {
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": FUNCTION, "Events": EVENTS}]
    }
}
NO_QUEUE = {"get_queue_url": refused("QueueDoesNotExist")}


@pytest.mark.parametrize("unused", [{}, NO_QUEUE], ids=["an unused queue", "no queue"])
def test_a_direct_call_has_to_be_allowed_also_where_an_unused_queue_has_the_name(
    unused: dict[str, Any],
) -> None:
    told = NO_MAPPING | CALLED | unused
    found = invoke(case(told))
    assert found
    assert found.level == "red"
    assert found.cause == "function s3torrent does not let S3 call it for bucket films"
    assert "lambda add-permission" in found.mend
    there = queue(case(told))
    assert there
    assert (there.level, there.cause) == ("green", "none: the function is called without one")
    assert policy(case(told)) is mapping(case(told)) is None
    let = allow("s3", "arn:aws:s3:::films", FUNCTION, "lambda:InvokeFunction")
    mended = invoke(case(told | {"get_policy": {"Policy": json.dumps({"Statement": [let]})}}))
    assert mended
    assert (mended.level, mended.cause) == ("green", "S3 may call it for films")


def test_a_direct_call_beside_a_queue_that_is_read_has_to_be_allowed() -> None:
    found = invoke(case(CALLED))
    assert found
    assert found.level == "red"
    unfed = policy(case(CALLED))
    assert unfed
    assert (unfed.level, unfed.cause) == (
        "green",
        "nothing sends to it: the function is called without it",
    )


def test_a_function_that_a_topic_calls_has_to_let_it() -> None:
    told = NO_MAPPING | NO_QUEUE | by_topic(endpoint=FUNCTION)
    found = invoke(case(told))
    assert found
    assert found.cause == "function s3torrent does not let SNS call it for topic uploads"
    words = shlex.split(found.mend)
    assert words[words.index("--principal") + 1] == "sns.amazonaws.com"
    assert words[words.index("--source-arn") + 1] == TOPIC


def test_a_mapping_whose_queue_is_gone_is_told_and_no_mend_contradicts_another() -> None:
    told = NO_QUEUE | {"get_bucket_notification_configuration": {}}
    gone = queue(case(told))
    assert gone
    assert (gone.level, gone.cause) == (
        "red",
        "function s3torrent reads queue s3torrent, which does not exist",
    )
    assert "create-queue --queue-name s3torrent " in gone.mend
    [ours] = statements_of(gone.mend)  # without it S3 would refuse the notification
    assert (ours["Principal"], ours["Resource"]) == ({"Service": "s3.amazonaws.com"}, QUEUE)
    silent = notifications(case(told))
    assert silent
    assert "does not tell queue s3torrent of anything" in silent.cause
    assert QUEUE in silent.mend
    assert "LambdaFunctionConfigurations" not in silent.mend
    assert invoke(case(told)) is None


def test_a_queue_that_is_made_again_lets_in_who_delivers() -> None:
    gone = queue(case(NO_QUEUE | by_topic()))
    assert gone
    [ours] = statements_of(gone.mend)
    assert ours["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC}}


@pytest.mark.parametrize("code", ["NoSuchBucket", "AccessDenied"])
def test_a_mapping_whose_queue_is_gone_is_told_whatever_is_known_of_the_bucket(code: str) -> None:
    told = NO_QUEUE | {"get_bucket_notification_configuration": refused(code, 403)}
    gone = queue(case(told))
    assert gone
    assert (gone.level, "which does not exist" in gone.cause) == ("red", True)


def test_where_there_is_nothing_at_all_every_mend_makes_the_same_queue() -> None:
    told = NO_MAPPING | NO_QUEUE | {"get_bucket_notification_configuration": {}}
    missing, silent = queue(case(told)), notifications(case(told))
    assert missing
    assert silent
    assert "create-queue --queue-name s3torrent " in missing.mend
    assert QUEUE in silent.mend
    assert "LambdaFunctionConfigurations" not in silent.mend


def test_a_function_that_may_be_called_is_told_without_a_queue() -> None:
    let = allow("s3", "arn:aws:s3:::films", FUNCTION, "lambda:InvokeFunction")
    told = NO_MAPPING | NO_QUEUE | {"get_bucket_notification_configuration": {}}
    told |= {"get_policy": {"Policy": json.dumps({"Statement": [let]})}}
    there, silent = queue(case(told)), notifications(case(told))
    assert there
    assert silent
    assert there.level == "green"
    assert "LambdaFunctionConfigurations" in silent.mend
