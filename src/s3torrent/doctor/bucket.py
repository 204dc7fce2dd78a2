"""The bucket, and whether it tells of what happens in it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import Absent, Unseen, ask
from s3torrent.doctor.finding import green, red, yellow
from s3torrent.doctor.mend import OURS, aws, command, compact
from s3torrent.doctor.queue import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding

CREATED = "s3:ObjectCreated:*"
FURTHER = ("s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed")
KINDS = {
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "TopicConfigurations": "TopicArn",
}
WAYS = ("Put", "Post", "Copy", "CompleteMultipartUpload")
"""How an object is created: four events that are as good as ``s3:ObjectCreated:*``."""


def bucket(case: Case) -> Finding:
    try:
        case.bucket_head  # noqa: B018
    except Absent:
        region = case.region
        # us-east-1 is the one region that may not be named.
        where = (
            [] if region == "us-east-1" else ["--create-bucket-configuration", f"LocationConstraint={region}"]
        )
        mend = aws(case, "s3api", "create-bucket", "--bucket", case.bucket, *where)
        return red(f"bucket {case.bucket} does not exist", mend)
    return green(f"{case.bucket} is there")


def notifications(case: Case) -> Finding | None:
    """Whether events reach the function, and all of them that it needs."""
    if case.function is None and case.queue_url is None:
        return None
    there = case.notification
    entries = list(_ours(case, there))
    told = {event for entry in entries for event in entry["Events"]}
    if not entries:
        if "EventBridgeConfiguration" in there:
            return _by_rule(case)
        return red(_nothing(case, there), _add(case, there, (CREATED, *FURTHER)))
    lacking = [one for one in (CREATED, *FURTHER) if not _covered(one, told)]
    if CREATED in lacking:
        cause = f"bucket {case.bucket} tells {', '.join(sorted(told))}, but not {CREATED}"
        return red(cause, _add(case, there, lacking))
    dead = _dead_filter(case, entries)
    if dead:
        return red(dead, _unfiltered(case, there, entries))
    return _with_further(case, there, entries, lacking)


def _with_further(
    case: Case, there: dict[str, Any], entries: list[dict[str, Any]], lacking: list[str]
) -> Finding:
    """Of deletions and restores; ``lacking`` are not told."""
    if not lacking:
        filters = [text for entry in entries if (text := _filter_text(entry))]
        return green(f"all events{', of keys with ' + ' or '.join(filters) if filters else ''}")
    cause, mend = f"bucket {case.bucket} does not tell of {', '.join(lacking)}", _add(case, there, lacking)
    if case.setting("TORRENT_ON_DELETE") == "remove" and FURTHER[0] in lacking:
        return red(f"{cause}; TORRENT_ON_DELETE=remove needs it", mend)
    return yellow(cause, mend)


def _ours(case: Case, there: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The entries that lead to the queue or the function, straight or by a topic."""
    targets = _targets(case)
    for kind, name in KINDS.items():
        for entry in there.get(kind, []):
            arn = str(entry[name])
            if arn in targets or (kind == "TopicConfigurations" and _subscribed(case, arn, targets)):
                yield entry


def _targets(case: Case) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(Unseen):
        found.add(case.queue["QueueArn"])
    with contextlib.suppress(Unseen):
        found |= {case.function_arn, f"{case.function_arn}:$LATEST"}
    return found


def _subscribed(case: Case, topic: str, targets: set[str]) -> bool:
    call = case.client("sns").list_subscriptions_by_topic
    answer = ask("sns:ListSubscriptionsByTopic", f"topic {topic}", call, TopicArn=topic)
    return any(one.get("Endpoint") in targets for one in answer.get("Subscriptions", []))


def _nothing(case: Case, there: dict[str, Any]) -> str:
    others = sorted(str(entry[name]) for kind, name in KINDS.items() for entry in there.get(kind, []))
    told = f"; it tells {', '.join(others)}" if others else ""
    wanted = f"queue {case.queue_name}" if case.queue_url else f"function {case.function}"
    return f"bucket {case.bucket} does not tell {wanted} of anything{told}"


def _by_rule(case: Case) -> Finding:
    """Through EventBridge: a rule that takes the bucket's events and leads to us."""
    client = case.client("events")
    for arn in sorted(_targets(case)):
        call = client.list_rule_names_by_target
        for name in ask("events:ListRuleNamesByTarget", arn, call, TargetArn=arn).get("RuleNames", []):
            rule = ask("events:DescribeRule", f"rule {name}", client.describe_rule, Name=name)
            pattern = json.loads(rule.get("EventPattern") or "{}")
            if "aws.s3" not in pattern.get("source", ["aws.s3"]):
                continue
            if case.bucket not in pattern.get("detail", {}).get("bucket", {}).get("name", [case.bucket]):
                continue
            if rule.get("State") == "DISABLED":
                mend = aws(case, "events", "enable-rule", "--name", name)
                return red(f"EventBridge rule {name} is disabled", mend)
            return green(f"by EventBridge rule {name}")
    cause = (
        f"bucket {case.bucket} tells EventBridge, but no rule leads to {' or '.join(sorted(_targets(case)))}"
    )
    return red(cause, _add(case, case.notification, (CREATED, *FURTHER)))


