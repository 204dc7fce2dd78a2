"""Whether a policy lets a service do something, as IAM decides it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from s3torrent.doctor.policy import allows

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


def given(*statements: dict[str, Any]) -> bool:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return allows(policy, "s3.amazonaws.com", "sqs:SendMessage", QUEUE, CONTEXT)


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
    assert not allows(policy, "s3.amazonaws.com", "sqs:SendMessage", QUEUE, CONTEXT)


def test_brackets_are_no_pattern() -> None:
    assert not given({**ALLOW, "Resource": QUEUE.replace("s3torrent", "[s]3torrent")})
