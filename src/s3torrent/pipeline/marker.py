"""Where a backfill is, in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from s3torrent.errors import UsageError

LISTING = "listing"
EACH = 1000
"""After how many objects the place is written: as many are sent again at most."""


@dataclass
class Marker:
    """A backfill of ``bucket`` below ``prefix`` from ``source`` (LISTING, or the list's name) with these
    ``filters`` is behind ``after``: all before it is done. Without ``path`` nothing is kept.
    """

    path: Path | None
    bucket: str
    prefix: str
    source: str = LISTING
    filters: str = ""
    after: str = ""
    _moved: int = field(default=0, repr=False)

    @classmethod
    def read(
        cls, path: str | None, bucket: str, prefix: str, source: str = LISTING, filters: str = ""
    ) -> Marker:
        """At the beginning where there is no such file. Raises UsageError for one of another backfill."""
        marker = cls(Path(path) if path else None, bucket, prefix, source, filters)
        if marker.path is None or not marker.path.exists():
            return marker
        try:
            told = json.loads(marker.path.read_text(encoding="utf-8"))
            found = (told["bucket"], told["prefix"], told.get("source", LISTING))
            after, filtered = str(told["after"]), told.get("filters", filters)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"--resume {path} is no marker of a backfill: {error}", hint="remove it, or name another"
            ) from None
        if found != (bucket, prefix, source):
            raise UsageError(
                f"--resume {path} is of s3://{found[0]}/{found[1]} from {found[2]}, "
                f"not of s3://{bucket}/{prefix} from {source}",
                hint="name another file",
            )
        if filtered != filters:
            raise UsageError(
                f"--resume {path} is of a backfill with other filters: {filtered or 'none'}; "
                f"expected {filters or 'none'}",
                hint="name another file, or give the filters as they were",
            )
        marker.after = after
        return marker

    def moved(self, after: str, count: int) -> None:
        """All up to ``after`` is done, ``count`` objects more than before."""
        self.after = after
        self._moved += count
        if self._moved >= EACH:
            self.write()

    def write(self) -> None:
        """Whole or not at all. Raises UsageError where the file cannot be written."""
        self._moved = 0
        if self.path is None:
            return
        told = {
            "bucket": self.bucket,
            "prefix": self.prefix,
            "source": self.source,
            "filters": self.filters,
            "after": self.after,
        }
        beside = self.path.with_name(self.path.name + ".part")
        try:
            beside.write_text(json.dumps(told) + "\n", encoding="utf-8")
            beside.replace(self.path)
        except OSError as error:
            raise UsageError(
                f"--resume {self.path} cannot be written: {error.strerror}", hint="name a file that can"
            ) from None
