"""What the function takes of a bucket, what the bucket's policy denies it, and the keys (KMS) in between."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.doctor.bucket import keys
from s3torrent.doctor.denials import bucket_policy
from s3torrent.doctor.encryption import bucket_key, queue_key
from s3torrent.doctor.function import concurrency
from s3torrent.doctor.table import DEFINITION, index
from support.doctoring import ACCOUNT, NAME, QUEUE, REGION, case, refused

if TYPE_CHECKING:
    from s3torrent.doctor.finding import Finding

ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"


def said(found: Finding | None) -> tuple[str, str, str]:
    assert found
    return found.level.value, found.cause, found.mend


class TestKeys:
    @pytest.mark.parametrize(
        ("variables", "gone"),
        [
            ({"TORRENT_EXCLUDE": "*"}, ["TORRENT_EXCLUDE"]),
            ({"TORRENT_EXCLUDE": "**"}, ["TORRENT_EXCLUDE"]),
            (
                {"TORRENT_EXCLUDE": "shows/*", "TORRENT_INCLUDE": "shows/*.mkv,shows/2026/*"},
                ["TORRENT_EXCLUDE"],
            ),
        ],
    )
    def test_patterns_that_leave_out_every_key_are_red_in_an_empty_bucket_too(
        self, variables: dict[str, str], gone: list[str]
    ) -> None:
        level, _, mend = said(keys(case(variables=variables)))
        assert level == "red"
        assert all(f'del(.Variables["{name}"])' in mend for name in gone)

    @pytest.mark.parametrize(
        ("variables", "gone"),
        [
            ({"TORRENT_EXCLUDE": "?.mkv"}, ["TORRENT_EXCLUDE"]),
            ({"TORRENT_INCLUDE": "*.MKV"}, ["TORRENT_INCLUDE"]),
            ({"TORRENT_INCLUDE": "*.mp4", "TORRENT_EXCLUDE": "*.txt"}, ["TORRENT_INCLUDE"]),
            (
                {"TORRENT_INCLUDE": "*.mp4", "TORRENT_EXCLUDE": "[0-9].*"},
                ["TORRENT_EXCLUDE", "TORRENT_INCLUDE"],
            ),
        ],
    )
    def test_patterns_that_take_none_of_the_objects_there_are_are_yellow(
        self, variables: dict[str, str], gone: list[str]
    ) -> None:
        level, cause, mend = said(keys(case(variables=variables, sizes=(1, 2))))
        assert level == "yellow"
        assert "none of the 2 objects looked at is taken, such as s3://films/0.mkv: the key matches" in cause
        assert [name for name in ("TORRENT_EXCLUDE", "TORRENT_INCLUDE") if f'["{name}"]' in mend] == gone

    @pytest.mark.parametrize(
        "variables", [{}, {"TORRENT_INCLUDE": "0*"}, {"TORRENT_EXCLUDE": "0*"}, {"TORRENT_EXCLUDE": "*.txt"}]
    )
    def test_patterns_that_take_some_are_green(self, variables: dict[str, str]) -> None:
        assert said(keys(case(variables=variables, sizes=(1, 2))))[0] == "green"

    def test_nothing_is_said_of_a_bucket_that_holds_none_yet(self) -> None:
        assert said(keys(case(variables={"TORRENT_INCLUDE": "recordings/*"})))[0] == "green"

    def test_another_bucket_than_the_functions_is_red_and_its_own_is_not_cut_off(self) -> None:
        level, cause, mend = said(keys(case(bucket="otherb")))
        assert level == "red"
        assert "S3_BUCKET of function s3torrent is films: it refuses the events of otherb" in cause
        assert mend == "s3torrent doctor --function s3torrent --bucket films"
        assert said(keys(case(bucket="otherb", variables={"S3_BUCKET": ""})))[0] == "green"


def test_a_function_that_is_switched_off_is_red() -> None:
    level, _, mend = said(
        concurrency(case({"get_function_concurrency": {"ReservedConcurrentExecutions": 0}}))
    )
    assert (level, mend) == (
        "red",
        f"aws lambda delete-function-concurrency --function-name {NAME} --region {REGION}",
    )
    one = {"get_function_concurrency": {"ReservedConcurrentExecutions": 1}}
    assert said(concurrency(case(one)))[0] == said(concurrency(case()))[0] == "green"


@pytest.mark.parametrize("kind", ["KEYS_ONLY", "INCLUDE"])
def test_an_index_that_lacks_the_status_is_red_and_made_anew(kind: str) -> None:
    there = {**DEFINITION, "IndexStatus": "ACTIVE", "Projection": {"ProjectionType": kind}}
    level, cause, mend = said(index(case({"describe_table": {"Table": {"GlobalSecondaryIndexes": [there]}}})))
    assert level == "red"
    assert kind in cause
    assert mend.index('{"Delete"') < mend.index("while aws dynamodb describe-table") < mend.index('{"Create"')
    whole = {**there, "Projection": {"ProjectionType": "ALL"}}
    assert said(index(case({"describe_table": {"Table": {"GlobalSecondaryIndexes": [whole]}}})))[0] == "green"


class TestBucketPolicy:
    DENY = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"}  # noqa: RUF012

    def told(self, **change: Any) -> tuple[str, str, str]:
        document = json.dumps({"Statement": [{**self.DENY, **change}]})
        return said(bucket_policy(case({"get_bucket_policy": {"Policy": document}}, sizes=(1, 2))))

    @pytest.mark.parametrize(
        "change",
        [
            {"Resource": "arn:aws:s3:::films/*.torrent"},
            {"Resource": "arn:aws:s3:::films/*", "Principal": {"AWS": ROLE}},
            {"Resource": "*", "Action": "s3:GetObject"},
            {
                "Resource": "*",
                "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
            },
            {"Resource": "*", "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}},
            {
                "Resource": "*",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/admin"}},
            },
        ],
        ids=json.dumps,
    )
    def test_a_deny_of_every_torrent_is_red_and_only_shown(self, change: dict[str, Any]) -> None:
        level, cause, mend = self.told(**change)
        assert level == "red"
        assert "statement No, denies role s3torrent s3:" in cause
        assert mend.startswith("aws s3api get-bucket-policy --bucket films")

    def test_a_deny_of_some_is_yellow(self) -> None:
        level, cause, _ = self.told(Resource="arn:aws:s3:::films/1.mkv.torrent")
        assert (level, "films/1.mkv.torrent" in cause) == ("yellow", True)

    @pytest.mark.parametrize(
        "change",
        [
            {"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}},
            {"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        ],
        ids=json.dumps,
    )
    def test_a_deny_that_cannot_be_judged_is_grey(self, change: dict[str, Any]) -> None:
        level, cause, mend = self.told(Resource="*", **change)
        assert (level, "cannot be told" in cause, bool(mend)) == ("grey", True, True)

    @pytest.mark.parametrize(
        "change",
        [
            {"Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Principal": {"AWS": "arn:aws:iam::1:root"}},
            {"Action": "s3:DeleteBucket"},
            {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}},
        ],
        ids=json.dumps,
    )
    def test_what_denies_others_is_green(self, change: dict[str, Any]) -> None:
        assert self.told(Resource="*", **change)[0] == "green"

    def test_a_bucket_without_a_policy_is_green(self) -> None:
        assert said(bucket_policy(case()))[0] == "green"


DESCRIBED = {"describe_key": {"KeyMetadata": {"Arn": KEY, "KeyManager": "CUSTOMER"}}}
ENCRYPTED = {
    "get_bucket_encryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
            ]
        }
    }
}
BY_ACCOUNT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
BY_ROLE = {**BY_ACCOUNT, "Principal": {"AWS": ROLE}}
BY_S3 = {**BY_ACCOUNT, "Principal": {"Service": "s3.amazonaws.com"}}


def with_key(*statements: dict[str, Any], iam: str = "allowed") -> dict[str, Any]:
    """A key of that policy; ``iam`` is IAM's decision of the role."""

    def decide(**asked: Any) -> dict[str, Any]:
        via = [one for one in asked["ContextEntries"] if one["ContextKeyName"] == "kms:ViaService"]
        assert via[0]["ContextKeyValues"][0].endswith(f".{REGION}.amazonaws.com")
        return {
            "EvaluationResults": [{"EvalActionName": a, "EvalDecision": iam} for a in asked["ActionNames"]]
        }

    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {**DESCRIBED, "get_key_policy": {"Policy": policy}, "simulate_principal_policy": decide}


