"""Where in a list of objects a backfill is, so that an interrupted one goes on from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from s3torrent.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Position:
    """Behind ``row`` (from 1; 0 is before the first) of the list's ``file`` (from 0), which names ``key``."""

    file: int = 0
    row: int = 0
    key: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.row}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """``text`` as ``str`` wrote it, or "" for the beginning. Raises UsageError."""
        if not text:
            return cls()
        numbers = text.split(":", 2)
        if len(numbers) != 3 or not all(one.isdecimal() and one.isascii() for one in numbers[:2]):
            raise UsageError(
                f"the marker {text!r} is no place in a list; expected FILE:ROW:KEY",
                hint="name another --resume file, or remove it to begin anew",
            )
        return cls(int(numbers[0]), int(numbers[1]), numbers[2])

    def behind(self, rows: Iterable[tuple[int, str | None, T]], name: str) -> Iterator[tuple[int, T]]:
        """The rows (number, key, and the rest) of this file that come after; ``name`` is for messages.

        Raises UsageError where another key stands at this place: the list is not the one it was.
        """
        reached = not self.row
        for number, key, rest in rows:
            if number > self.row:
                self._require(name, found="nothing", reached=reached)
                yield number, rest
            elif number == self.row:
                self._require(name, found=repr(key), reached=key == self.key)
                reached = True
        self._require(name, found="its end", reached=reached)

    def _require(self, name: str, *, found: str, reached: bool) -> None:
        if not reached:
            raise UsageError(
                f"{name}, row {self.row:,}: found {found}, expected {self.key!r}, where the backfill was",
                hint="give the list as it was, or remove the --resume file to begin anew",
            )
