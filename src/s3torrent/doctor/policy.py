"""What a resource's policy says to one request: the part of IAM's rules that such policies use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def allows(policy: str, service: str, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether ``policy`` (JSON, "" for none) lets the AWS service ``service`` do it. ``context`` are the
    condition keys of the request, in lower case; a condition on another key, or by an operator that is not
    known here, does not hold.
    """
    try:
        statements = _listed(json.loads(policy or "{}").get("Statement", []))
    except (ValueError, AttributeError):
        return False
    effects = {
        str(one.get("Effect"))
        for one in statements
        if isinstance(one, dict)
        and _of_service(one, service)
        and any(_like(action.lower(), str(name).lower()) for name in _listed(one.get("Action", [])))
        and any(_like(resource, str(name)) for name in _listed(one.get("Resource", "*")))
        and _holds(one.get("Condition", {}), context)
    }
    return effects == {"Allow"}


def _of_service(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    return service in _listed(principal.get("Service", [])) or "*" in _listed(principal.get("AWS", []))


def _holds(condition: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(
        _compares(operator.lower(), context.get(key.lower()), [str(one) for one in _listed(values)])
        for operator, wanted in condition.items()
        for key, values in wanted.items()
    )


def _compares(operator: str, found: str | None, values: list[str]) -> bool:
    base = operator.removesuffix("ifexists")
    if found is None:
        return base != operator
    if base in ("arnequals", "arnlike", "stringlike"):
        return any(_like(found, value) for value in values)
    if base in ("stringequals", "stringequalsignorecase", "bool"):
        return found.lower() in [value.lower() for value in values]
    return False


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