def in_state(state: str) -> dict[str, Any]:
    """That key, usable by all, in that state of KMS."""
    told = {"Arn": KEY, "KeyManager": "CUSTOMER", "KeyState": state}
    return {**with_key(BY_S3, BY_ACCOUNT), "describe_key": {"KeyMetadata": told}}


STATES = [
    ("Enabled", "green", ""),
    ("Updating", "green", ""),
    ("Disabled", "red", f"aws kms enable-key --key-id {KEY}"),
    ("PendingDeletion", "red", f" && aws kms enable-key --key-id {KEY}"),
    ("PendingImport", "red", f"aws kms describe-key --key-id {KEY}"),
]


class TestBucketKey:
    @pytest.mark.parametrize(
        ("told", "level", "mend"),
        [
            (with_key(BY_ACCOUNT), "green", ""),
            (with_key(BY_ROLE, iam="implicitDeny"), "green", ""),
            (with_key(BY_ACCOUNT, iam="implicitDeny"), "red", "aws iam put-role-policy"),
            (with_key({**BY_ACCOUNT, "Principal": {"AWS": "arn:aws:iam::1:root"}}), "red", "aws kms put-key-policy"),
            (with_key(BY_ACCOUNT, iam="explicitDeny"), "red", "aws iam get-role"),
            (with_key(BY_ACCOUNT, {**BY_ROLE, "Effect": "Deny"}), "red", "aws kms get-key-policy"),
            (with_key(BY_ACCOUNT, {**BY_ROLE, "Effect": "Deny", "Condition": {"IpAddress": {"aws:SourceIp": "::"}}}), "grey", "aws kms get-key-policy"),
            ({**with_key(), "get_key_policy": refused("AccessDeniedException")}, "grey", ""),
            ({**with_key(iam="implicitDeny"), "get_key_policy": refused("AccessDeniedException")}, "grey", "put-role-policy"),
        ],
        ids=["by the account", "by name", "IAM lacks", "policy lacks", "IAM denies", "policy denies", "who knows", "unseen", "unseen and IAM lacks"],
    )  # fmt: skip
    def test_a_key_of_yours_must_be_usable_by_the_role(
        self, told: dict[str, Any], level: str, mend: str
    ) -> None:
        found = said(bucket_key(case({**ENCRYPTED, **told})))
        assert found[0] == level, found
        assert mend in found[2]
        assert bool(mend) == bool(found[2])

    @pytest.mark.parametrize(("state", "level", "mend"), STATES)
    def test_a_key_must_be_in_use(self, state: str, level: str, mend: str) -> None:
        found = said(bucket_key(case({**ENCRYPTED, **in_state(state)})))
        assert (found[0], mend in found[2], bool(found[2])) == (level, True, level == "red"), found
        assert (state in found[1]) == (level == "red")

    def test_the_mend_of_a_policy_keeps_what_is_there(self) -> None:
        theirs = {**BY_ACCOUNT, "Principal": {"AWS": "arn:aws:iam::1:root"}}
        words = shlex.split(said(bucket_key(case({**ENCRYPTED, **with_key(theirs)})))[2])
        after = json.loads(words[words.index("--policy") + 1])["Statement"]
        assert after[0] == theirs
        assert after[1]["Principal"] == {"AWS": ROLE}

    @pytest.mark.parametrize(
        "answer",
        [
            refused("ServerSideEncryptionConfigurationNotFoundError", 404),
            {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}},
        ],
        ids=["none", "AWS's own"],
    )  # fmt: skip
    def test_keys_of_aws_need_no_right(self, answer: Any) -> None:
        assert said(bucket_key(case({"get_bucket_encryption": answer})))[0] == "green"


