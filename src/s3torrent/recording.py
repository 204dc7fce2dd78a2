"""How one recording goes: into a file and then up, or straight up; and what is done after one was killed.

Nothing that was recorded is given up while there is a way to keep it: each ending of a capture that left
something playable ends in an object and its torrent.
"""

from __future__ import annotations

import errno
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from s3torrent.capture import ffmpeg
from s3torrent.capture.download import MORE_SPACE, Recorded, download, finish, left_in
from s3torrent.capture.live import Live, live
from s3torrent.capture.program import Program, Surroundings
from s3torrent.errors import (
    AccessDenied,
    BadName,
    EmptyContent,
    NoSpace,
    OutputExists,
    ProgramFailed,
    S3TorrentError,
)
from s3torrent.pipeline.killed import NotedUploads, complete_begun, let_go
from s3torrent.pipeline.outcome import Outcome
from s3torrent.pipeline.put import put
from s3torrent.pipeline.record import record
from s3torrent.pipeline.upload import look
from s3torrent.status.base import COMPLETED
from s3torrent.store.base import PASSING
from s3torrent.types import ObjectRef, Upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from s3torrent.pipeline.journal import Journal, NoJournal
    from s3torrent.pipeline.upload import Uploader
    from s3torrent.store.base import ObjectReader, UploadStore

    Make: TypeAlias = Callable[[ObjectRef], Outcome]
    Hear: TypeAlias = Callable[[str], object]

WORK_SUFFIX = ".recording"
UPLOAD_PAUSES = (5.0, 30.0, 60.0, None)
"""Seconds between the tries to upload a finished recording while S3 does not answer."""


@dataclass(frozen=True)
class Recording:
    """What from, where to, and with what.

    ``reader`` reads local files. ``make`` makes the torrent of an object that is there already, None where no
    table says who may. ``note`` is a file that outlives this process: the multipart upload of a stream.
    """

    url: str
    outfile: Path
    ref: ObjectRef
    uploader: Uploader
    reader: ObjectReader
    make: Make | None
    journal: Journal | NoJournal
    stop: threading.Event
    hear: Hear
    note: Path | None = None

    @property
    def folder(self) -> Path:
        """Where a recording into a file works, on OUTFILE's own disk."""
        return self.outfile.with_name(self.outfile.name + WORK_SUFFIX)

    @property
    def at_work(self) -> Surroundings:
        return Surroundings(self.stop, self.hear, self.folder)


def into_file(recording: Recording) -> tuple[Outcome, str]:
    """yt-dlp to OUTFILE, then up: the outcome, and what was wrong with the source ("" if nothing).

    Raises before anything is recorded where the object or OUTFILE is there already. Raises NoSpace where the
    disk was full, after what was recorded until then has got its object and its torrent.
    """
    _look(recording)
    _make_folder(recording)
    recorded = download(recording.url, recording.at_work, recording.journal.progress)
    return _keep(recording, recorded)


def into_stream(recording: Recording) -> tuple[Outcome, str]:
    """Straight up, through ffmpeg: as above."""
    _look(recording)
    noted = NotedUploads(recording.uploader.store, lambda upload: _write_down(recording, upload))
    uploader = replace(recording.uploader, store=cast("UploadStore", noted))
    with live(recording.url, Surroundings(recording.stop, recording.hear)) as source:
        try:
            outcome = record(
                uploader, source, recording.ref, progress=recording.journal.progress, stop=threading.Event()
            )
        except EmptyContent:
            raise source.nothing() from None
        return outcome, source.trouble()


def file_after_kill(recording: Recording, reason: str) -> tuple[Outcome, str]:
    """Take up what lies on disk: a finished OUTFILE, or what plays of the folder."""
    if recording.outfile.is_file():
        return _up_or_there(recording), reason
    if recording.folder.is_dir():
        recorded = left_in(recording.at_work)
        if recorded.files:
            outcome, trouble = _keep(recording, recorded)
            return outcome, trouble or reason
    raise _nothing_left(reason)


