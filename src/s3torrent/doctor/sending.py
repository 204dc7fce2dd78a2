"""Whether the queue lets those send to it that the bucket's events come by."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import Unseen
from s3torrent.doctor.finding import green, grey, red
from s3torrent.doctor.mend import OURS, aws, compact, set_attributes
from s3torrent.doctor.policy import Caller, Effect, Request, decide, statements
from s3torrent.doctor.route import Sender, s3, to_function, to_queue

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding


def policy(case: Case) -> Finding | None:
    """Of all that send, or of S3 where nothing delivers yet."""
    if case.queue_url is None:
        return None
    senders = to_queue(case).senders(case)
    if not senders and to_function(case):
        return green("nothing sends to it: the function is called without it")
    senders = senders or [s3(case)]
    arn, there = case.queue["QueueArn"], case.queue.get("Policy", "")
    told = f"the policy of queue {case.queue_name}"
    show = ("sqs", "get-queue-attributes", "--queue-url", case.queue_url, "--attribute-names", "Policy")
    decided = [(one, decide(there, _request(one, arn))) for one in senders]
    for one, found in decided:
        if found.effect is Effect.DENIED:  # no statement of ours denies: it is somebody's, and on purpose
            cause = f"{told}, statement {found.named}, denies {one.name} to send for {one.what}"
            return red(f"{cause}; an Allow beside it would change nothing", aws(case, *show))
    lacking = [one for one, found in decided if found.effect is Effect.UNSAID]
    if lacking:
        for one in lacking:
            there = compact(_with(there, _statement(one, arn)))
        who = ", nor ".join(f"{one.name} send for {one.what}" for one in lacking)
        return red(f"{told} does not let {who}", set_attributes(case, case.queue_url, {"Policy": there}))
    for one, found in decided:
        if found.effect is Effect.UNKNOWN:
            cause = f"whether {told}, statement {found.named}, denies {one.name} to send for {one.what} "
            return grey(f"{cause}cannot be told: a condition that is not known from here", aws(case, *show))
    return green("; ".join(f"{one.name} may send for {one.what.removeprefix('bucket ')}" for one in senders))


def first_policy(case: Case, arn: str) -> str:
    """Of a queue that is to be made: S3 takes no notification to one that does not let it send."""
    senders, there = list[Sender](), ""
    with suppress(Unseen):
        senders = to_queue(case).senders(case)
    for one in senders or [s3(case)]:
        there = compact(_with(there, _statement(one, arn)))
    return there


def _request(sender: Sender, queue: str) -> Request:
    return Request(Caller.service(sender.principal), "sqs:SendMessage", queue, sender.context)


def _statement(sender: Sender, queue: str) -> dict[str, Any]:
    condition = {"ArnEquals": {"aws:SourceArn": sender.source}}
    if sender.service == "s3":  # a bucket's ARN names no account
        condition["StringEquals"] = {"aws:SourceAccount": sender.account}
    return {
        "Effect": "Allow",
        "Principal": {"Service": sender.principal},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": condition,
    }


def _with(there: str, statement: dict[str, Any]) -> dict[str, Any]:
    """The policy with all that is in it, and ours, whose Sid is that of its content."""
    try:
        found = dict(json.loads(there or "{}"))
    except ValueError:
        found = {}
    sid = f"{OURS}{hashlib.sha256(compact(statement).encode()).hexdigest()[:12]}"
    taken = {one.get("Sid") for one in statements(there)}
    while sid in taken:  # somebody changed what stood under it
        sid += "x"
    listed = found.get("Statement", [])
    kept = listed if isinstance(listed, list) else [listed]
    return {"Version": "2012-10-17", **found, "Statement": [*kept, {"Sid": sid, **statement}]}
