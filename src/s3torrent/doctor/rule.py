"""An EventBridge rule that leads to us: what it takes of the bucket's events, and how it would take more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import ask
from s3torrent.doctor.filters import CREATED, FURTHER, KeyFilter
from s3torrent.doctor.mend import aws, compact
from s3torrent.doctor.pattern import ANY, keys, takes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3torrent.doctor.case import Case

KINDS = {
    "Object Created": (CREATED,),
    "Object Deleted": FURTHER[:2],
    "Object Restore Completed": FURTHER[2:],
}
"""Detail types, and the S3 events that they are."""
REPLACED = (
    ("Description", "--description"),
    ("RoleArn", "--role-arn"),
    ("ScheduleExpression", "--schedule-expression"),
)
"""What PutRule takes away where it is not said again."""


@dataclass(frozen=True)
class Rule:
    """``takes``: by detail type; None: cannot be told. ``keys`` likewise."""

    told: dict[str, Any]
    name: str
    target: str
    takes: dict[str, bool | None]
    keys: list[KeyFilter] | None

    @property
    def arn(self) -> str:
        return str(self.told.get("Arn", self.name))

    @property
    def enabled(self) -> bool:
        return self.told.get("State") != "DISABLED"

    @property
    def concerns(self) -> bool:
        """Whether it may take any event of the bucket."""
        return any(found is not False for found in self.takes.values())

    def entries(self) -> list[dict[str, Any]]:
        """What it surely takes, as entries of a bucket's notification configuration."""
        events = [event for kind, found in self.takes.items() if found for event in KINDS[kind]]
        return [{"Events": events, **_filter(where)} for where in self.keys or [] if events]

    def unsure(self, kind: str) -> bool:
        """Whether it cannot be told if it takes the objects' events of that kind."""
        return self.takes[kind] is None or (self.takes[kind] is True and self.keys is None)


def _filter(where: KeyFilter) -> dict[str, Any]:
    found = (("prefix", where.prefix), ("suffix", where.suffix))
    return {"Filter": {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in found]}}}


def rules_to(case: Case, target: str) -> Iterator[Rule]:
    """Those of the default bus, where S3 tells, that lead to ``target``."""
    client = case.client("events")
    asked: dict[str, str] = {"TargetArn": target}
    while True:
        call = client.list_rule_names_by_target
        answer = ask("events:ListRuleNamesByTarget", target, call, **asked)
        for name in answer.get("RuleNames", []):
            told = dict(ask("events:DescribeRule", f"rule {name}", client.describe_rule, Name=name))
            yield _judged(case, told, str(name), target)
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]


def _judged(case: Case, told: dict[str, Any], name: str, target: str) -> Rule:
    pattern = _pattern(told)
    if pattern is None:
        return Rule(told, name, target, dict.fromkeys(KINDS, False), [])
    found = {kind: takes(pattern, _event(case, kind)) for kind in KINDS}
    return Rule(told, name, target, found, keys(pattern))


def _pattern(told: dict[str, Any]) -> dict[str, Any] | None:
    """None where the rule has none, but a schedule."""
    if "EventPattern" not in told and "ScheduleExpression" in told:
        return None
    try:
        found = json.loads(told.get("EventPattern") or "{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _event(case: Case, kind: str) -> dict[str, Any]:
    """What is known of one of the bucket's."""
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": kind,
        "account": str(case.identity.get("Account", "")),
        "region": case.region,
        "resources": f"arn:aws:s3:::{case.bucket}",
        "detail": {"version": "0", "bucket": {"name": case.bucket}, "object": {"key": ANY}},
    }


def shown(case: Case, rule: Rule) -> str:
    return aws(case, "events", "describe-rule", "--name", rule.name)


def widened(case: Case, rule: Rule, kinds: Iterable[str], *, all_keys: bool = False) -> str:
    """Have it take these kinds also, and of all keys; the rest of it stays."""
    pattern = dict(_pattern(rule.told) or {})
    missing = [kind for kind in kinds if not rule.takes[kind]]
    if missing and "detail-type" in pattern:
        pattern["detail-type"] = [*pattern["detail-type"], *missing]
    if all_keys and "object" in pattern.get("detail", {}):
        rest = {name: value for name, value in pattern["detail"]["object"].items() if name != "key"}
        detail = {name: value for name, value in pattern["detail"].items() if name != "object"}
        pattern["detail"] = {**detail, **({"object": rest} if rest else {})}
        if not pattern["detail"]:
            del pattern["detail"]
    words = ("--event-pattern", compact(pattern), "--state", str(rule.told.get("State", "ENABLED")))
    kept = [word for name, option in REPLACED if rule.told.get(name) for word in (option, rule.told[name])]
    return aws(case, "events", "put-rule", "--name", rule.name, *words, *kept)
