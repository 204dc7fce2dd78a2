"""What a program has printed: the end of it, readable and without secrets."""

from __future__ import annotations

import io
import re
import threading
from collections import deque
from typing import IO, TYPE_CHECKING

from s3torrent.capture.url import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

LINE_BYTES = 2000
"""A longer line is cut."""
KEPT_LINES = 100
TAIL_CHARACTERS = 2000
TOLD_CHARACTERS = 500
"""How much of it goes into an error."""

NO_SPACE = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|\[Errno (?:28|27|122)\]", re.IGNORECASE
)
LOST = re.compile(
    r"Failed to reload playlist|Failed to open segment|HTTP error [45]\d\d|Connection refused"
    r"|Connection reset|Connection timed out|Input/output error|Skipping fragment|Giving up after",
    re.IGNORECASE,
)
"""How ffmpeg and yt-dlp say that the source broke; both may then end as if all were well."""


class Transcript:
    """The end of what all programs of a recording said; ``hear`` is called from their threads."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)

    def hear(self, line: str) -> None:
        self._lines.append(line)

    @property
    def tail(self) -> str:
        """Its last TAIL_CHARACTERS."""
        return "\n".join(self._lines.copy())[-TAIL_CHARACTERS:]


class Said:
    """Reads ``pipe`` to its end in a thread of its own. Memory: KEPT_LINES * LINE_BYTES.

    ``hear`` is called with each line, from that thread.
    """

    def __init__(self, pipe: IO[bytes], hear: Callable[[str], object]) -> None:
        self._hear = hear
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.no_space = False
        self.lost: str | None = None
        """The last line that tells of a broken source."""
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True, name="said")
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Waits until all is read, at most so long: a stray process may hold the pipe open."""
        self._thread.join(seconds)

    @property
    def told(self) -> str:
        """The end of it on one line, for a message."""
        return " ".join(" ".join(self._lines.copy()).split())[-TOLD_CHARACTERS:] or "nothing"

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe, io.BufferedReader(pipe) as lines:  # type: ignore[type-var] # a FileIO: Popen had bufsize=0
            while chunk := lines.readline(LINE_BYTES):
                line = redacted(chunk.decode("utf-8", "replace").strip())
                if line:
                    self._take(line)

    def _take(self, line: str) -> None:
        self._lines.append(line)
        self.no_space = self.no_space or bool(NO_SPACE.search(line))
        if LOST.search(line):
            self.lost = line
        self._hear(line)
