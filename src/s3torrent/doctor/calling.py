"""Whether the function lets those call it that really do: the bucket, a topic or a rule."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from s3torrent.doctor.finding import green, grey, red
from s3torrent.doctor.mend import aws, both
from s3torrent.doctor.policy import Caller, Effect, Request, decide
from s3torrent.doctor.route import policy_of, to_function

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding
    from s3torrent.doctor.route import Sender


def invoke(case: Case) -> Finding | None:
    senders = to_function(case).senders(case)
    if not senders:
        return None
    there = policy_of(case)
    decided = [(one, decide(there, _request(case, one))) for one in senders]
    show = aws(case, "lambda", "get-policy", "--function-name", str(case.function))
    told = f"the policy of function {case.function}, statement"
    for one, found in decided:
        if found.effect is Effect.DENIED:
            return red(f"{told} {found.named}, denies {one.name} to call it for {one.what}", show)
    lacking = [one for one, found in decided if found.effect is Effect.UNSAID]
    if lacking:
        who = ", nor ".join(f"{one.name} call it for {one.what}" for one in lacking)
        cause = f"function {case.function} does not let {who}"
        return red(cause, both(*(_allow(case, one) for one in lacking)))
    for one, found in decided:
        if found.effect is Effect.UNKNOWN:
            cause = f"{told} {found.named}, may deny {one.name} to call it for {one.what}"
            return grey(f"{cause}: that cannot be told", show)
    return green(
        "; ".join(f"{one.name} may call it for {one.what.removeprefix('bucket ')}" for one in senders)
    )


def _request(case: Case, sender: Sender) -> Request:
    caller = Caller.service(sender.principal)
    return Request(caller, "lambda:InvokeFunction", case.function_arn, sender.context)


def _allow(case: Case, sender: Sender) -> str:
    """Lambda refuses a second statement of the same name."""
    ours = f"{sender.account}/{case.bucket}" if sender.service == "s3" else sender.source
    sid = f"s3torrent-doctor-{hashlib.sha256(ours.encode()).hexdigest()[:12]}"
    words = ("lambda", "add-permission", "--function-name", str(case.function), "--statement-id", sid)
    what = ("--action", "lambda:InvokeFunction", "--principal", sender.principal)
    # A bucket's ARN names no account.
    whose = ("--source-account", sender.account) if sender.service == "s3" else ()
    return aws(case, *words, *what, "--source-arn", sender.source, *whose)
