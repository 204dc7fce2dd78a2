"""KMS keys in the way: that of the bucket, under which torrents are written, and that of the queue."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import Absent, Unseen, ask, ask_or_unset
from s3torrent.doctor.finding import green, grey, red
from s3torrent.doctor.mend import OURS, aws, both, compact, set_attributes
from s3torrent.doctor.permissions import grant, role_as_caller, simulated
from s3torrent.doctor.policy import Caller, Decision, Effect, Request, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
USABLE = ("Enabled", "Updating")
AWS_OWN = "alias/aws/"
NO_DEFAULT = "ServerSideEncryptionConfigurationNotFoundError"


def bucket_key(case: Case) -> Finding | None:
    """Whether the role may use the key by which the bucket encrypts what is put into it."""
    if case.function is None:
        return None
    key = _of_bucket(case)
    if not key or AWS_OWN in key:
        return green("what is written needs no key of yours")
    described = _described(case, key)
    arn = str(described["Arn"])
    told = f"bucket {case.bucket} is encrypted by key {arn}"
    return _out_of_use(case, described, told) or _usable_by_role(case, arn, "s3", told)


def _of_bucket(case: Case) -> str:
    """Its default key, "" where S3's own is used."""
    call, about = case.client("s3").get_bucket_encryption, f"bucket {case.bucket}"
    answer = ask_or_unset(NO_DEFAULT, "s3:GetEncryptionConfiguration", about, call, Bucket=case.bucket)
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    found = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    return next((str(one["KMSMasterKeyID"]) for one in found if one.get("KMSMasterKeyID")), "")


def queue_key(case: Case) -> Finding | None:
    """Whether S3 may encrypt what it sends to the queue, and the role decrypt it."""
    if case.queue_url is None:
        return None
    key = case.queue.get("KmsMasterKeyId", "")
    if not key:
        return green("S3 needs no key to send")
    told = f"queue {case.queue_name} is encrypted by {key}"
    described = {} if AWS_OWN in key else _described(case, key)
    if AWS_OWN in key or described.get("KeyManager") == "AWS":
        own = {"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"}
        cause = f"{told}, AWS's own key, which S3 may not use: no event arrives"
        return red(cause, set_attributes(case, case.queue_url, own))
    arn = str(described["Arn"])
    return _out_of_use(case, described, told) or _usable_by_s3(case, arn, told)


def _usable_by_s3(case: Case, arn: str, told: str) -> Finding:
    """And by the role, which reads what S3 sent."""
    found = _decided(case, arn, Caller.service("s3.amazonaws.com"), {"aws:sourceaccount": _account(case)})
    if found.effect is Effect.UNSAID:
        return red(f"{told}, whose policy does not let S3 use it", _let(case, arn, "s3.amazonaws.com"))
    if found.effect is not Effect.ALLOWED:
        return _not_ours(case, arn, told, found, "S3")
    return _usable_by_role(case, arn, "sqs", told) if case.function else green(told)


def _out_of_use(case: Case, described: Mapping[str, Any], told: str) -> Finding | None:
    """A key that nobody can use, by its state.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    arn, state = str(described["Arn"]), described.get("KeyState", "Enabled")
    if state in USABLE:
        return None
    enable = aws(case, "kms", "enable-key", "--key-id", arn)
    mends = {
        "Disabled": enable,
        "PendingDeletion": both(aws(case, "kms", "cancel-key-deletion", "--key-id", arn), enable),
    }
    show = aws(case, "kms", "describe-key", "--key-id", arn)
    return red(f"{told}, which is {state}: nothing can be encrypted or read by it", mends.get(state, show))


def _usable_by_role(case: Case, arn: str, service: str, told: str) -> Finding:
    """IAM's word counts where the key's policy leaves it to the account."""
    role = str(case.configuration["Role"])
    via = f"{service}.{case.region}.{'amazonaws.com.cn' if ':aws-cn:' in arn else 'amazonaws.com'}"
    context = {"kms:viaservice": via, "kms:calleraccount": _account(case)}
    decisions = simulated(case, role, ACTIONS, arn, {"kms:ViaService": via})
    lacking = [action for action, decision in decisions.items() if decision != "allowed"]
    allow = grant(case, role, {arn: lacking})
    try:
        whole = _decided(case, arn, role_as_caller(role), context)
        alone = _decided(case, arn, Caller("AWS", frozenset([role])), context)
    except Unseen as why:
        cause = f"{told}; whether role {_name(role)} may use it cannot be told: {why}"
        return grey(cause, allow if lacking else "")
    if "explicitDeny" in decisions.values():
        cause = f"{told}, and role {_name(role)} is denied {', '.join(lacking)} by a policy of its own"
        return red(cause, aws(case, "iam", "get-role", "--role-name", _name(role)))
    if whole.effect is Effect.UNSAID:
        return red(f"{told}, whose policy does not let role {_name(role)} use it", _let(case, arn, role))
    if whole.effect is not Effect.ALLOWED:
        return _not_ours(case, arn, told, whole, f"role {_name(role)}")
    if lacking and alone.effect is not Effect.ALLOWED:
        return red(f"{told}; role {_name(role)} may not {', '.join(lacking)} with it", allow)
    return green(told)


def _not_ours(case: Case, arn: str, told: str, found: Decision, who: str) -> Finding:
    """A Deny of somebody's: shown, not taken out."""
    show = aws(case, "kms", "get-key-policy", "--key-id", arn, "--policy-name", "default")
    if found.effect is Effect.DENIED:
        return red(f"{told}, and {found.named} of its policy denies {who} its use", show)
    return grey(f"{told}, and whether {found.named} of its policy denies {who} its use cannot be told", show)


def _described(case: Case, key: str) -> dict[str, Any]:
    call = case.client("kms").describe_key
    try:
        return dict(ask("kms:DescribeKey", f"key {key}", call, KeyId=key)["KeyMetadata"])
    except Absent:
        raise Unseen(f"key {key} does not exist, or is another account's") from None


def _policy(case: Case, arn: str) -> str:
    call = case.client("kms").get_key_policy
    return str(ask("kms:GetKeyPolicy", f"key {arn}", call, KeyId=arn, PolicyName="default")["Policy"])


def _decided(case: Case, arn: str, caller: Caller, context: Mapping[str, str | None]) -> Decision:
    """For both actions: the worse of the two."""
    order = (Effect.DENIED, Effect.UNSAID, Effect.UNKNOWN, Effect.ALLOWED)
    policy = _policy(case, arn)
    found = [decide(policy, Request(caller, action, arn, context)) for action in ACTIONS]
    return min(found, key=lambda one: order.index(one.effect))


def _let(case: Case, arn: str, who: str) -> str:
    """The key's policy as it is, and a statement that lets a service or a role use it."""
    principal = {"AWS": who} if who.startswith("arn:") else {"Service": who}
    statement: dict[str, Any] = {
        "Sid": f"{OURS}{hashlib.sha256(who.encode()).hexdigest()[:12]}",
        "Effect": "Allow", "Principal": principal, "Action": list(ACTIONS), "Resource": "*",
    }  # fmt: skip
    if "Service" in principal:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": _account(case)}}
    there = json.loads(_policy(case, arn))
    listed = there["Statement"] if isinstance(there["Statement"], list) else [there["Statement"]]
    policy = compact({**there, "Statement": [*listed, statement]})
    words = ("kms", "put-key-policy", "--key-id", arn, "--policy-name", "default", "--policy", policy)
    return aws(case, *words)


def _account(case: Case) -> str:
    return str(case.identity.get("Account", ""))


def _name(role: str) -> str:
    return role.rpartition("/")[2]