def _covered(wanted: str, told: set[str]) -> bool:
    if any(one == wanted or (one.endswith("*") and wanted.startswith(one[:-1])) for one in told):
        return True
    kind = wanted.removesuffix("*")
    return wanted == CREATED and all(f"{kind}{way}" in told for way in WAYS)


# --- filters


def _filter(entry: dict[str, Any]) -> tuple[str, str]:
    """Prefix and suffix."""
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    found = {str(rule.get("Name", "")).lower(): str(rule.get("Value", "")) for rule in rules}
    return found.get("prefix", ""), found.get("suffix", "")


def _filter_text(entry: dict[str, Any]) -> str:
    return " and ".join(
        f"{name} {text}" for name, text in zip(("prefix", "suffix"), _filter(entry), strict=True) if text
    )


def _dead_filter(case: Case, entries: list[dict[str, Any]]) -> str | None:
    """Why no key that passes the filters is one that the function takes; None where some may be."""
    filters = [_filter(entry) for entry in entries if _covered(CREATED, set(entry["Events"]))]
    if not filters:
        return None
    reasons = [_conflict(case, prefix, suffix) for prefix, suffix in filters]
    return reasons[0] if all(reasons) else None


def _conflict(case: Case, prefix: str, suffix: str) -> str | None:
    settings = case.settings
    if suffix.lower().endswith(".torrent"):
        return (
            f"bucket {case.bucket} tells only of keys that end in {suffix}: no torrents of torrents are made"
        )
    if settings.control_prefix and prefix.startswith(settings.control_prefix):
        return f"bucket {case.bucket} tells only of keys below {prefix}, where s3torrent keeps its own files"
    heads = [_literal_head(pattern) for pattern in settings.include]
    if heads and not any(head.startswith(prefix) or prefix.startswith(head) for head in heads):
        patterns = ", ".join(settings.include)
        return f"bucket {case.bucket} tells only of keys below {prefix}, and TORRENT_INCLUDE takes {patterns}"
    return None


def _literal_head(pattern: str) -> str:
    for place, char in enumerate(pattern):
        if char in "*?[":
            return pattern[:place]
    return pattern


# --- mends


def _add(case: Case, there: dict[str, Any], lacking: Iterable[str]) -> str:
    """The whole configuration with ``lacking`` in it: the call replaces it. What others are told of already
    is left out, for S3 refuses two that overlap.
    """
    mine = list(_ours(case, there))
    others = [entry for kind in KINDS for entry in there.get(kind, []) if entry not in mine]
    free = [event for event in lacking if not any(_overlap(event, one) for one in others)]
    if CREATED in lacking and CREATED not in free:
        queues = [one["QueueArn"] for one in others if "QueueArn" in one and _overlap(CREATED, one)]
        if queues and case.function and not mine:  # then the function is to read what is told
            return read(case, str(queues[0]))
        return command("terraform", "apply", "-var", "notification_prefix=recordings/")
    if mine:
        had = set(mine[0]["Events"])
        kept = {
            one
            for one in had
            if not any(_covered(event, {one}) or one.startswith(event[:-1]) for event in free)
        }
        changed = {**mine[0], "Events": sorted(kept | set(free))}
        after = {
            kind: [changed if entry is mine[0] else entry for entry in entries] if kind in KINDS else entries
            for kind, entries in there.items()
        }
        return _put(case, after)
    kind, name = (
        ("QueueConfigurations", "QueueArn")
        if case.queue_url
        else ("LambdaFunctionConfigurations", "LambdaFunctionArn")
    )
    arn = case.queue["QueueArn"] if case.queue_url else case.function_arn
    entry = {"Id": OURS, name: arn, "Events": list(free)}
    rest = [one for one in there.get(kind, []) if one.get("Id") != OURS]
    return _put(case, {**there, kind: [*rest, entry]})


def _unfiltered(case: Case, there: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    def bare(entry: dict[str, Any]) -> dict[str, Any]:
        ours = any(entry is one for one in entries)
        return {name: value for name, value in entry.items() if not ours or name != "Filter"}

    after = {kind: list(map(bare, found)) if kind in KINDS else found for kind, found in there.items()}
    return _put(case, after)


def _overlap(event: str, other: dict[str, Any]) -> bool:
    """Ours has no filter, so any of the same events is one too many."""
    kind = event.removesuffix("*")
    return any(one.startswith(kind) or _covered(event, {one}) for one in other["Events"])


def _put(case: Case, configuration: dict[str, Any]) -> str:
    words = ("s3api", "put-bucket-notification-configuration", "--bucket", case.bucket)
    return aws(case, *words, "--notification-configuration", compact(configuration))
