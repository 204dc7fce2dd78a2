"""What a resource's policy says to one request: the part of IAM's rules that such policies use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PATTERNS = {"arnequals", "arnlike", "stringlike", "arnnotequals", "arnnotlike", "stringnotlike"}
NEGATED = {
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
}


class Effect(Enum):
    ALLOWED = "allowed"
    DENIED = "denied"
    UNSAID = "unsaid"
    """No statement allows it."""
    UNKNOWN = "unknown"
    """It is allowed, unless a Deny holds that cannot be judged from here."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the names a Principal may have for it, of ``kind`` (Service or AWS). ``session`` begins the
    ARNs of its sessions, of which nobody knows the rest.
    """

    kind: str
    names: frozenset[str]
    session: str = ""

    @classmethod
    def service(cls, name: str) -> Caller:
        return cls("Service", frozenset([name]))


@dataclass(frozen=True, slots=True)
class Request:
    """``context``: condition keys in lower case; None where the request is known not to have that key."""

    caller: Caller
    action: str
    resource: str
    context: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Decision:
    """``by`` names the statements: those that deny, or that may."""

    effect: Effect
    by: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        return ", ".join(self.by)


def decide(policy: str, request: Request) -> Decision:
    """``policy`` is JSON, "" for none. An Allow that cannot be judged allows nothing."""
    denies: list[str] = []
    may_deny: list[str] = []
    allowed = False
    for number, one in enumerate(statements(policy), 1):
        if one.get("Effect") == "Allow":
            allowed = allowed or _matches(one, request, unknown=None) is True
        else:
            matches = _matches(one, request, unknown=...)
            if matches is not False:
                (denies if matches else may_deny).append(str(one.get("Sid") or f"number {number}"))
    if denies:
        return Decision(Effect.DENIED, tuple(denies))
    if not allowed:
        return Decision(Effect.UNSAID, tuple(may_deny))
    return Decision(Effect.UNKNOWN if may_deny else Effect.ALLOWED, tuple(may_deny))


def statements(policy: str) -> list[dict[str, Any]]:
    try:
        found = _listed(json.loads(policy or "{}").get("Statement", []))
    except (ValueError, AttributeError):
        return []
    return [one for one in found if isinstance(one, dict)]


def _matches(statement: Mapping[str, Any], request: Request, *, unknown: Any) -> bool | None:
    """None: who can tell. ``unknown`` is what a key is taken for that the context does not name."""
    return _every(
        [
            _of(statement, request.caller),
            _named(statement, "Action", request.action.lower(), lower=True),
            _named(statement, "Resource", request.resource, lower=False),
            *_conditions(statement.get("Condition", {}), request.context, unknown),
        ]
    )


def _every(found: Iterable[bool | None]) -> bool | None:
    seen = list(found)
    if False in seen:
        return False
    return None if None in seen else True


def _of(statement: Mapping[str, Any], caller: Caller) -> bool | None:
    if "NotPrincipal" in statement:
        found = _among(statement["NotPrincipal"], caller)
        # One that leaves out the role, but not its session, still means the session.
        return None if found is not False and caller.kind == "AWS" else not found
    return _among(statement.get("Principal", {}), caller)


def _among(principal: Any, caller: Caller) -> bool | None:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    names = {str(one) for one in _listed(principal.get(caller.kind, []))}
    if names & caller.names or "*" in _listed(principal.get("AWS", [])):
        return True
    return None if caller.session and any(one.startswith(caller.session) for one in names) else False


def _named(statement: Mapping[str, Any], element: str, found: str, *, lower: bool) -> bool:
    """By ``Action`` or ``NotAction``, ``Resource`` or ``NotResource``; without either any resource."""
    given = statement.get(element, statement.get(f"Not{element}", "*" if element == "Resource" else []))
    patterns = [str(one).lower() if lower else str(one) for one in _listed(given)]
    hit = any(_like(found, pattern) for pattern in patterns)
    return not hit if f"Not{element}" in statement else hit


def _conditions(condition: Any, context: Mapping[str, str | None], unknown: Any) -> list[bool | None]:
    if not isinstance(condition, dict):
        return [None]
    return [
        _compares(operator.lower(), context.get(key.lower(), unknown), [str(one) for one in _listed(values)])
        for operator, wanted in condition.items()
        for key, values in (wanted.items() if isinstance(wanted, dict) else [("", [])])
    ]


def _compares(operator: str, found: Any, values: list[str]) -> bool | None:
    """``found``: a value, None where the key is absent, ... where nobody knows."""
    base = operator.removesuffix("ifexists")
    if found is ... or any("${" in value for value in values):
        return None
    if base == "null":
        return (found is None) == ([value.lower() for value in values] == ["true"])
    plain = NEGATED.get(base, base)
    if plain not in PATTERNS and plain not in ("stringequals", "stringequalsignorecase", "bool"):
        return None
    if found is None:
        return base != operator or base in NEGATED
    if plain in PATTERNS:
        equal = any(_like(found, value) for value in values)
    elif plain == "stringequals":
        equal = found in values
    else:
        equal = found.lower() in [value.lower() for value in values]
    return equal != (base in NEGATED)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
