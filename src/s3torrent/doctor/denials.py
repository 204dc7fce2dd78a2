"""What the bucket's own policy denies the function's role: IAM's simulation does not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.doctor.asking import ask_or_unset
from s3torrent.doctor.finding import green, grey, red, yellow
from s3torrent.doctor.mend import aws
from s3torrent.doctor.permissions import OPTIONAL, needs, role_as_caller
from s3torrent.doctor.policy import Effect, Request, decide, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

NO_POLICY = "NoSuchBucketPolicy"
MOST_KEYS = 1000
"""Of those listed, against which the Denies are held."""


def bucket_policy(case: Case) -> Finding | None:
    if case.function is None:
        return None
    policy = _policy(case)
    denies = [one for one in statements(policy) if one.get("Effect") == "Deny"]
    if not denies:
        return green(f"the policy of {case.bucket} denies nothing" if policy else f"{case.bucket} has none")
    show = aws(case, "s3api", "get-bucket-policy", "--bucket", case.bucket, "--query", "Policy")
    name = str(case.configuration["Role"]).rpartition("/")[2]
    told = f"the policy of bucket {case.bucket}"
    in_part, unknown = "", ""
    for request, anywhere in _requests(case):
        found = decide(policy, request)
        cause = f"{told}, statement {found.named}, denies role {name} {request.action} on {request.resource}"
        if found.effect is Effect.DENIED and anywhere:
            return red(cause, show)
        if found.effect is Effect.DENIED:
            in_part = in_part or cause
        elif found.by:
            unknown = unknown or f"whether {cause} cannot be told: a condition that is not known from here"
    if in_part:
        return yellow(in_part, show)
    return grey(unknown, show) if unknown else green(f"{told} denies the role nothing that it needs")


def _policy(case: Case) -> str:
    """Its JSON, "" where it has none."""
    call = case.client("s3").get_bucket_policy
    answer = ask_or_unset(NO_POLICY, "s3:GetBucketPolicy", f"bucket {case.bucket}", call, Bucket=case.bucket)
    return str(answer.get("Policy", ""))


def _requests(case: Case) -> Iterator[tuple[Request, bool]]:
    """Those that the function makes; True where the key stands for any."""
    role = str(case.configuration["Role"])
    secure = not case.setting("AWS_ENDPOINT_URL").startswith("http:")
    context: dict[str, str | None] = {
        "aws:securetransport": str(secure).lower(),
        "aws:principalarn": role,
        "aws:principalaccount": role.split(":")[4],
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
        # What it writes says nothing of these.
        "s3:x-amz-server-side-encryption": None,
        "s3:x-amz-server-side-encryption-aws-kms-key-id": None,
        "s3:x-amz-acl": None,
    }
    caller = role_as_caller(role)
    bucket = f"arn:{role.split(':')[1]}:s3:::{case.bucket}"
    for need in needs(case):
        if need.resource.split("/")[0] == bucket:
            for action in sorted({*need.actions} - OPTIONAL):
                yield Request(caller, action, need.example, context), True
    for one in case.listed[:MOST_KEYS]:
        if case.left_out(case.settings, one.ref) is None:
            yield Request(caller, "s3:GetObject", f"{bucket}/{one.ref.key}", context), False
            yield Request(caller, "s3:PutObject", f"{bucket}/{one.ref.key}.torrent", context), False
