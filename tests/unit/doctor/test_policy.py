"""Whether a policy lets a service do something, as IAM decides it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from s3torrent.doctor.policy import Caller, Decision, Effect, Request, decide

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:s3torrent"
CONTEXT = {
    "aws:sourcearn": "arn:aws:s3:::films",
    "aws:sourceaccount": "123456789012",
    "aws:securetransport": "true",
}
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}
DENY = {**ALLOW, "Effect": "Deny", "Principal": "*", "Action": "sqs:*"}


REQUEST = Request(Caller.service("s3.amazonaws.com"), "sqs:SendMessage", QUEUE, CONTEXT)


def decided(*statements: dict[str, Any]) -> Decision:
    return decide(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), REQUEST)


def given(*statements: dict[str, Any]) -> bool:
    return decided(*statements).effect is Effect.ALLOWED


@pytest.mark.parametrize(
    "change",
    [
        {}, {"Action": "SQS:*"}, {"Action": ["sqs:SendMessage", "x:y"]}, {"Action": "*"}, {"Principal": "*"},
        {"Principal": {"AWS": "*"}}, {"Principal": {"Service": ["a", "s3.amazonaws.com"]}}, {"Resource": "*"},
        {"Resource": ["x", "arn:aws:sqs:*:*:s3torrent"]},
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::films"}}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": ["x", "arn:aws:s3:*:*:fil*"]}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_statement_allows(change: dict[str, Any]) -> None:
    assert given({**ALLOW, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "sqs:ReceiveMessage"}, {"Principal": {"Service": "sns.amazonaws.com"}}, {"Principal": {"AWS": "arn:x"}},
        {"Resource": f"{QUEUE}-dlq"}, {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::other"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o"}}}, {"Condition": {"Unheard": {"aws:SourceArn": "*"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::films"}, "StringEquals": {"aws:SourceAccount": "2"}}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_statement_does_not(change: dict[str, Any]) -> None:
    assert not given({**ALLOW, **change})


def test_a_deny_wins() -> None:
    assert not given(ALLOW, DENY)
    assert given(ALLOW, {**DENY, "Condition": {"Bool": {"aws:SecureTransport": "false"}}})


@pytest.mark.parametrize("policy", ["", "{", "[]", '{"Statement": []}', '{"Statement": ["x"]}'])
def test_what_is_no_policy_allows_nothing(policy: str) -> None:
    assert decide(policy, REQUEST).effect is Effect.UNSAID


def test_brackets_are_no_pattern() -> None:
    assert not given({**ALLOW, "Resource": QUEUE.replace("s3torrent", "[s]3torrent")})


ROLE = "arn:aws:iam::123456789012:role/made"
SESSION = "arn:aws:sts::123456789012:assumed-role/made/"
CALLER = Caller("AWS", frozenset([ROLE, "arn:aws:iam::123456789012:root"]), SESSION)


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({}, Effect.DENIED),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "2"}}}, Effect.DENIED),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}}, Effect.ALLOWED),
        ({"Condition": {"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::other"}}}, Effect.DENIED),
        ({"Condition": {"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::f*"}}}, Effect.ALLOWED),
        ({"Condition": {"Null": {"aws:SourceArn": "true"}}}, Effect.ALLOWED),
        ({"Condition": {"Null": {"aws:SourceArn": False}}}, Effect.DENIED),
        ({"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}}, Effect.UNKNOWN),
        ({"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, Effect.UNKNOWN),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}}, Effect.UNKNOWN),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}}, Effect.UNKNOWN),
        ({"Condition": {"Unheard": {"aws:SourceArn": "*"}, "Bool": {"aws:SecureTransport": "false"}}}, Effect.ALLOWED),
        ({"Action": None, "NotAction": "sqs:ReceiveMessage"}, Effect.DENIED),
        ({"Action": None, "NotAction": "sqs:Send*"}, Effect.ALLOWED),
        ({"NotResource": "arn:aws:sqs:*:*:other", "Resource": None}, Effect.DENIED),
        ({"NotPrincipal": {"Service": "s3.amazonaws.com"}, "Principal": None}, Effect.ALLOWED),
        ({"NotPrincipal": {"AWS": "arn:aws:iam::1:root"}, "Principal": None}, Effect.DENIED),
    ],
    ids=str,
)  # fmt: skip
def test_a_deny_that_cannot_be_judged_is_told_from_one_that_does_not_hold(
    change: dict[str, Any], effect: Effect
) -> None:
    deny = {**DENY, "Sid": "theirs", **change}
    found = decided(ALLOW, {name: value for name, value in deny.items() if value is not None})
    assert found.effect is effect
    assert found.by == (() if effect is Effect.ALLOWED else ("theirs",))


def test_values_are_compared_in_their_capitals() -> None:
    condition = {"StringEquals": {"aws:SourceArn": "ARN:aws:s3:::films"}}
    assert not given({**ALLOW, "Condition": condition})
    assert given({**ALLOW, "Condition": {"StringEqualsIgnoreCase": condition["StringEquals"]}})


def test_a_condition_holds_or_not_where_a_key_is_known_to_be_absent() -> None:
    request = Request(REQUEST.caller, REQUEST.action, QUEUE, {**CONTEXT, "s3:x-amz-acl": None})
    for operator, effect in (("StringEquals", Effect.ALLOWED), ("StringNotEquals", Effect.DENIED)):
        deny = {**DENY, "Condition": {operator: {"s3:x-amz-acl": "private"}}}
        assert decide(json.dumps({"Statement": [ALLOW, deny]}), request).effect is effect


@pytest.mark.parametrize(
    ("principal", "effect"),
    [
        ({"Principal": {"AWS": ROLE}}, Effect.DENIED),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, Effect.DENIED),
        ({"Principal": {"AWS": f"{SESSION}s"}}, Effect.UNKNOWN),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}, Effect.ALLOWED),
        ({"Principal": {"Service": "s3.amazonaws.com"}}, Effect.ALLOWED),
        ({"NotPrincipal": {"AWS": ROLE}}, Effect.UNKNOWN),
    ],
    ids=str,
)
def test_a_role_is_meant_by_its_name_its_account_and_perhaps_by_a_session(
    principal: dict[str, Any], effect: Effect
) -> None:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", **principal}
    policy = json.dumps({"Statement": [allow, deny]})
    found = decide(policy, Request(CALLER, "s3:PutObject", "arn:aws:s3:::films/x", {}))
    assert found.effect is effect
    assert found.by == (() if effect is Effect.ALLOWED else ("number 2",))
