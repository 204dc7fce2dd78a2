"""What a check found: a colour, the cause in one line, and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    GREY = "grey"


MEANING = {
    Level.GREEN: "as it must be",
    Level.YELLOW: "works, but not for all objects, not for ever, or with loss of time or money",
    Level.RED: "objects stay without a torrent, or events are lost",
    Level.GREY: "could not be looked at; the cause says what is lacking",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` is a name of ``checks.CHECKS``, filled in by whoever runs it. ``mend`` is a line for a shell,
    "" where nothing is to be mended, or nobody knows what.
    """

    level: Level
    cause: str
    mend: str = ""
    check: str = ""

    def as_dict(self) -> dict[str, str | None]:
        """docs/json.md has the schema."""
        return {
            "check": self.check,
            "level": self.level.value,
            "cause": self.cause,
            "mend": self.mend or None,
        }


def green(cause: str) -> Finding:
    return Finding(Level.GREEN, cause)


def yellow(cause: str, mend: str) -> Finding:
    return Finding(Level.YELLOW, cause, mend)


def red(cause: str, mend: str) -> Finding:
    return Finding(Level.RED, cause, mend)


def grey(cause: str, mend: str = "") -> Finding:
    return Finding(Level.GREY, cause, mend)
