"""What the bucket tells, to whom and of which keys; and the whole configuration that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.doctor.bus import by_rules, no_rule
from s3torrent.doctor.filters import (
    CREATED,
    FURTHER,
    WANTED,
    KeyFilter,
    clashes,
    conflict,
    covered,
    filter_of,
    lacking,
    of_keys,
)
from s3torrent.doctor.finding import Level, green, red, yellow
from s3torrent.doctor.mend import OURS, aws, compact, terraform
from s3torrent.doctor.route import KINDS, Entry, planned_queue, to_function, to_queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding
    from s3torrent.doctor.subscription import Subscription

PREFIXES = ("recordings/", "torrents/", "films/")
"""What is proposed where others hear of all else."""


def notifications(case: Case) -> Finding | None:
    """Whether events reach the function, and all of them that it needs."""
    if case.function is None and case.queue_url is None:
        return None
    routes = (to_queue(case), to_function(case))
    rules = list({rule.arn: rule for one in routes for rule in one.rules}.values())
    mine = [entry for entry in _entries(case) if any(_is_among(entry, one.entries) for one in routes)]
    unseen = next((one.unseen for one in routes if one.unseen), None)
    if unseen and not lacking(mine):
        raise unseen.with_traceback(None)
    if "EventBridgeConfiguration" in case.notification and not lacking(mine) and (rules or not mine):
        return by_rules(case, rules) if rules else red(no_rule(case), _new(case))
    if not mine:
        return red(_nothing(case), _new(case))
    found = _of_entries(case, mine, [entry for rule in rules if rule.enabled for entry in rule.entries()])
    kept_back = _kept_back(case, mine, [one for route in routes for one in route.subscriptions])
    return kept_back if kept_back and (found.level is Level.GREEN or kept_back.level is Level.RED) else found


def _kept_back(case: Case, mine: list[Entry], subscriptions: list[Subscription]) -> Finding | None:
    """By a filter policy, between a topic and us: all creations (red) or some (yellow)."""
    filtered = [one for one in subscriptions if one.policy]
    if not filtered:
        return None
    shut = [one for one in filtered if one.passes_nothing]
    open_topics = {one.topic for one in subscriptions if one not in shut}
    heard = [one for one in mine if "TopicArn" not in one or one["TopicArn"] in open_topics]
    first = (shut or filtered)[0]
    name, mend = first.topic.rpartition(":")[2], first.unfiltered(case)
    cause = f"the subscription of {first.endpoint} to topic {name} has filter policy {compact(first.policy)}"
    if not shut:
        return yellow(f"{cause}: what does not pass it is not told", mend)
    cause += ", which nothing passes that S3 publishes"
    return yellow(cause, mend) if lacking(heard) else red(cause, mend)


def _of_entries(case: Case, mine: list[Entry], by_rule: list[Entry]) -> Finding:
    """What ``mine`` tell, and of which keys; EventBridge brings what it does besides."""
    missing = lacking([*mine, *by_rule])
    if all(CREATED in events for events in missing.values()):
        told = "; ".join(f"{', '.join(sorted(one['Events']))}{of_keys([filter_of(one)])}" for one in mine)
        return red(f"bucket {case.bucket} tells {told}, but of no key {CREATED}", _completed(case, mine))
    reasons = [conflict(case.settings, where) for where, events in missing.items() if CREATED not in events]
    if all(reasons):
        return red(f"bucket {case.bucket} tells only of {reasons[0]}", _unfiltered(case, mine))
    return _told_in_part(case, mine, missing)


def _told_in_part(case: Case, mine: list[Entry], missing: Mapping[KeyFilter, list[str]]) -> Finding:
    """Creations are told, if not under every filter; what of ``missing`` is not?"""
    events = [event for event in WANTED if any(event in found for found in missing.values())]
    if not events:
        return green(f"all events{of_keys(missing)}")
    where = [one for one, found in missing.items() if found]
    keys = of_keys(where) if len(where) < len(missing) else ""
    cause = f"bucket {case.bucket} does not tell of {', '.join(events)}{keys}"
    if case.setting("TORRENT_ON_DELETE") == "remove" and FURTHER[0] in events:
        return red(f"{cause}; TORRENT_ON_DELETE=remove needs it", _completed(case, mine))
    return yellow(cause, _completed(case, mine))


def _nothing(case: Case) -> str:
    others = sorted(map(_target, _entries(case)))
    told = f"; it tells {', '.join(others)}" if others else ""
    queue = planned_queue(case)
    wanted = f"queue {queue.rpartition(':')[2]}" if queue else f"function {case.function}"
    return f"bucket {case.bucket} does not tell {wanted} of anything{told}"


# --- mends: the whole configuration each time, for the call replaces it


def _entries(case: Case) -> list[Entry]:
    return [entry for kind in KINDS for entry in case.notification.get(kind, [])]


def _target(entry: Entry) -> str:
    return next(str(entry[name]) for name in KINDS.values() if name in entry)


def _new(case: Case) -> str:
    """An entry for us beside all that is there, which is somebody else's."""
    there, others = case.notification, _entries(case)
    events = [one for one in WANTED if not any(clashes(one, KeyFilter(), other) for other in others)]
    if CREATED not in events:
        return _in_the_way(case, others)
    queue = planned_queue(case)
    kind = "QueueConfigurations" if queue else "LambdaFunctionConfigurations"
    name, arn = KINDS[kind], queue or case.function_arn
    taken = {one.get("Id") for one in others}
    names = (OURS, *(f"{OURS}-{number}" for number in range(2, len(taken) + 3)))
    entry = {"Id": next(one for one in names if one not in taken), name: arn, "Events": events}
    return _put(case, {**there, kind: [*there.get(kind, []), entry]})


