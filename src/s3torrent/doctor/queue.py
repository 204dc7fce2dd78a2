"""The queue between bucket and function, its dead letters, and what reads it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from s3torrent.doctor import sending
from s3torrent.doctor.asking import Absent, Unseen, ask
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import (
    RECEIVES,
    VISIBILITY_PER_TIMEOUT,
    aws,
    both,
    command,
    compact,
    set_attributes,
)
from s3torrent.doctor.route import planned_queue, read_queue

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

FEW_RECEIVES, MANY_RECEIVES = 3, 100
PARTIAL = "ReportBatchItemFailures"
DAYS_BACK = 14
"""A dead letter is kept so long at most, from when it was first sent."""


def queue(case: Case) -> Finding | None:
    if case.function is None and case.queue_url is None:
        return None
    if case.queue_url is None:
        return _without(case)
    try:
        waiting = case.queue.get("ApproximateNumberOfMessages", "0")
    except Absent:
        return red(f"queue {case.queue_name} does not exist", _make(case, case.queue_name))
    return green(f"{case.queue_name} is there; {int(waiting):,} messages wait")


def _without(case: Case) -> Finding:
    """There is none: because none is needed, because it is gone, or not yet."""
    arn = planned_queue(case)
    if arn is None:
        return green("none: the function is called without one")
    name = arn.rpartition(":")[2]
    if read_queue(case):
        cause = f"function {case.function} reads queue {name}, which does not exist"
    else:
        cause = f"there is no queue {name}, and function {case.function} reads none"
    return red(cause, _make(case, name, Policy=sending.first_policy(case, arn)))


def _make(case: Case, name: str, **more: str) -> str:
    attributes = {"VisibilityTimeout": str(VISIBILITY_PER_TIMEOUT * _timeout(case)), **more}
    words = ("sqs", "create-queue", "--queue-name", name, "--attributes", compact(attributes))
    return aws(case, *words)


def _timeout(case: Case) -> int:
    """The function's, in seconds; its largest, where it is not known."""
    try:
        return int(case.configuration.get("Timeout", 900))
    except Unseen:
        return 900


def visibility(case: Case) -> Finding | None:
    """A message that becomes visible while it is worked on is worked on twice."""
    if case.function is None or case.queue_url is None:
        return None
    there, timeout = int(case.queue.get("VisibilityTimeout", "30")), _timeout(case)
    wanted = VISIBILITY_PER_TIMEOUT * timeout
    if there >= wanted:
        return green(f"{there:,} s, {VISIBILITY_PER_TIMEOUT} times the function's timeout or more")
    mend = set_attributes(case, str(case.queue_url), {"VisibilityTimeout": str(wanted)})
    cause = (
        f"messages of queue {case.queue_name} come back after {there:,} s; expected {wanted:,} s or more, "
    )
    cause += f"{VISIBILITY_PER_TIMEOUT} times the function's timeout of {timeout:,} s"
    return red(cause, mend) if there < timeout else yellow(cause, mend)


def redrive(case: Case) -> Finding | None:
    """Where messages go that fail again and again."""
    if case.queue_url is None:
        return None
    try:
        there = json.loads(case.queue.get("RedrivePolicy") or "{}")
        target, receives = str(there["deadLetterTargetArn"]), int(there["maxReceiveCount"])
    except (ValueError, KeyError):
        cause = f"queue {case.queue_name} has no dead-letter queue: what fails for good is lost"
        return red(cause, _redriven(case, f"{case.queue_name}-dlq"))
    name = target.rpartition(":")[2]
    try:
        case.url_of(name)
    except Absent:
        cause = f"dead-letter queue {name} of queue {case.queue_name} does not exist"
        return red(cause, _redriven(case, name))
    if FEW_RECEIVES <= receives <= MANY_RECEIVES:
        return green(f"after {receives} tries to {name}")
    cause = (
        f"a message is given up after {receives} {'try' if receives == 1 else 'tries'}; expected {RECEIVES}"
    )
    return yellow(cause, _redriven(case, name))


