"""A recording into a file: yt-dlp into a folder of its own, then all that plays as one file."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s3torrent.capture import ffmpeg, ytdlp
from s3torrent.capture.program import Program
from s3torrent.errors import EmptyContent, NoSpace, OutputExists, ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from s3torrent.capture.program import Surroundings
    from s3torrent.capture.said import Said

MATROSKA = b"\x1a\x45\xdf\xa3"
NOT_CONTENT = re.compile(r"\.ytdl$|-Frag\d+|\.temp\.")
"""yt-dlp's notes, the fragment it was at, and what it or we were putting together."""
MORE_SPACE = (
    "raise the task's ephemeral storage (up to 200 GiB on Fargate), or use RECORD_MODE=pipe, which needs none"
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What yt-dlp left: files that play, and why it ended where that was not the end of the source."""

    files: tuple[Path, ...]
    size: int
    trouble: str = ""
    no_space: bool = False


def download(url: str, around: Surroundings, progress: Callable[[int], object]) -> Recorded:
    """Record into ``around.folder``, empty and ours, until the source ends or ``around.stop`` is set.

    ``progress`` is told the bytes so far. Raises EmptyContent where it was stopped before anything came;
    NoSpace and ProgramFailed where nothing that plays was recorded; ProgramMissing.
    """
    folder = around.folder
    with Program(ytdlp.download(url), around) as program:
        code = program.wait(lambda: progress(size_of(folder)))
        said = program.said
    recorded = left_in(around, merged=code == 0)
    progress(recorded.size)
    if not recorded.files:
        raise _nothing(said, code, recorded.size, around)
    trouble = "" if around.stop.is_set() else _trouble(said, code)
    return replace(recorded, trouble=trouble, no_space=code != 0 and said.no_space)


def left_in(around: Surroundings, *, merged: bool = False) -> Recorded:
    """What plays of what lies in ``around.folder``; ``merged`` where yt-dlp came to its own good end."""
    found = _content(around.folder, merged=merged)
    files = tuple(path for path in found if _plays(path, around.unstopped))
    return Recorded(files, size_of(around.folder))


def finish(recorded: Recorded, target: Path, around: Surroundings) -> None:
    """All of it as one Matroska file ``target``, which appears whole; ``around.folder`` is removed then.

    Raises NoSpace (the files are left as they are), ProgramFailed, OutputExists.
    """
    made = around.folder / "finished.temp.mkv"
    if len(recorded.files) == 1 and _is_matroska(recorded.files[0]):
        made = recorded.files[0]
    else:
        with Program(ffmpeg.into_file(recorded.files, made), around.unstopped) as program:
            code = program.wait()
            said = program.said
        if code:
            made.unlink(missing_ok=True)
            if said.no_space:
                raise NoSpace(
                    f"no space to put {recorded.size:,} recorded bytes into {target}", hint=MORE_SPACE
                )
            raise ProgramFailed(
                f"ffmpeg made no Matroska file of what lies in {around.folder} (exit code {code}); "
                f"it printed: {said.told}",
                hint="what was recorded is still there",
            )
    if target.exists():
        raise OutputExists(f"{target} has appeared meanwhile", hint=f"what was recorded is {made}")
    made.rename(target)
    shutil.rmtree(around.folder, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of its files; one that vanishes meanwhile counts nothing."""
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                total += entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue
    return total


def _content(folder: Path, *, merged: bool) -> list[Path]:
    """The files that hold what was recorded, the largest (the video) first.

    A merge that did not end well has left its sources beside it.
    """
    found = [
        path
        for path in folder.iterdir()
        if path.is_file() and not NOT_CONTENT.search(path.name) and path.stat().st_size
    ]
    target = folder / f"{ytdlp.STEM}.mkv"
    if not merged and len(found) > 1 and target in found:
        found.remove(target)
    return sorted(found, key=lambda path: path.stat().st_size, reverse=True)


def _plays(path: Path, around: Surroundings) -> bool:
    return any(track.plays for track in ffmpeg.tracks(ffmpeg.local(path), around))


def _is_matroska(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MATROSKA)) == MATROSKA


def _trouble(said: Said, code: int) -> str:
    if code:
        return f"the source ended with an error: {said.told}"
    return f"the source had errors, the last: {said.lost}" if said.lost else ""


def _nothing(said: Said, code: int, size: int, around: Surroundings) -> Exception:
    lies = f"; {size:,} bytes lie in {around.folder}" if size else ""
    if said.no_space:
        return NoSpace(f"the disk was full before anything that plays was recorded{lies}", hint=MORE_SPACE)
    if around.stop.is_set():
        return EmptyContent(
            f"stopped before anything that plays was recorded{lies}", hint="nothing to do, if that was meant"
        )
    return ProgramFailed(
        f"{ytdlp.NAME} recorded nothing that plays (exit code {code}){lies}; it printed: {said.told}",
        hint="look whether the URL is still there; a new yt-dlp may know a site that an old one does not",
    )