def _completed(case: Case, mine: list[Entry]) -> str:
    """Ours with what they lack, as far as S3 lets it stand beside the others."""
    editable = _editable(mine)
    fixed = [one for one in _entries(case) if not _is_among(one, editable)]
    missing, settled = lacking(mine), list[Entry]()
    after: dict[int, Entry | None] = {}
    for entry in sorted(editable, key=lambda one: filter_of(one).breadth):
        here = filter_of(entry)
        # A narrower one of ours gives way; that of a topic does not, for others may hear by it.
        beside = [
            one
            for one in editable
            if one is not entry and id(one) not in after and ("TopicArn" in one or not _held(one, here))
        ]
        wanted = missing.get(here, [] if missing else WANTED)
        given = {
            event
            for event in wanted
            if not any(clashes(event, here, one) for one in (*fixed, *settled, *beside))
        }
        wider = {event for one in settled if filter_of(one).holds(here) for event in one["Events"]}
        kept = {
            one
            for one in entry["Events"]
            if not covered(one, given | (set() if "TopicArn" in entry else wider))
        }
        new = {**entry, "Events": sorted(kept | given)} if kept | given else None
        after[id(entry)] = new
        settled += [new] if new else []
    better = lacking([*settled, *(one for one in mine if not _is_among(one, editable))])
    if better == missing or all(CREATED in events for events in better.values()):
        return _in_the_way(case, fixed)
    return _put(case, _replaced(case, after))


def _unfiltered(case: Case, mine: list[Entry]) -> str:
    """One of ours for all keys, instead of all of ours for some."""
    editable = _editable(mine)
    fixed = [one for one in _entries(case) if not _is_among(one, editable)]
    told = {event for one in editable for event in one["Events"]}
    events = sorted(event for event in told if not covered(event, told - {event}))
    if any(clashes(event, KeyFilter(), one) for event in events for one in fixed):
        return _in_the_way(case, fixed)
    first = {name: value for name, value in editable[0].items() if name != "Filter"} | {"Events": events}
    after: dict[int, Entry | None] = {id(one): None for one in editable}
    return _put(case, _replaced(case, {**after, id(editable[0]): first}))


def _editable(mine: list[Entry]) -> list[Entry]:
    """A topic may have other listeners: it is left alone where there is an entry of ours alone."""
    return [one for one in mine if "TopicArn" not in one] or mine[:1]


def _held(entry: Entry, where: KeyFilter) -> bool:
    return where.holds(filter_of(entry))


def _is_among(entry: Entry, entries: list[Entry]) -> bool:
    return any(entry is one for one in entries)


def _replaced(case: Case, after: Mapping[int, Entry | None]) -> dict[str, Any]:
    """The configuration with entries replaced, by ``id``; None: left out."""
    there = dict(case.notification)
    for kind in KINDS:
        if kind in there:
            found = [after.get(id(one), one) for one in there[kind]]
            there[kind] = [one for one in found if one is not None]
    return there


def _in_the_way(case: Case, others: list[Entry]) -> str:
    """S3 refuses two that could both hear of one key; and what another program reads is not ours to read."""
    these = [one for one in others if any(event.startswith("s3:ObjectCreated:") for event in one["Events"])]
    filters = [filter_of(one) for one in these]
    free = (one for one in PREFIXES if not any(KeyFilter(one).meets(other) for other in filters))
    prefix = next(free, PREFIXES[0])
    names = ", ".join(compact(_target(one)) for one in these)
    clear = not any(KeyFilter(prefix).meets(other) for other in filters)
    what = "" if clear else f", once {names} has a filter that leaves these keys out"
    ways = f"; or have one SNS topic, or EventBridge, tell both queue {compact(case.queue_name)} and {names}"
    return f"{terraform('notification_prefix', prefix)}{what}{ways if case.queue_url else ''}"


def _put(case: Case, configuration: dict[str, Any]) -> str:
    words = ("s3api", "put-bucket-notification-configuration", "--bucket", case.bucket)
    return aws(case, *words, "--notification-configuration", compact(configuration))
