"""The work itself: what is stuck, what failed, what hashes the largest objects."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from s3torrent.doctor.asking import Absent, ask
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import aws, command, compact, terraform
from s3torrent.status.base import FAILED

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding
    from s3torrent.status.base import StatusItem

LONG = timedelta(hours=1)


def stuck(case: Case) -> Finding:
    """In work, and nobody has been at it for an hour."""
    before = case.now() - LONG
    found = [item for item in case.newest if (end := item.worked_on_until) is not None and end < before]
    if not found:
        return green(f"none of the newest {len(case.newest):,} status items")
    item = found[-1]
    told = f"{len(found):,} in work whose worker has been silent for over an hour, such as {item.job_id}"
    return yellow(told, _again(case, item))


def failed(case: Case) -> Finding:
    found = [item for item in case.newest if item.status == FAILED]
    if not found:
        return green(f"none of the newest {len(case.newest):,} status items")
    item = found[0]
    error = item.get("error")
    said = f"{error.get('type')}: {error.get('message')}" if isinstance(error, dict) else item.get("reason")
    told = (
        f"{len(found):,} of the newest {len(case.newest):,}; the last is {item.job_id}: {said or 'no reason'}"
    )
    return yellow(told, _again(case, *found) if len(found) == 1 else _all_again(case, item))


def _again(case: Case, item: StatusItem) -> str:
    """The event once more, as a direct call."""
    bucket, key = item.get("bucket"), item.get("key")
    if case.function is None or not bucket or not key:
        return _all_again(case, item)
    body = compact({"bucket": bucket, "key": key})
    if case.queue_url:
        return aws(case, "sqs", "send-message", "--queue-url", case.queue_url, "--message-body", body)
    words = ("lambda", "invoke", "--function-name", case.function, "--invocation-type", "Event")
    return aws(case, *words, "--payload", body, "/dev/null")


def _all_again(case: Case, item: StatusItem) -> str:
    place = f"s3://{item.get('bucket') or case.bucket}/"
    if case.queue_url:
        return command("s3torrent", "backfill", place, "--queue", case.queue_url)
    return command("s3torrent", "audit", place, "--repair")


def fanout(case: Case) -> Finding | None:
    """The state machine, where one is set."""
    if case.function is None:
        return None
    arn = case.settings.state_machine
    if not arn:
        return green("no state machine is set, and none is needed")
    mend = terraform("fanout_enabled", value=True)
    call = case.client("stepfunctions").describe_state_machine
    try:
        found = ask("states:DescribeStateMachine", arn, call, stateMachineArn=arn)
    except Absent:
        return red(f"state machine {arn} does not exist", mend)
    if found.get("status") != "ACTIVE":
        return red(f"state machine {arn} is {found.get('status')}", mend)
    if case.function_arn not in str(found.get("definition", "")):
        return red(f"state machine {arn} calls another function than {case.function_arn}", mend)
    return green(arn)
