"""What the role lacks, what of it matters, and the policy that grants it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.doctor.permissions import needs, permissions
from support.doctoring import ACCOUNT, case, refused

if TYPE_CHECKING:
    from collections.abc import Callable

IAM = Path(__file__).resolve().parents[3] / "terraform/backend/iam.tf"
EVERYTHING = {
    "TORRENT_ON_DELETE": "remove",
    "TORRENT_CATALOG": "s3://films/catalogue",
    "TORRENT_FANOUT_STATE_MACHINE": f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:m",
}


def without(*lacking: str, decision: str = "implicitDeny") -> dict[str, Callable[..., Any]]:
    def decide(**asked: Any) -> dict[str, Any]:
        return {
            "EvaluationResults": [
                {"EvalActionName": one, "EvalDecision": decision if one in lacking else "allowed"}
                for one in asked["ActionNames"]
            ]
        }

    return {"simulate_principal_policy": decide}


def test_the_actions_are_those_that_terraform_grants() -> None:
    """But for those that only some deployments have: keys, tracing, a table to be made."""
    granted = set(re.findall(r'"((?:s3|dynamodb|sqs|logs|states):\w+)"', IAM.read_text()))
    named = {action for need in needs(case(variables=EVERYTHING)) for action in need.actions}
    assert named == granted - {"dynamodb:CreateTable", "dynamodb:UpdateTimeToLive"}


def test_a_role_that_may_do_all_is_green() -> None:
    assert permissions(case()).level == "green"


def test_what_is_lacking_is_named_with_its_resource_and_granted_by_a_policy_of_its_own() -> None:
    found = permissions(case(without("s3:PutObject", "sqs:SendMessage")))
    assert found.level == "red"
    assert "s3:PutObject on arn:aws:s3:::films/*.torrent" in found.cause
    words = shlex.split(found.mend)
    assert words[:5] == ["aws", "iam", "put-role-policy", "--role-name", "s3torrent"]
    policy = json.loads(words[words.index("--policy-document") + 1])
    assert {one["Resource"]: one["Action"] for one in policy["Statement"]} == {
        "arn:aws:s3:::films/*.torrent": ["s3:PutObject"],
        "arn:aws:s3:::films/.s3torrent/*": ["s3:PutObject"],
        f"arn:aws:sqs:eu-central-1:{ACCOUNT}:s3torrent": ["sqs:SendMessage"],
    }
    other = permissions(case(without("s3:GetObject")))
    names = [
        shlex.split(one.mend)[shlex.split(one.mend).index("--policy-name") + 1] for one in (found, other)
    ]
    assert names[0] != names[1]


def test_what_only_costs_time_is_yellow() -> None:
    assert permissions(case(without("s3:GetObjectAttributes", "s3:DeleteObject"))).level == "yellow"


def test_torrents_that_are_to_be_removed_need_their_right() -> None:
    examined = case(without("s3:DeleteObject"), variables={"TORRENT_ON_DELETE": "remove"})
    assert permissions(examined).level == "red"


def test_a_deny_is_no_matter_of_another_policy() -> None:
    found = permissions(case(without("s3:GetObject", decision="explicitDeny")))
    assert found.level == "red"
    assert "a boundary or the organisation" in found.cause
    assert "put-role-policy" not in found.mend


TRIED = {
    "head_object": {}, "get_item": {}, "put_object": refused("PreconditionFailed", 412),
    "update_item": refused("ConditionalCheckFailedException"),
}  # fmt: skip


def here(told: dict[str, Any], who: str = "user/me") -> Any:
    identity = {"get_caller_identity": {"Arn": f"arn:aws:iam::{ACCOUNT}:{who}"}}
    return case({**TRIED, **identity, **told}, function=None, bucket="films", table="t", sizes=(1,))


def test_without_a_function_what_cannot_succeed_is_tried() -> None:
    examined = here({})
    assert permissions(examined).level == "green"
    asked = dict(examined.clients.asked)
    assert asked["put_object"]["IfMatch"] == '"0"'
    assert "attribute_not_exists(jobId)" in asked["update_item"]["ConditionExpression"]


@pytest.mark.parametrize(
    ("who", "put"),
    [
        ("user/team/me", ["put-user-policy", "--user-name", "me"]),
        ("assumed-role/r/s", ["put-role-policy", "--role-name", "r"]),
    ],
)
def test_what_is_denied_there_is_granted_to_whoever_asks(who: str, put: list[str]) -> None:
    found = permissions(here({"put_object": refused("AccessDenied", 403)}, who))
    assert found.level == "red"
    assert found.cause.endswith("may not s3:PutObject")
    assert shlex.split(found.mend)[2:5] == put
