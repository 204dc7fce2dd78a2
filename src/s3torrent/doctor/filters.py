"""Of which keys a bucket's notifications tell: filters, what they cover, what the settings leave of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3torrent.config import Settings

CREATED = "s3:ObjectCreated:*"
FURTHER = ("s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed")
WANTED = (CREATED, *FURTHER)
WAYS = ("Put", "Post", "Copy", "CompleteMultipartUpload")
"""How an object is created: four events that are as good as ``s3:ObjectCreated:*``."""


@dataclass(frozen=True, slots=True)
class KeyFilter:
    prefix: str = ""
    suffix: str = ""

    def holds(self, other: KeyFilter) -> bool:
        """Whether every key that passes ``other`` passes this one."""
        return other.prefix.startswith(self.prefix) and other.suffix.endswith(self.suffix)

    def meets(self, other: KeyFilter) -> bool:
        """Whether a key may pass both."""
        return _either(self.prefix, other.prefix, str.startswith) and _either(
            self.suffix, other.suffix, str.endswith
        )

    @property
    def breadth(self) -> int:
        """The less, the more keys."""
        return len(self.prefix) + len(self.suffix)

    def __str__(self) -> str:
        parts = (("prefix", self.prefix), ("suffix", self.suffix))
        return " and ".join(f"{name} {text}" for name, text in parts if text)


def _either(one: str, other: str, begins: Any) -> bool:
    return bool(begins(one, other) or begins(other, one))


def filter_of(entry: dict[str, Any]) -> KeyFilter:
    """``entry``: one of a bucket's notification configuration."""
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    found = {str(rule.get("Name", "")).lower(): str(rule.get("Value", "")) for rule in rules}
    return KeyFilter(found.get("prefix", ""), found.get("suffix", ""))


def of_keys(filters: Iterable[KeyFilter]) -> str:
    """For people; "" where every key passes."""
    texts = [str(one) for one in filters if one.breadth]
    return f", of keys with {' or '.join(texts)}" if texts else ""


def covered(wanted: str, told: Iterable[str]) -> bool:
    """Whether events ``told`` are all of ``wanted``."""
    there = set(told)
    if any(one == wanted or (one.endswith("*") and wanted.startswith(one[:-1])) for one in there):
        return True
    kind = wanted.removesuffix("*")
    return wanted == CREATED and all(f"{kind}{way}" in there for way in WAYS)


def clashes(event: str, where: KeyFilter, other: dict[str, Any]) -> bool:
    """Whether S3 refuses ``event`` of these keys beside the entry ``other``: both may hear of one key."""
    kind = event.removesuffix("*")
    same = any(one.startswith(kind) or covered(event, {one}) for one in other["Events"])
    return same and where.meets(filter_of(other))


def lacking(entries: list[dict[str, Any]]) -> dict[KeyFilter, list[str]]:
    """By filter under which creations are told: what of ``WANTED`` is not told of every such key."""
    kind = CREATED.removesuffix("*")
    found = {filter_of(one) for one in entries if any(e.startswith((kind, "s3:*")) for e in one["Events"])}
    return {
        where: [event for event in WANTED if not covered(event, _told(entries, where))]
        for where in sorted(found, key=lambda one: (one.breadth, one.prefix, one.suffix))
    }


def _told(entries: list[dict[str, Any]], where: KeyFilter) -> set[str]:
    return {event for entry in entries if filter_of(entry).holds(where) for event in entry["Events"]}


def conflict(settings: Settings, where: KeyFilter) -> str | None:
    """Why no key that passes is one that the function takes; None where some may be."""
    if where.suffix.lower().endswith(".torrent"):
        return f"keys that end in {where.suffix}: no torrents of torrents are made"
    if settings.control_prefix and where.prefix.startswith(settings.control_prefix):
        return f"keys below {where.prefix}, where s3torrent keeps its own files"
    if settings.include and not any(literal_ends(one).meets(where) for one in settings.include):
        return f"keys with {where}, and TORRENT_INCLUDE takes {', '.join(settings.include)}"
    out = next((one for one in settings.exclude if leaves_out(one, where)), None)
    if out:
        return f"keys{f' with {where}' if where.breadth else ''}, and TORRENT_EXCLUDE leaves out {out}"
    return None


def literal_ends(pattern: str) -> KeyFilter:
    """What every key that matches ``pattern`` begins and ends with, at least."""
    special = [place for place, char in enumerate(pattern) if char in "*?[]"]
    if not special:
        return KeyFilter(pattern, pattern)
    return KeyFilter(pattern[: special[0]], pattern[special[-1] + 1 :])


def leaves_out(pattern: str, where: KeyFilter) -> bool:
    """Whether surely every key that passes matches ``pattern``."""
    head, star, tail = pattern.partition("*")
    tail = tail.lstrip("*")
    if not star or any(char in "*?[" for char in head + tail):
        return False
    return KeyFilter(head, tail).holds(where)
