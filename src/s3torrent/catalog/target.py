"""Where a catalogue is written to: a folder, or a prefix of a bucket. A path is relative, with ``/``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from s3torrent.errors import OutputExists

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE, DAY = 60, 86400
KINDS = {
    ".html": ("text/html; charset=utf-8", 5 * MINUTE),
    ".css": ("text/css; charset=utf-8", 5 * MINUTE),
    ".js": ("text/javascript; charset=utf-8", 5 * MINUTE),
    ".svg": ("image/svg+xml", DAY),
    ".xml": ("application/rss+xml; charset=utf-8", 5 * MINUTE),
    ".json": ("application/json", 5 * MINUTE),
}
"""Content-Type of a file by the end of its name, and how many seconds it may be kept: what is new is to be
seen soon, and what has not changed is not sent again, by its ETag.
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What lies at a path: its bytes; ``mark`` tells this state from another (an ETag)."""

    body: bytes
    mark: str


class Target(Protocol):
    """``name`` is for people; ``patience``: after how many seconds without a change another run, which is not
    done, is held to have been ended. Errors are those of a store; threads may share it.
    """

    name: str
    patience: float

    def paths(self) -> set[str]:
        """Those of ``mark.PATH`` at which something lies, whoever wrote it."""
        ...

    def read(self, path: str) -> Held | None:
        """A file of ours; None where there is none. Raises OutputExists where it is not ours."""
        ...

    def write(self, path: str, body: bytes, *, replaces: Held | None = None, fresh: bool = False) -> Held:
        """Write atomically, and tell what lies there now; ``fresh``: most likely nothing lies there.

        With ``replaces`` over exactly that, else over nothing or what is ours: raises WriteConflict where
        another writer was first, OutputExists where something lies there that is not ours.
        """
        ...

    def remove(self, paths: Iterable[str]) -> None:
        """Delete those of ours that are there."""
        ...


def kind_of(path: str) -> tuple[str, int]:
    return KINDS[path[path.rindex(".") :]]


def not_ours(what: object) -> OutputExists:
    return OutputExists(
        f"{what} is there already and was not written by s3torrent; left as it is",
        hint="name another place, or pass --force to replace it",
    )
