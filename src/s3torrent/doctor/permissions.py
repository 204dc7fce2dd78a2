"""What the function's role may do: simulated by IAM; without a function, tried where it does no harm."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import Absent, Other, Refused, Unreachable, Unseen, ask
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import aws, compact
from s3torrent.doctor.policy import Caller
from s3torrent.doctor.table import own_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

NEVER_THERE = "s3torrent-doctor/never-there"
OPTIONAL = {"s3:GetObjectAttributes", "s3:GetObjectVersionAttributes", "s3:DeleteObject"}
"""Without them more is read than need be, and checkpoints stay until the bucket's lifecycle rule comes."""


QUEUE_ACTIONS = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
)


@dataclass(frozen=True, slots=True)
class Need:
    """``example`` is one resource of ``resource``, a pattern."""

    actions: tuple[str, ...]
    resource: str
    example: str


def needs(case: Case) -> Iterator[Need]:
    """As terraform/backend/iam.tf allows them; a test compares."""
    settings = case.settings
    partition, region, account = case.function_arn.split(":")[1], case.region, case.function_arn.split(":")[4]
    here = f"{region}:{account}"
    bucket = f"arn:{partition}:s3:::{case.bucket}"
    read = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes")
    yield Need(read, f"{bucket}/*", f"{bucket}/{NEVER_THERE}")
    torrents, own = Need(("s3:PutObject",), f"{bucket}/*.torrent", f"{bucket}/{NEVER_THERE}.torrent"), None
    yield torrents
    if settings.control_prefix:
        own = f"{bucket}/{settings.control_prefix}"
        yield Need(("s3:PutObject", "s3:DeleteObject"), f"{own}*", f"{own}{NEVER_THERE}")
    if settings.on_delete == "remove":
        yield Need(("s3:DeleteObject",), torrents.resource, torrents.example)
    if settings.on_delete == "remove" or settings.prefix_rules:
        yield Need(("s3:ListBucket",), bucket, bucket)
    table = f"arn:{partition}:dynamodb:{here}:table/{own_table(case)}"
    yield Need(("dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:UpdateItem"), table, table)
    if case.queue_url:
        arn = case.queue["QueueArn"]
        yield Need(QUEUE_ACTIONS, arn, arn)
    group = f"arn:{partition}:logs:{here}:log-group:/aws/lambda/{case.function}:log-stream:"
    yield Need(("logs:CreateLogStream", "logs:PutLogEvents"), f"{group}*", f"{group}{NEVER_THERE}")
    if case.setting("TORRENT_CATALOG"):
        yield from _of_catalogue(case.setting("TORRENT_CATALOG"), partition, table)
    if settings.state_machine:
        yield Need(("states:StartExecution",), settings.state_machine, settings.state_machine)


def _of_catalogue(place: str, partition: str, table: str) -> Iterator[Need]:
    path = f"arn:{partition}:s3:::{place.removeprefix('s3://').rstrip('/')}"
    actions = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    yield Need(actions, f"{path}/*", f"{path}/{NEVER_THERE}")
    bucket = path.partition("/")[0]
    yield Need(("s3:ListBucket",), bucket, bucket)
    index = f"{table}/index/status-updatedAt"
    yield Need(("dynamodb:Query",), index, index)
    yield Need(("dynamodb:Scan",), table, table)


def permissions(case: Case) -> Finding:
    return _tried(case) if case.function is None else _simulated(case)


def _simulated(case: Case) -> Finding:
    role = str(case.configuration["Role"])
    lacking: dict[str, list[str]] = {}
    forbidden = []
    for need in needs(case):
        for action, decision in simulated(case, role, need.actions, need.example).items():
            if decision != "allowed":
                lacking.setdefault(need.resource, []).append(action)
            if decision == "explicitDeny":
                forbidden.append(action)
    name = role.rpartition("/")[2]
    if not lacking:
        return green(f"role {name} may do all that the function does")
    told = "; ".join(f"{', '.join(actions)} on {resource}" for resource, actions in lacking.items())
    if forbidden:
        cause = f"role {name} is denied {', '.join(forbidden)} by a policy, a boundary or the organisation"
        return red(f"{cause}; it lacks {told}", aws(case, "iam", "get-role", "--role-name", name))
    mend = grant(case, role, lacking)
    needed = {action for actions in lacking.values() for action in actions} - OPTIONAL
    if case.setting("TORRENT_ON_DELETE") == "remove" and any(r.endswith(".torrent") for r in lacking):
        needed |= {"s3:DeleteObject"}
    cause = f"role {name} may not {told}"
    return red(cause, mend) if needed else yellow(cause, mend)


