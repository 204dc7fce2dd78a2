"""A Change and its condition -> the arguments of UpdateItem. Every name and value goes in by placeholder:
``status`` and ``key`` are reserved words.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s3torrent.status.dynamodb_table import KEY
from s3torrent.status.dynamodb_values import to_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.status.base import Claimed
    from s3torrent.status.changes import Change

_SEEN = ("attempt", "status", "leaseExpiresAt", "sequencer", "uploadOwner", "uploadExpiresAt")


class Placeholders:
    """The names and values of one call, numbered as they are first used."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self.values: dict[str, dict[str, Any]] = {}

    @property
    def names(self) -> dict[str, str]:
        return {placeholder: name for name, placeholder in self._names.items()}

    def name(self, attribute: str) -> str:
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, plain: Any) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = to_value(plain)
        return placeholder

    def equal(self, attribute: str, plain: Any) -> str:
        """A term that holds where the attribute has this value; for None, where there is no attribute."""
        if plain is None:
            return f"attribute_not_exists({self.name(attribute)})"
        return f"{self.name(attribute)} = {self.value(plain)}"

    def same(self, attribute: str, stored: Any) -> str:
        """As ``equal``, of one of DynamoDB's own values."""
        if stored is None:
            return self.equal(attribute, None)
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = stored
        return f"{self.name(attribute)} = {placeholder}"

    def begins_with(self, attribute: str, prefix: str) -> str:
        return f"begins_with({self.name(attribute)}, {self.value(prefix)})"

    def exists(self, attribute: str) -> str:
        return f"attribute_exists({self.name(attribute)})"


Condition = Callable[[Placeholders], str]


def unchanged(stored: Mapping[str, Any] | None) -> Condition:
    """The item is still as it was: whatever could change the verdict changes one of ``_SEEN``.

    ``stored`` holds DynamoDB's own values, which are compared as they are: of whatever type.
    """
    if stored is None:
        return lambda to: to.equal(KEY, None)
    return lambda to: " AND ".join(to.same(name, stored.get(name)) for name in _SEEN)


def reserved_by(owner: str) -> Condition:
    return lambda to: to.equal("uploadOwner", owner)


def having(attributes: Mapping[str, Any]) -> Condition:
    """The item is there, and has these attributes."""
    return lambda to: " AND ".join(
        (to.exists(KEY), *(to.equal(name, value) for name, value in attributes.items()))
    )


def is_current(claim: Claimed) -> Condition:
    """lease.may_renew, in DynamoDB's words."""
    return lambda to: " AND ".join(
        (to.equal("attempt", claim.attempt), to.equal("leaseOwner", claim.owner), to.exists("leaseExpiresAt"))
    )


def is_current_or_ended(claim: Claimed, status: str) -> Condition:
    """lease.may_finish, in DynamoDB's words."""
    return lambda to: " AND ".join(
        (
            to.equal("attempt", claim.attempt),
            to.equal("leaseOwner", claim.owner),
            f"({to.exists('leaseExpiresAt')} OR {to.equal('status', status)})",
        )
    )


def update_arguments(job_id: str, change: Change, condition: Condition) -> dict[str, Any]:
    """The arguments but ``TableName``; a condition that fails hands back the item as it is."""
    to = Placeholders()
    update = "SET " + ", ".join(f"{to.name(name)} = {to.value(plain)}" for name, plain in change.sets.items())
    if change.removes:
        update += " REMOVE " + ", ".join(to.name(name) for name in sorted(change.removes))
    checked = condition(to)
    return {
        "Key": {KEY: to_value(job_id)},
        "UpdateExpression": update,
        "ConditionExpression": checked,
        "ExpressionAttributeNames": to.names,
        "ExpressionAttributeValues": to.values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
