"""A recording that never touches a disk: ffmpeg's output as a stream.

yt-dlp is asked for the addresses of the best video and audio, and ffmpeg reads them: yt-dlp's own ``-o -``
writes MPEG-TS, and kills its ffmpeg where it should ask it to end.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from s3torrent.capture import ffmpeg, ytdlp
from s3torrent.capture.program import Program
from s3torrent.errors import EmptyContent, ProgramFailed

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from s3torrent.capture.program import Surroundings


class Live:
    """Matroska, unbuffered, as it comes. ``programs`` are those at work, the one that writes last."""

    def __init__(self, programs: Sequence[Program], stop: threading.Event) -> None:
        self._programs, self._stop = programs, stop
        self.size = 0

    def fileno(self) -> int:
        output = self._programs[-1].stdout
        assert output
        return output.fileno()

    def readinto(self, buffer: memoryview, /) -> int:
        count = os.readv(self.fileno(), [buffer])
        self.size += count
        return count

    def trouble(self) -> str:
        """After the end: why it ended, where that was not the end of the source; "" where all was well."""
        codes = [program.wait() for program in self._programs]
        said = [program.said for program in self._programs]
        if self._stop.is_set():
            return ""
        for code, words in zip(codes, said, strict=True):
            if code:
                return f"the source ended with an error: {words.told}"
        lost = said[0].lost
        return f"the source had errors, the last: {lost}" if lost else ""

    def nothing(self) -> EmptyContent | ProgramFailed:
        """Why nothing came."""
        codes = [program.wait() for program in self._programs]
        if self._stop.is_set():
            return stopped()
        return ProgramFailed(
            f"ffmpeg recorded nothing (exit code {codes[0]}); it printed: {self._programs[0].said.told}",
            hint="look whether the URL is still there; RECORD_MODE=file knows more kinds of stream",
        )


def stopped() -> EmptyContent:
    return EmptyContent("stopped before anything was recorded", hint="nothing to do, if that was meant")


@contextlib.contextmanager
def live(url: str, around: Surroundings) -> Iterator[Live]:
    """Record until the source ends or ``around.stop`` is set.

    Raises ProgramFailed, ProgramMissing, EmptyContent.
    """
    try:
        media = ytdlp.resolve(url, around)
    except ProgramFailed:
        if around.stop.is_set():
            raise stopped() from None
        raise
    audio = [track for track in ffmpeg.tracks(media[-1].arguments, around) if track.kind == "audio"]
    with contextlib.ExitStack() as stack:
        if not (audio and audio[0].is_adts):
            only = stack.enter_context(Program(ffmpeg.stream(media), around, output=True))
            yield Live([only], around.stop)
            return
        read, write = ffmpeg.stream_adts(media)
        reader = stack.enter_context(Program(read, around, output=True))
        assert reader.stdout
        # It ends when what it reads ends, with all of it written.
        writer = stack.enter_context(Program(write, around.unstopped, output=True, reads=reader.stdout))
        reader.stdout.close()  # or the reader would not see that the writer is gone
        yield Live([reader, writer], around.stop)