def grant(case: Case, role: str, lacking: Mapping[str, list[str]]) -> str:
    """A policy of its own for the role with what is ``lacking``: actions by resource."""
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": resource} for resource, actions in lacking.items()
    ]
    policy = compact({"Version": "2012-10-17", "Statement": statements})
    # Named after its content: it replaces no policy but the same.
    policy_name = f"s3torrent-doctor-{hashlib.sha256(policy.encode()).hexdigest()[:8]}"
    words = ("iam", "put-role-policy", "--role-name", role.rpartition("/")[2], "--policy-name", policy_name)
    return aws(case, *words, "--policy-document", policy)


def simulated(
    case: Case, role: str, actions: Iterable[str], resource: str, context: Mapping[str, str] | None = None
) -> dict[str, str]:
    """IAM's decision by action. ``context``: condition keys of the request."""
    given = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in (context or {}).items()
    ]
    answer = ask(
        "iam:SimulatePrincipalPolicy",
        role,
        case.client("iam").simulate_principal_policy,
        PolicySourceArn=role,
        ActionNames=list(actions),
        ResourceArns=[resource],
        **({"ContextEntries": given} if given else {}),
    )
    return {str(one["EvalActionName"]): str(one["EvalDecision"]) for one in answer["EvaluationResults"]}


def role_as_caller(role: str) -> Caller:
    """As the policy of a resource may name it: itself, its account, its sessions."""
    partition, account, name = role.split(":")[1], role.split(":")[4], role.rpartition("/")[2]
    root = f"arn:{partition}:iam::{account}:root"
    session = f"arn:{partition}:sts::{account}:assumed-role/{name}/"
    return Caller("AWS", frozenset([role, root, account]), session)


# --- whoever asks


def _tried(case: Case) -> Finding:
    """Requests that cannot change anything, with the credentials of this machine."""
    denied = [action for action, trial in _trials(case) if not _allowed(trial)]
    if denied:
        who = str(case.identity.get("Arn"))
        return red(f"{who} may not {', '.join(denied)}", _grant(case, who, denied))
    return green("what was tried is allowed")


def _trials(case: Case) -> Iterator[tuple[str, Callable[[], Any]]]:
    s3, dynamodb = case.client("s3"), case.client("dynamodb")
    largest = case.largest
    if largest is not None:
        where = {"Bucket": case.bucket, "Key": largest.ref.key}
        yield "s3:GetObject", lambda: ask("s3:GetObject", str(largest.ref), s3.head_object, **where)
    # If-Match where nothing lies: 404 if it is allowed, and never written.
    key = {"Bucket": case.bucket, "Key": f"{case.settings.control_prefix}{NEVER_THERE}"}
    yield (
        "s3:PutObject",
        lambda: ask("s3:PutObject", case.bucket, s3.put_object, Body=b"", IfMatch='"0"', **key),
    )
    if not case.names_table:
        return
    item = {"TableName": case.table, "Key": {"jobId": {"S": NEVER_THERE}}}
    yield "dynamodb:GetItem", lambda: ask("dynamodb:GetItem", case.table, dynamodb.get_item, **item)
    never = {
        "UpdateExpression": "SET touched = :no",
        "ConditionExpression": "attribute_exists(jobId) AND attribute_not_exists(jobId)",
        "ExpressionAttributeValues": {":no": {"S": "no"}},
    }
    yield (
        "dynamodb:UpdateItem",
        lambda: ask("dynamodb:UpdateItem", case.table, dynamodb.update_item, **item, **never),
    )


def _allowed(trial: Callable[[], Any]) -> bool:
    try:
        trial()
    except (Refused, Unreachable):
        raise
    except (Absent, Other):  # a condition that did not hold: asked and answered
        return True
    except Unseen:
        return False
    return True


def _grant(case: Case, who: str, denied: list[str]) -> str:
    on = {
        "s3": f"arn:aws:s3:::{case.bucket}/*",
        "dynamodb": f"arn:aws:dynamodb:{case.region}:*:table/{case.setting('DDB_TABLE') or '*'}",
    }
    statements = [{"Effect": "Allow", "Action": one, "Resource": on[one.partition(":")[0]]} for one in denied]
    policy = compact({"Version": "2012-10-17", "Statement": statements})
    kind, _, name = who.rpartition(":")[2].partition("/")
    if kind == "assumed-role":
        role = name.partition("/")[0]
        put = ("iam", "put-role-policy", "--role-name", role)
    else:
        put = ("iam", "put-user-policy", "--user-name", name.rpartition("/")[2] or "NAME")
    return aws(case, *put, "--policy-name", "s3torrent-doctor", "--policy-document", policy)