def stream_after_kill(recording: Recording, reason: str) -> tuple[Outcome, str]:
    """Complete the multipart upload with the parts that had arrived, and make the torrent of that."""
    if not recording.note or not recording.note.is_file():
        raise _nothing_left(reason)
    complete_begun(recording.uploader.store, Upload(recording.ref, recording.note.read_text()))
    return _torrent(recording), reason


def free(recording: Recording, reason: str) -> None:
    """What the killed one held of the object's own item."""
    if recording.uploader.status:
        let_go(recording.uploader.status, str(recording.ref), owner=recording.uploader.owner, reason=reason)


def _look(recording: Recording) -> None:
    """What would keep the recording out of the bucket is found before there is one."""
    try:
        look(recording.uploader, recording.ref, force=False)
    except OutputExists as error:
        error.hint = "name another OUTFILE or S3_KEY, or move it away"
        raise


def _keep(recording: Recording, recorded: Recorded) -> tuple[Outcome, str]:
    """Its object and torrent: through OUTFILE, or, where the disk has no room for that, straight up."""
    trouble = recorded.trouble
    try:
        finish(recorded, recording.outfile, recording.at_work)
    except NoSpace as error:
        trouble = trouble or error.message
        outcome = _straight_up(recording, recorded)
    else:
        outcome = _up(recording)
    if recorded.no_space:
        raise NoSpace(
            f"the disk was full after {recorded.size:,} bytes; "
            f"what was recorded until then is {recording.ref}, with its torrent",
            hint=MORE_SPACE,
        )
    return outcome, trouble


def _straight_up(recording: Recording, recorded: Recorded) -> Outcome:
    around = recording.at_work.unstopped
    with Program(ffmpeg.into_pipe(recorded.files), around, output=True) as program:
        return record(
            recording.uploader,
            Live([program], around.stop),
            recording.ref,
            progress=lambda done, _phase="": recording.journal.progress(done),
            stop=threading.Event(),
        )


def _up(recording: Recording) -> Outcome:
    """OUTFILE into the bucket; while S3 does not answer, again and again, unless it is to stop."""
    source = recording.reader.head(ObjectRef("", str(recording.outfile.absolute()))).version
    for pause in UPLOAD_PAUSES:
        try:
            return put(
                recording.uploader,
                source,
                recording.reader,
                recording.ref,
                progress=recording.journal.progress,
            )
        except PASSING:
            if pause is None or recording.stop.wait(pause):
                raise
    raise AssertionError  # the last pause is None


def _up_or_there(recording: Recording) -> Outcome:
    """An object of the same size that lies there was this one's upload, killed before its torrent."""
    try:
        return _up(recording)
    except OutputExists:
        there = recording.uploader.store.head(recording.ref).version.size
        if there != recording.outfile.stat().st_size:
            raise
        return _torrent(recording)


def _torrent(recording: Recording) -> Outcome:
    if recording.make is None:
        return Outcome(str(recording.ref), COMPLETED, "its torrent is left to the function")
    return recording.make(recording.ref)


def _write_down(recording: Recording, upload: Upload) -> None:
    if recording.note:
        with suppress(OSError):  # it is for the worst case, and must not bring it about
            recording.note.write_text(upload.upload_id)


def _nothing_left(reason: str) -> ProgramFailed:
    return ProgramFailed(
        f"{reason}; it left nothing that plays", hint="raise the task's memory, if it ran out of that"
    )


def _make_folder(recording: Recording) -> None:
    """The working folder, new. Raises OutputExists, AccessDenied, NoSpace, BadName."""
    try:
        for path in (recording.outfile, recording.folder):
            if path.exists() or path.is_symlink():
                raise OutputExists(f"{path} is there already", hint="name another OUTFILE, or move it away")
        recording.folder.mkdir(parents=True)
    except OSError as error:
        message = f"{recording.folder} cannot be made: {error.strerror}"
        kind: type[S3TorrentError] = {
            errno.ENOSPC: NoSpace,
            errno.EDQUOT: NoSpace,
            errno.ENAMETOOLONG: BadName,
        }.get(error.errno or 0, AccessDenied)
        hint = MORE_SPACE if kind is NoSpace else "name an OUTFILE in a folder that can be written to"
        raise kind(message, hint=hint) from error
