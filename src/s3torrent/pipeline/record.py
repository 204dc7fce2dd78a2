"""A stream of unknown length into the bucket, and its torrent beside it, as it ends."""

from __future__ import annotations

import fcntl
import select
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from s3torrent.errors import EmptyContent, S3TorrentError, TooLarge, WriteConflict
from s3torrent.pipeline.parts import for_stream
from s3torrent.pipeline.sending import Sender
from s3torrent.pipeline.upload import conclude, look
from s3torrent.status.base import RECORDING, UPLOADING

if TYPE_CHECKING:
    import threading

    from s3torrent.engine.base import Progress
    from s3torrent.pipeline.outcome import Outcome
    from s3torrent.pipeline.sending import Sent
    from s3torrent.pipeline.upload import Target, Uploader
    from s3torrent.types import ObjectRef

TICK_SECONDS = 0.25
"""How soon ``stop`` is heard while nothing comes."""
PIPE_BYTES = 1 << 20
"""What Linux grants a pipe without privileges, instead of 64 KiB."""


class Stream(Protocol):
    """An unbuffered binary stream: a pipe, standard input, a file."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...

    def fileno(self) -> int: ...


def record(
    uploader: Uploader,
    stream: Stream,
    ref: ObjectRef,
    *,
    force: bool = False,
    progress: Progress,
    stop: threading.Event,
) -> Outcome:
    """Upload what ``stream`` gives until it ends or ``stop`` is set, and publish the torrent of it.

    What was recorded is not thrown away where it can be kept: when a part cannot be uploaded, or S3 takes no
    more parts, the object is completed with what came before, and then the error is raised. Where another
    object appeared at the key meanwhile, the parts stay as an unfinished upload that the error names.

    Raises as ``look`` does before the first byte is read; EmptyContent; TooLarge where it was cut at S3's
    10,000 parts; whatever the store raises.
    """
    target = look(uploader, ref, force=force)
    _widen(stream)
    plan = for_stream(uploader.policy, uploader.smallest_part)
    sender = Sender(uploader.store, ref, plan, uploader.policy.version, threads=uploader.threads)
    try:
        cut, sent = _all_sent(uploader, target, sender, _Source(stream, progress, stop))
        if not sender.size:
            raise EmptyContent(f"nothing came to be recorded into {ref}", hint="look at what sends it")
        outcome = conclude(uploader, target, sender, sent, progress)
    except WriteConflict as error:
        if sender.upload:
            error.hint = (
                f"what was recorded is kept as multipart upload {sender.upload.upload_id}: move the object "
                "away, then complete it (aws s3api complete-multipart-upload)"
            )
        raise
    finally:
        sender.close()
    if cut:
        raise TooLarge(
            f"{ref} was cut at {sender.size:,} bytes: S3 takes no more parts; it and its torrent are there",
            hint="record into larger parts (--part-size), or into several objects",
        )
    return outcome


def _widen(stream: Stream) -> None:
    """A larger pipe, where it is one and the system allows it."""
    with suppress(OSError, ValueError, AttributeError):
        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


@dataclass(slots=True)
class _Source:
    """The stream, read until it ends or ``stop`` is set."""

    stream: Stream
    progress: Progress
    stop: threading.Event
    size: int = 0

    def fill(self, view: memoryview) -> int:
        """Bytes read: fewer than fit only at the end."""
        filled = 0
        while filled < len(view) and self._waits():
            count = self.stream.readinto(view[filled:])
            if not count:
                break
            filled += count
            self.size += count
            self.progress(self.size, RECORDING)
        return filled

    def _waits(self) -> bool:
        """Until something can be read; False once told to stop. What cannot be polled is read at once."""
        while not self.stop.is_set():
            try:
                ready, _, _ = select.select([self.stream.fileno()], [], [], TICK_SECONDS)
            except (OSError, ValueError):  # io.UnsupportedOperation is both: not a file of the system
                return True
            if ready:
                return True
        return False


def _all_sent(uploader: Uploader, target: Target, sender: Sender, source: _Source) -> tuple[bool, list[Sent]]:
    """Whether it was cut, and the parts. Where one cannot be sent, those before it become the object."""
    try:
        cut = _send(sender, source)
        source.progress(sender.size, UPLOADING)
        return cut, sender.sent()
    except S3TorrentError as error:
        _keep(uploader, target, sender, source.progress, error)
        raise


def _send(sender: Sender, source: _Source) -> bool:
    """Until the end; True where it was cut because S3 takes no more."""
    while (buffer := sender.buffer()) is not None:
        with memoryview(buffer) as view:
            length = source.fill(view)
        sender.send(buffer, length)
        if length < len(buffer):
            return False
    return True


def _keep(
    uploader: Uploader, target: Target, sender: Sender, progress: Progress, error: S3TorrentError
) -> None:
    """Complete the object with the parts before the one that failed; where that fails too, abort."""
    sender.close()
    sent = sender.settled()
    if sender.upload is None or not sent:
        return
    try:
        conclude(uploader, target, sender, sent, progress)
    except S3TorrentError as second:
        error.message += f"; nor could what was uploaded be kept: {second.message}"
        with suppress(S3TorrentError):
            uploader.store.abort_upload(sender.upload)
    else:
        error.message += (
            f"; {target.ref} holds the {sent[-1].hashes.end:,} bytes before that, and has its torrent"
        )
