"""What a topic hands on to us, and what its filter policy keeps back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.asking import ask
from s3torrent.doctor.mend import aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.doctor.case import Case


@dataclass(frozen=True)
class Subscription:
    topic: str
    endpoint: str
    arn: str
    attributes: dict[str, str]

    @property
    def policy(self) -> dict[str, Any]:
        """Of the filter; {} for none. https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html"""
        try:
            found = json.loads(self.attributes.get("FilterPolicy") or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def passes_nothing(self) -> bool:
        """What S3 publishes has no attributes, so nothing passes that asks for one."""
        if self.attributes.get("FilterPolicyScope", "MessageAttributes") != "MessageAttributes":
            return False
        if any(name.startswith("$") for name in self.policy):
            return False
        return any({"exists": False} not in _listed(wanted) for wanted in self.policy.values())

    def unfiltered(self, case: Case) -> str:
        words = ("sns", "set-subscription-attributes", "--subscription-arn", self.arn)
        return aws(case, *words, "--attribute-name", "FilterPolicy", "--attribute-value", "{}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def subscriptions_of(case: Case, topic: str, endpoints: set[str]) -> list[Subscription]:
    """Those that are confirmed, of ``endpoints``."""
    every = case.once(f"subscriptions of {topic}", lambda: list(_all(case, topic)))
    found = []
    for one in every:
        arn, endpoint = str(one.get("SubscriptionArn", "")), str(one.get("Endpoint", ""))
        if endpoint in endpoints and arn not in ("PendingConfirmation", "Deleted"):
            found.append(Subscription(topic, endpoint, arn, _attributes(case, arn)))
    return found


def _all(case: Case, topic: str) -> Iterator[dict[str, Any]]:
    call, asked = case.client("sns").list_subscriptions_by_topic, {"TopicArn": topic}
    while True:
        answer = ask("sns:ListSubscriptionsByTopic", f"topic {topic}", call, **asked)
        yield from answer.get("Subscriptions", [])
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]


def _attributes(case: Case, arn: str) -> dict[str, str]:
    def found() -> dict[str, str]:
        call = case.client("sns").get_subscription_attributes
        answer = ask("sns:GetSubscriptionAttributes", f"subscription {arn}", call, SubscriptionArn=arn)
        return dict(answer.get("Attributes", {}))

    return case.once(f"attributes of {arn}", found)