def _redriven(case: Case, name: str) -> str:
    """To the queue of that name, made where it is missing."""
    arn = f"{case.queue['QueueArn'].rpartition(':')[0]}:{name}"
    policy = compact({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES})
    attach = set_attributes(case, str(case.queue_url), {"RedrivePolicy": policy})
    try:
        case.url_of(name)
    except Unseen:
        keep = compact({"MessageRetentionPeriod": str(DAYS_BACK * 86400)})
        make = aws(case, "sqs", "create-queue", "--queue-name", name, "--attributes", keep)
        return both(make, attach)
    return attach


def dead_letters(case: Case) -> Finding | None:
    if case.queue_url is None:
        return None
    url = case.dead_letter_url
    found = int(case.attributes_of(url).get("ApproximateNumberOfMessages", "0"))
    name = url.rpartition("/")[2]
    if not found:
        return green(f"{name} is empty")
    age = _age(case, name)
    told = f"{found:,} message{'' if found == 1 else 's'} in {name}, the oldest {age}"
    return yellow(told, command("s3torrent", "redrive", str(case.queue_url)))


def _age(case: Case, name: str) -> str:
    """By CloudWatch: to receive one would change its count."""
    now = case.now()
    try:
        answer = ask(
            "cloudwatch:GetMetricStatistics",
            f"queue {name}",
            case.client("cloudwatch").get_metric_statistics,
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": name}],
            StartTime=now - timedelta(hours=1),
            EndTime=now,
            Period=300,
            Statistics=["Maximum"],
        )
    except Unseen:
        return "of unknown age"
    points = sorted(answer.get("Datapoints", []), key=lambda point: point["Timestamp"])
    if not points:
        return "of unknown age"
    return f"{timedelta(seconds=round(points[-1]['Maximum']))} old"


def mapping(case: Case) -> Finding | None:
    """Whether the function reads the queue, and tells which messages failed."""
    if case.function is None or case.queue_url is None:
        return None
    arn = case.queue["QueueArn"]
    ours = [one for one in case.mappings if one.get("EventSourceArn") == arn]
    if not ours:
        others = sorted(str(one.get("EventSourceArn")) for one in case.mappings)
        told = f"; it reads {', '.join(others)}" if others else ""
        cause = f"function {case.function} does not read queue {case.queue_name}{told}"
        return red(cause, _read(case, arn))
    one = ours[0]
    change = ("lambda", "update-event-source-mapping", "--uuid", str(one["UUID"]))
    if PARTIAL not in one.get("FunctionResponseTypes", []):
        cause = f"the mapping of queue {case.queue_name} lacks {PARTIAL}: messages that failed are lost"
        enabled = [] if _enabled(one) else ["--enabled"]
        return red(cause, aws(case, *change, "--function-response-types", PARTIAL, *enabled))
    if not _enabled(one):
        cause = f"the mapping of queue {case.queue_name} is {one.get('State')}"
        return red(cause, aws(case, *change, "--enabled"))
    if one.get("FilterCriteria", {}).get("Filters"):
        cause = f"the mapping of queue {case.queue_name} has a filter: what does not pass it is deleted"
        return yellow(cause, aws(case, *change, "--filter-criteria", "{}"))
    return green(f"{case.queue_name}, {one.get('State')}")


def _read(case: Case, arn: str) -> str:
    """Have the function read the queue."""
    words = ("lambda", "create-event-source-mapping", "--function-name", str(case.function))
    how = ("--event-source-arn", arn, "--batch-size", "1", "--function-response-types", PARTIAL)
    return aws(case, *words, *how)


def _enabled(mapping: dict[str, Any]) -> bool:
    return mapping.get("State") in ("Enabled", "Enabling", "Creating", "Updating")
