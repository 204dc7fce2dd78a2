"""The status of some uploads, followed until each has ended: live on a terminal, line by line elsewhere."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.live import Live
from rich.table import Table
from rich.text import Text

from s3torrent.errors import StackError
from s3torrent.status.base import COMPLETED, FAILED, PENDING, SKIPPED
from s3torrent.status.timestamp import from_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from rich.console import Console

    from s3torrent.status.base import StatusItem
    from s3torrent.types import ObjectRef

STYLES = {COMPLETED: "green", SKIPPED: "yellow", FAILED: "red"}
"""The states in which the work on a version ends, at least for this try."""


@dataclass(slots=True)
class Upload:
    """One object version that was put, how it is to end, and its status item (None: not there yet)."""

    ref: ObjectRef
    label: str
    size: int
    version_id: str | None
    at: datetime
    expected: str = COMPLETED
    item: StatusItem | None = None

    @property
    def status(self) -> str:
        return self.item.status if self.item else PENDING

    @property
    def ended(self) -> bool:
        return self.status in STYLES

    @property
    def seconds(self) -> float | None:
        """From the end of the upload to the end of the work."""
        if not self.item or not self.ended:
            return None
        return max(0.0, (from_text(self.item.get("updatedAt")) - self.at).total_seconds())

    @property
    def told(self) -> str:
        """The info-hash, or else the reason."""
        if self.item is None:
            return ""
        info_hash = self.item.get("infoHashV1") or self.item.get("infoHashV2")
        return str(info_hash or self.item.get("reason") or "")


class Board:
    """Follows ``uploads``: ``poll`` looks once, by ``look`` (a status store's ``get``), and shows changes."""

    def __init__(self, look: Callable[[str], StatusItem | None], console: Console) -> None:
        self.uploads: list[Upload] = []
        self._look = look
        self._console = console
        self._live: Live | None = None

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        with Live(self.table(), console=self._console, auto_refresh=False) as self._live:
            yield

    def poll(self) -> None:
        """Raises StackError when one has ended otherwise than expected."""
        for upload in self.uploads:
            if upload.ended:
                continue
            item = self._look(str(upload.ref))
            # The key's item may still be that of the version before.
            if item is None or item.get("versionId", upload.version_id) != upload.version_id:
                continue
            before, upload.item = upload.status, item
            if upload.status != before and self._live is None:
                self._console.print(_line(upload), soft_wrap=True, highlight=False)
            _check(upload)
        if self._live:
            self._live.update(self.table(), refresh=True)

    @property
    def done(self) -> bool:
        return all(upload.ended for upload in self.uploads)

    def table(self) -> Table:
        table = Table(
            "Object", "Size", "Status", "After", "Info-hash", box=None, pad_edge=False, padding=(0, 2, 0, 0)
        )
        table.columns[4].overflow = "fold"
        for upload in self.uploads:
            table.add_row(
                Text(upload.label),
                decimal(upload.size),
                Text(upload.status, STYLES.get(upload.status, "")),
                _seconds(upload),
                Text(upload.told),
            )
        return table


def _line(upload: Upload) -> Text:
    parts = (f"{upload.status:<17}", upload.label, decimal(upload.size), _seconds(upload), upload.told)
    return Text("  " + "  ".join(part for part in parts if part))


def _seconds(upload: Upload) -> str:
    return "" if upload.seconds is None else f"{upload.seconds:.1f} s"


def _check(upload: Upload) -> None:
    error = upload.item.get("error", {}) if upload.item else {}
    if upload.ended and upload.status != upload.expected:
        raise StackError(
            f"{upload.label} ended as {upload.status}, expected {upload.expected}: {upload.told}",
            hint=str(error.get("hint", "")),
        )
