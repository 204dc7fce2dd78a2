"""What an EventBridge pattern takes: the part of its rules that S3's events need.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from s3torrent.doctor.filters import KeyFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ANY = object()
"""A value of an event that is judged elsewhere: every matcher takes it."""
TORRENT = ".torrent"


def takes(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool | None:
    """Whether ``pattern`` takes ``event``; None: it asks for what the event does not name."""
    return _every(_field(name, wanted, event.get(name, ...)) for name, wanted in pattern.items())


def keys(pattern: Mapping[str, Any]) -> list[KeyFilter] | None:
    """The keys that ``pattern`` takes, those of torrents aside; None where filters cannot say it."""
    wanted: Any = pattern
    for name in ("detail", "object", "key"):
        if not isinstance(wanted, dict):
            return None
        wanted = wanted.get(name, ...)
        if wanted is ...:
            return [KeyFilter()]
    if not isinstance(wanted, list):
        return None
    found = [_filter(one) for one in wanted]
    if KeyFilter() in found:
        return [KeyFilter()]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def _field(name: str, wanted: Any, there: Any) -> bool | None:
    if there is ANY:
        return True
    if there is ... or name.startswith("$"):
        return None
    if isinstance(wanted, dict):
        return takes(wanted, there) if isinstance(there, dict) else False
    if not isinstance(wanted, list):
        return None
    return _some(_match(one, there) for one in wanted) if isinstance(there, str) else False


def _match(matcher: Any, there: str) -> bool | None:
    if not isinstance(matcher, dict):
        return bool(matcher == there)
    if len(matcher) != 1:
        return None
    [(name, value)] = matcher.items()
    if name == "exists":
        return bool(value is True)
    if name == "anything-but":
        return _not(_some(_compare("equals", one, there) for one in _listed(value)))
    return _compare(name, value, there)


def _compare(name: str, value: Any, there: str) -> bool | None:
    if name == "equals" and isinstance(value, dict):  # within anything-but, maybe several of a kind
        if len(value) != 1:
            return None
        [(name, inner)] = value.items()
        return _some(_compare(name, one, there) for one in _listed(inner))
    if name in ("prefix", "suffix") and isinstance(value, dict):
        folded = value.get("equals-ignore-case")
        return COMPARED[name](folded.lower(), there.lower()) if isinstance(folded, str) else None
    if name == "equals" and not isinstance(value, str):
        return False
    if name not in COMPARED or not isinstance(value, str):
        return None
    return COMPARED[name](value, there)


def _wild(pattern: str, there: str) -> bool:
    r"""``*`` is any text, also none; ``\*`` and ``\\`` are themselves."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    text = "".join(".*" if one == "*" else re.escape(one[-1]) for one in parts)
    return re.fullmatch(text, there, re.DOTALL) is not None


COMPARED: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda value, there: there == value,
    "prefix": lambda value, there: there.startswith(value),
    "suffix": lambda value, there: there.endswith(value),
    "equals-ignore-case": lambda value, there: there.lower() == value.lower(),
    "wildcard": _wild,
}


def _filter(matcher: Any) -> KeyFilter | None:
    """The keys that one matcher takes."""
    if isinstance(matcher, str):
        return KeyFilter(matcher, matcher)
    if not isinstance(matcher, dict) or len(matcher) != 1:
        return None
    [(name, value)] = matcher.items()
    if name in ("prefix", "suffix") and isinstance(value, str):
        return KeyFilter(**{name: value})
    if name == "wildcard" and isinstance(value, str):
        return _ends(value)
    every = (name == "exists" and value is True) or (name == "anything-but" and _of_torrents(value))
    return KeyFilter() if every else None


def _of_torrents(left_out: Any) -> bool:
    """Whether a pattern without these keys lacks nothing: no torrents of torrents are made."""
    if not isinstance(left_out, dict) or list(left_out) != ["suffix"]:
        return False
    ends = _listed(left_out["suffix"])
    return all(isinstance(one, str) and one.lower().endswith(TORRENT) for one in ends)


def _ends(wildcard: str) -> KeyFilter | None:
    """None where it asks for more than ends."""
    if "\\" in wildcard:
        return None
    head, *inner, tail = re.split(r"\*+", wildcard) if "*" in wildcard else (wildcard, wildcard)
    return None if any(inner) else KeyFilter(head, tail)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _not(found: bool | None) -> bool | None:  # noqa: FBT001 - of three values
    return None if found is None else not found


def _every(found: Iterable[bool | None]) -> bool | None:
    return _not(_some(_not(one) for one in found))


def _some(found: Iterable[bool | None]) -> bool | None:
    seen = list(found)
    if True in seen:
        return True
    return None if None in seen else False
