"""Text of strangers and plain numbers, as people are to see them. ``assets/rows.js`` does the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime

UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Control characters, line ends, and what changes the direction of others or is not to be seen at all.

Not U+200C and U+200D: Persian and emojis are written with them. The list is fixed, so that page and script
agree whatever Unicode each knows.
"""
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def escaped(char: str) -> str:
    return _SHORT.get(char) or char.encode("unicode_escape").decode("ascii")


def seen(text: str) -> str:
    r"""``text`` with what is not to be seen as escapes (``\u202e``), for places that take plain text."""
    return UNSEEN.sub(lambda found: escaped(found[0]), text)


def parts(text: str) -> list[tuple[str, bool]]:
    """``text`` in pieces, True for those that are escapes."""
    found: list[tuple[str, bool]] = []
    end = 0
    for match in UNSEEN.finditer(text):
        if match.start() > end:
            found.append((text[end : match.start()], False))
        found.append((escaped(match[0]), True))
        end = match.end()
    if end < len(text):
        found.append((text[end:], False))
    return found


def size_text(count: int) -> str:
    """``1.5 GiB``, rounded half up: in whole numbers, as Python and JavaScript round floats differently."""
    unit = 0
    while unit < len(_UNITS) - 1 and (count >> 10 * unit) >= 1024:
        unit += 1
    if not unit:
        return f"{count} byte{'' if count == 1 else 's'}"
    tenths = (count * 10 + (1 << (10 * unit - 1))) >> (10 * unit)
    return f"{tenths // 10}.{tenths % 10} {_UNITS[unit]}"


def date_text(seconds: int) -> str:
    """``24 Nov 2026``, UTC."""
    date = datetime.fromtimestamp(seconds, UTC)
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def instant_text(seconds: int) -> str:
    """``2026-11-24T14:00:00Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
