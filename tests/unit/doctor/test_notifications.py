"""Notifications of a bucket that others use as well: nothing of theirs is read, replaced or dropped."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from s3torrent.doctor.mend import compact
from s3torrent.doctor.notifications import notifications
from s3torrent.doctor.queue import mapping, queue
from s3torrent.doctor.sending import policy
from support.doctoring import ACCOUNT, EVENTS, FUNCTION, NAME, QUEUE, case, refused

CREATED, REMOVED = EVENTS[0], EVENTS[1]
THUMBNAILS = QUEUE.replace(NAME, "thumbnails")
THUMBS = {"Id": "thumbs", "QueueArn": THUMBNAILS, "Events": [CREATED]}


def entry(*events: str, prefix: str = "", suffix: str = "", **more: Any) -> dict[str, Any]:
    rules = [{"Name": n, "Value": v} for n, v in (("prefix", prefix), ("suffix", suffix)) if v]
    key = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {"Id": f"ours {prefix}{suffix}", "QueueArn": QUEUE, "Events": list(events), **key, **more}


def telling(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"get_bucket_notification_configuration": {"QueueConfigurations": list(entries), **more}}


def put(mend: str) -> dict[str, Any]:
    words = shlex.split(mend)
    assert words[:3] == ["aws", "s3api", "put-bucket-notification-configuration"]
    return json.loads(words[words.index("--notification-configuration") + 1])  # type: ignore[no-any-return]


def no_queue_of_ours(**asked: str) -> dict[str, str]:
    if asked["QueueName"] != "thumbnails":
        raise refused("QueueDoesNotExist")
    return {"QueueUrl": "https://sqs/thumbnails"}


def test_the_queue_of_another_program_is_never_read() -> None:
    found = notifications(case(telling(THUMBS)))
    assert found
    assert found.level == "red"
    assert THUMBNAILS in found.cause
    assert found.mend.startswith('terraform apply # with notification_prefix = "recordings/" in the module')
    assert f"once {compact(THUMBNAILS)} has a filter" in found.mend
    assert "SNS" in found.mend
    assert "EventBridge" in found.mend
    assert "event-source-mapping" not in found.mend


def test_where_there_is_no_queue_of_ours_that_of_another_is_not_taken_for_it() -> None:
    lost = {
        **telling(THUMBS),
        "list_event_source_mappings": {"EventSourceMappings": []},
        "get_queue_url": no_queue_of_ours,
    }
    examined = case(lost)
    assert examined.queue_url is None
    assert mapping(examined) is None
    found = queue(examined)
    assert found
    assert (found.level, "create-queue --queue-name s3torrent" in found.mend) == ("red", True)
    told = notifications(case(lost))
    assert told
    assert "event-source-mapping" not in told.mend
    named = mapping(case(lost, queue="https://sqs/thumbnails"))  # by --queue it is ours
    assert named


def test_a_prefix_is_proposed_that_no_other_covers() -> None:
    found = notifications(case(telling({**entry(CREATED, prefix="recordings/"), "QueueArn": THUMBNAILS})))
    assert found
    assert 'notification_prefix = "torrents/"' in found.mend
    assert "once" not in found.mend


@pytest.mark.parametrize("kind", ["QueueConfigurations", "TopicConfigurations"])
def test_an_entry_of_another_with_our_id_stays(kind: str) -> None:
    name = {"QueueConfigurations": "QueueArn", "TopicConfigurations": "TopicArn"}[kind]
    theirs = {"Id": NAME, name: THUMBNAILS, "Events": ["s3:ObjectTagging:*"]}
    quiet = {"get_bucket_notification_configuration": {kind: [theirs]}}
    found = notifications(case({**quiet, "list_subscriptions_by_topic": {"Subscriptions": []}}))
    assert found
    after = put(found.mend)
    assert theirs in after[kind]
    [ours] = [one for one in after["QueueConfigurations"] if one["QueueArn"] == QUEUE]
    assert ours == {"Id": "s3torrent-2", "QueueArn": QUEUE, "Events": EVENTS}


def test_a_suffix_that_include_does_not_take_is_a_dead_filter() -> None:
    told = telling(entry(*EVENTS, suffix=".mkv"))
    found = notifications(case(told, variables={"TORRENT_INCLUDE": "*.mp4"}))
    assert found
    assert found.level == "red"
    assert "suffix .mkv, and TORRENT_INCLUDE takes *.mp4" in found.cause
    assert "Filter" not in put(found.mend)["QueueConfigurations"][0]
    for taken in ("*.mkv", "shows/*", "*.mp4,*v", "*.mk[v]"):
        found = notifications(case(told, variables={"TORRENT_INCLUDE": taken}))
        assert found
        assert found.level == "green", taken


def test_prefix_and_suffix_of_include_have_to_be_of_one_pattern() -> None:
    told = telling(entry(*EVENTS, prefix="shows/", suffix=".mkv"))
    found = notifications(case(told, variables={"TORRENT_INCLUDE": "shows/*.mp4,films/*.mkv"}))
    assert found
    assert found.level == "red"


def test_an_exclude_that_leaves_out_all_that_is_told_is_a_dead_filter() -> None:
    told = telling(entry(*EVENTS, prefix="shows/", suffix=".mkv"))
    for out in ("shows/*", "*.mkv", "s*v", "shows/*,x"):
        found = notifications(case(told, variables={"TORRENT_EXCLUDE": out}))
        assert found
        assert (found.level, "TORRENT_EXCLUDE leaves out" in found.cause) == ("red", True), out
    for out in ("shows/2026/*", "*.mp4", "shows/[a]*", "shows/"):
        found = notifications(case(told, variables={"TORRENT_EXCLUDE": out}))
        assert found
        assert found.level == "green", out


def test_ways_of_creation_told_under_different_filters_cover_no_key() -> None:
    x = entry("s3:ObjectCreated:Put", *EVENTS[1:], prefix="x/")
    y = entry(
        *(f"s3:ObjectCreated:{one}" for one in ("Post", "Copy", "CompleteMultipartUpload")), prefix="y/"
    )
    found = notifications(case(telling(x, y)))
    assert found
    assert found.level == "red"
    assert f"of no key {CREATED}" in found.cause
    after = put(found.mend)["QueueConfigurations"]
    assert [(one["Id"], sorted(one["Events"])) for one in after] == [
        (x["Id"], sorted(EVENTS)),
        (y["Id"], sorted(EVENTS)),
    ]


def test_ways_of_creation_told_by_two_entries_of_the_same_keys_cover_them() -> None:
    ways = [f"s3:ObjectCreated:{one}" for one in ("Put", "Post", "Copy", "CompleteMultipartUpload")]
    found = notifications(case(telling(entry(*ways[:2], *EVENTS[1:], prefix="x/"), entry(*ways[2:]))))
    assert found
    assert found.level == "yellow"  # all of x/, but not of the rest
    after = put(found.mend)["QueueConfigurations"]
    assert [sorted(one["Events"]) for one in after] == [sorted(EVENTS)]
    assert "Filter" not in after[0]


def test_where_one_filter_covers_all_and_another_does_not_it_is_yellow() -> None:
    told = telling(entry(*EVENTS, prefix="x/"), entry("s3:ObjectCreated:Put", *EVENTS[1:], prefix="y/"))
    found = notifications(case(told))
    assert found
    assert found.level == "yellow"
    assert found.cause == f"bucket films does not tell of {CREATED}, of keys with prefix y/"
    assert [sorted(one["Events"]) for one in put(found.mend)["QueueConfigurations"]] == [sorted(EVENTS)] * 2


def test_what_others_hear_of_the_same_keys_is_not_asked_for() -> None:
    """S3 would refuse it; what is told of other keys does not matter."""
    theirs = {**THUMBS, "Events": [REMOVED]}
    found = notifications(case(telling(entry(CREATED), theirs)))
    assert found
    after = put(found.mend)["QueueConfigurations"]
    assert after[1] == theirs
    assert sorted(after[0]["Events"]) == sorted(set(EVENTS) - {REMOVED})
    theirs = {**entry(REMOVED, prefix="theirs/"), "QueueArn": THUMBNAILS}
    found = notifications(case(telling(entry(CREATED, prefix="ours/"), theirs)))
    assert found
    assert sorted(put(found.mend)["QueueConfigurations"][0]["Events"]) == sorted(EVENTS)


def test_a_filter_is_not_taken_off_where_others_hear_of_the_rest() -> None:
    theirs = {**entry(CREATED, prefix="theirs/"), "QueueArn": THUMBNAILS}
    found = notifications(case(telling(entry(*EVENTS, suffix=".torrent", prefix="x/"), theirs)))
    assert found
    assert found.level == "red"
    assert 'notification_prefix = "recordings/"' in found.mend


def test_a_topic_with_other_listeners_loses_nothing() -> None:
    topic = {
        "Id": "t",
        "TopicArn": "arn:aws:sns:r:1:t",
        "Events": ["s3:ObjectCreated:Put", "s3:ObjectTagging:*"],
    }
    told = {"get_bucket_notification_configuration": {"TopicConfigurations": [topic]}}
    found = notifications(
        case({**told, "list_subscriptions_by_topic": {"Subscriptions": [{"Endpoint": QUEUE}]}})
    )
    assert found
    [after] = put(found.mend)["TopicConfigurations"]
    assert sorted(after["Events"]) == sorted([*EVENTS, "s3:ObjectTagging:*"])


# --- the queue's policy


def statement_of(bucket: str) -> dict[str, Any]:
    return {
        "Sid": NAME, "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": QUEUE, "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }  # fmt: skip


def with_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {"get_queue_attributes": {"Attributes": {"QueueArn": QUEUE, "Policy": document}}}


def changed(mend: str) -> list[dict[str, Any]]:
    words = shlex.split(mend)
    return json.loads(json.loads(words[words.index("--attributes") + 1])["Policy"])["Statement"]  # type: ignore[no-any-return]


def test_the_statement_of_another_bucket_stays() -> None:
    first = policy(case(with_policy(statement_of("films")), bucket="otherb"))
    assert first
    assert first.level == "red"
    after = changed(first.mend)
    assert after[0] == statement_of("films")
    assert after[1]["Condition"]["ArnEquals"] == {"aws:SourceArn": "arn:aws:s3:::otherb"}
    for bucket in ("films", "otherb"):
        found = policy(case(with_policy(*after[:1], {**after[1]}), bucket=bucket))
        assert found
        assert found.level == "green"
    second = policy(case(with_policy(*after), bucket="third"))
    assert second
    sids = [one["Sid"] for one in changed(second.mend)]
    assert len(set(sids)) == 3
    assert all(sid.isalnum() for sid in sids)


def test_a_sid_of_ours_that_stands_for_something_else_is_not_replaced() -> None:
    first = policy(case(with_policy()))
    assert first
    [ours] = changed(first.mend)
    spoilt = {**ours, "Action": "sqs:ReceiveMessage"}
    again = policy(case(with_policy(spoilt)))
    assert again
    after = changed(again.mend)
    assert after[0] == spoilt
    assert len({one["Sid"] for one in after}) == 2


@pytest.mark.parametrize(
    ("condition", "level", "cause"),
    [
        ({}, "red", "statement NoMail, denies S3 to send"),
        ({"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, "grey", "cannot be told"),
    ],
)
def test_somebodys_deny_is_shown_and_not_taken_out(condition: dict[str, Any], level: str, cause: str) -> None:
    deny = {"Sid": "NoMail", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE, "Condition": condition}  # fmt: skip
    allow = statement_of("films")
    found = policy(case(with_policy(allow, deny)))
    assert found
    assert (found.level, cause in found.cause) == (level, True), found
    assert "get-queue-attributes" in found.mend
    assert "set-queue-attributes" not in found.mend


def test_a_permission_to_call_is_named_after_the_bucket() -> None:
    """Lambda refuses a second one of the same name."""
    from s3torrent.doctor.calling import invoke

    direct = {
        "list_event_source_mappings": {"EventSourceMappings": []},
        "get_queue_url": refused("QueueDoesNotExist"),
        "get_bucket_notification_configuration": {
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": FUNCTION, "Events": EVENTS}]
        },
    }
    names = set()
    for bucket in ("films", "otherb"):
        found = invoke(case(direct, bucket=bucket))
        assert found
        words = shlex.split(found.mend)
        names.add(words[words.index("--statement-id") + 1])
        assert words[words.index("--source-account") + 1] == ACCOUNT
    assert len(names) == 2