class TestQueueKey:
    def told(self, key: str, answers: dict[str, Any]) -> tuple[str, str, str]:
        attributes = {"Attributes": {"QueueArn": QUEUE, "KmsMasterKeyId": key}}
        return said(queue_key(case({**answers, "get_queue_attributes": attributes})))

    @pytest.mark.parametrize(
        ("key", "answers"),
        [
            ("alias/aws/sqs", {}),
            (f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/sqs", {}),
            (KEY, {"describe_key": {"KeyMetadata": {"Arn": KEY, "KeyManager": "AWS"}}}),
        ],
    )
    def test_s3_cannot_send_under_awss_own_key(self, key: str, answers: dict[str, Any]) -> None:
        level, _, mend = self.told(key, answers)
        assert level == "red"
        words = shlex.split(mend)
        wanted = {"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"}
        assert json.loads(words[words.index("--attributes") + 1]) == wanted

    @pytest.mark.parametrize(
        ("told", "level", "mend"),
        [
            (with_key(BY_S3, BY_ACCOUNT), "green", ""),
            (with_key(BY_ACCOUNT), "red", "put-key-policy"),
            (with_key(BY_S3, BY_ACCOUNT, iam="implicitDeny"), "red", "put-role-policy"),
            (with_key(BY_S3, {**BY_S3, "Effect": "Deny"}), "red", "get-key-policy"),
        ],
        ids=["both may", "S3 may not", "the role may not", "denied"],
    )
    def test_s3_and_the_role_must_be_let_use_a_key_of_yours(
        self, told: dict[str, Any], level: str, mend: str
    ) -> None:
        found = self.told(KEY, told)
        assert found[0] == level, found
        assert mend in found[2]

    @pytest.mark.parametrize(("state", "level", "mend"), STATES)
    def test_a_key_must_be_in_use(self, state: str, level: str, mend: str) -> None:
        found = self.told(KEY, in_state(state))
        assert (found[0], mend in found[2], bool(found[2])) == (level, True, level == "red"), found
        assert (state in found[1]) == (level == "red")

    def test_a_queue_without_a_key_is_green(self) -> None:
        assert said(queue_key(case()))[0] == "green"
