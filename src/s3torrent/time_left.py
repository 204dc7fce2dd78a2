"""How long an invocation of the function lasts, and when it is too late to begin something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import OutOfTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.types import TorrentRequest

START_MARGIN_MS = 10_000
"""With less than this (or a third of the whole) left no further object is begun; its record goes back."""

END_MARGIN_MS = 5_000
"""Hashing ends this long (or a sixth of the whole) before Lambda would kill the process, so that the
reason can still be written.
"""


class TimeLeft:
    """How long this invocation lasts; ``remaining`` gives milliseconds."""

    def __init__(self, remaining: Callable[[], float]) -> None:
        self._remaining = remaining
        whole = remaining()
        self._start_margin = min(START_MARGIN_MS, whole / 3)
        self._end_margin = min(END_MARGIN_MS, whole / 6)

    def for_one_more(self, request: TorrentRequest) -> float:
        """Seconds that an object begun now may take. Raises OutOfTime where it is too late to begin."""
        left = self._remaining()
        if left < self._start_margin:
            error = OutOfTime(f"{request.ref} not begun: {left / 1000:.1f} s left in this invocation")
            error.progressed = None
            raise error
        return self.seconds()

    def seconds(self) -> float:
        """How long work may go on, so that its end can still be written."""
        return (self._remaining() - self._end_margin) / 1000
