"""The bucket's events by way of EventBridge: whether the rules that lead to us take all that we need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.doctor.filters import FURTHER, conflict, lacking, of_keys
from s3torrent.doctor.finding import green, grey, red, yellow
from s3torrent.doctor.mend import aws
from s3torrent.doctor.route import planned_queue
from s3torrent.doctor.rule import KINDS, shown, widened

if TYPE_CHECKING:
    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding
    from s3torrent.doctor.rule import Rule

MADE = "Object Created"


def no_rule(case: Case) -> str:
    queue = planned_queue(case)
    targets = [one for one in (queue, case.function_arn if case.function else None) if one]
    return f"bucket {case.bucket} tells EventBridge, but no rule leads to {' or '.join(sorted(targets))}"


def by_rules(case: Case, rules: list[Rule]) -> Finding:
    """Of ``rules``, one or more, each of which leads to us and concerns the bucket."""
    enabled = [one for one in rules if one.enabled]
    entries = [entry for one in enabled for entry in one.entries()]
    missing = lacking(entries)
    if not missing:
        return _no_creation(case, rules, enabled)
    first = next(one for one in enabled if one.takes[MADE] and one.keys is not None)
    told = f"EventBridge rule{'' if len(enabled) == 1 else 's'} {', '.join(one.name for one in enabled)}"
    reasons = [conflict(case.settings, where) for where in missing]
    if all(reasons):
        unsure = next((one for one in enabled if one.unsure(MADE)), None)
        if unsure:
            return _cannot_tell(case, unsure)
        return red(f"{told}: only {reasons[0]}", widened(case, first, KINDS, all_keys=True))
    return _in_part(case, first, told, entries)


def _no_creation(case: Case, rules: list[Rule], enabled: list[Rule]) -> Finding:
    """None of them surely brings any."""
    unsure = next((one for one in enabled if one.unsure(MADE)), None)
    if unsure:
        return _cannot_tell(case, unsure)
    off = [one for one in rules if not one.enabled and one.takes[MADE] is not False]
    if off:
        mend = aws(case, "events", "enable-rule", "--name", off[0].name)
        return red(f"EventBridge rule {off[0].name} is disabled", mend)
    first = [*enabled, *rules][0]
    taken = ", ".join(kind for kind, found in first.takes.items() if found)
    cause = f"EventBridge rule {first.name} takes {taken} of bucket {case.bucket}, but not {MADE}"
    return red(cause, widened(case, first, KINDS))


def _cannot_tell(case: Case, rule: Rule) -> Finding:
    cause = f"whether EventBridge rule {rule.name} takes {MADE} of bucket {case.bucket} cannot be told: "
    return grey(f"{cause}its pattern asks for what is not known from here", shown(case, rule))


def _in_part(case: Case, first: Rule, told: str, entries: list[dict[str, object]]) -> Finding:
    """Creations are taken; what of the rest is not?"""
    missing = lacking(entries)
    events = {event for found in missing.values() for event in found}
    kinds = [kind for kind, wanted in KINDS.items() if events & set(wanted)]
    if not kinds:
        return green(f"by {told}, all events{of_keys(missing)}")
    cause = f"{told} does not take {', '.join(kinds)} of bucket {case.bucket}"
    mend = widened(case, first, kinds)
    if case.setting("TORRENT_ON_DELETE") == "remove" and FURTHER[0] in events:
        return red(f"{cause}; TORRENT_ON_DELETE=remove needs it", mend)
    return yellow(cause, mend)
