"""How the bucket's events come to the queue, or to the function without one: who really delivers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import Absent, Unseen, ask
from s3torrent.doctor.filters import lacking
from s3torrent.doctor.rule import Rule, rules_to
from s3torrent.doctor.subscription import Subscription, subscriptions_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3torrent.doctor.case import Case

Entry = dict[str, Any]
"""Of the bucket's notification configuration."""
KINDS = {
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "TopicConfigurations": "TopicArn",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """A service that delivers on behalf of ``source``, an ARN; ``name`` and ``what`` are for people."""

    service: str
    name: str
    what: str
    source: str
    account: str

    @property
    def principal(self) -> str:
        return f"{self.service}.amazonaws.com"

    @property
    def context(self) -> dict[str, str | None]:
        """The condition keys of what it asks for."""
        return {
            "aws:sourcearn": self.source,
            "aws:sourceaccount": self.account,
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": self.principal,
        }


def s3(case: Case) -> Sender:
    account = str(case.identity.get("Account", ""))
    return Sender("s3", "S3", f"bucket {case.bucket}", f"arn:aws:s3:::{case.bucket}", account)


@dataclass(frozen=True)
class Route:
    """To one target, all that leads there. ``rules`` are judged, and concern the bucket; ``unseen`` tells why
    a topic or they could not be looked at.
    """

    entries: list[Entry] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    unseen: Unseen | None = None

    def __bool__(self) -> bool:
        return bool(self.entries or self.rules)

    def senders(self, case: Case) -> list[Sender]:
        """Each once; of rules those that are enabled, where any is.

        Raises Unseen where topics or rules cannot be seen, and nothing else tells us of creations.
        """
        if self.unseen and not lacking([*to_queue(case).entries, *to_function(case).entries]):
            raise self.unseen.with_traceback(None)
        found = [s3(case)] if any("TopicArn" not in one for one in self.entries) else []
        topics = [one.topic for one in self.subscriptions]
        found += [_of("sns", "SNS", f"topic {topic.rpartition(':')[2]}", topic) for topic in topics]
        rules = [one for one in self.rules if one.enabled] or self.rules
        found += [_of("events", "EventBridge", f"rule {rule.name}", rule.arn) for rule in rules]
        return list(dict.fromkeys(found))


def _of(service: str, name: str, what: str, source: str) -> Sender:
    return Sender(service, name, what, source, f"{source}::::".split(":")[4])


def to_queue(case: Case) -> Route:
    """To the queue that is there, or is to be made."""
    found: set[str] = set()
    with suppress(Unseen):
        arn = planned_queue(case)
        found = {arn} if arn else set()
    return case.once("route to the queue", lambda: _to(case, found))


def to_function(case: Case) -> Route:
    """To the function itself."""
    found: set[str] = set()
    if case.function is not None:
        with suppress(Unseen):
            found = {case.function_arn, f"{case.function_arn}:$LATEST"}
    return case.once("route to the function", lambda: _to(case, found))


def _to(case: Case, targets: set[str]) -> Route:
    if not targets:
        return Route()
    there = case.notification
    entries, subscriptions, rules = list[Entry](), list[Subscription](), list[Rule]()
    unseen: Unseen | None = None
    for kind, name in KINDS.items():
        for entry in there.get(kind, []):
            arn, by_topic = str(entry[name]), list[Subscription]()
            try:
                by_topic = subscriptions_of(case, arn, targets) if name == "TopicArn" else []
            except Unseen as why:
                unseen = why
            if arn in targets or by_topic:
                entries.append(entry)
                subscriptions += by_topic
    try:
        if "EventBridgeConfiguration" in there:
            rules = [rule for arn in sorted(targets) for rule in rules_to(case, arn) if rule.concerns]
    except Unseen as why:
        unseen = why
    return Route(entries, subscriptions, rules, unseen)


def planned_queue(case: Case) -> str | None:
    """ARN of the queue by which events come, or will once it is made; None: there is to be none."""
    if case.queue_url is not None:
        return case.queue["QueueArn"]
    if case.function is None:
        return None
    read = read_queue(case)
    try:
        route = to_function(case)
        if route.unseen and not route:
            raise route.unseen.with_traceback(None)
        called = bool(route)
    except Unseen as why:  # a bucket that is not there calls nobody
        if not read and not isinstance(why, Absent):
            raise
        called = False
    if called:
        return None
    if read or may_be_called(case):
        return read
    return f"{case.function_arn.partition(':function:')[0].replace(':lambda:', ':sqs:')}:{case.function}"


def read_queue(case: Case) -> str | None:
    """ARN of the queue that the function reads, be it there or not."""
    sources: Iterable[str] = (str(one.get("EventSourceArn", "")) for one in case.mappings)
    return next((arn for arn in sources if ":sqs:" in arn), None)


def may_be_called(case: Case) -> bool:
    """Whether S3, a topic or a rule may call the function, as where there is no queue."""
    return any(f"{one}.amazonaws.com" in policy_of(case) for one in ("s3", "sns", "events"))


def policy_of(case: Case) -> str:
    """The function's own, "" where it has none."""

    def found() -> str:
        call = case.client("lambda").get_policy
        try:
            answer = ask("lambda:GetPolicy", f"function {case.function}", call, FunctionName=case.function)
        except Absent:
            return ""
        return str(answer.get("Policy", ""))

    return case.once("policy of the function", found)
