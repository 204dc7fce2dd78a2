"""A file into the bucket, and its torrent beside it, in one reading."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha1
from typing import TYPE_CHECKING

from s3torrent.errors import AccessDenied, EmptyContent, S3TorrentError, UploadGone
from s3torrent.pipeline.parts import for_file
from s3torrent.pipeline.sending import Earlier, Sender, lies_there
from s3torrent.pipeline.upload import conclude, look
from s3torrent.status.base import UPLOADING
from s3torrent.store.base import PASSING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.engine.base import Progress
    from s3torrent.pipeline.outcome import Outcome
    from s3torrent.pipeline.parts import PartPlan
    from s3torrent.pipeline.upload import Uploader
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectRef, ObjectVersion, UploadedPart


def put(
    uploader: Uploader,
    source: ObjectVersion,
    reader: ObjectReader,
    ref: ObjectRef,
    *,
    force: bool = False,
    progress: Progress,
) -> Outcome:
    """Upload ``source`` to ``ref`` and publish its torrent. Never over an object without ``force``.

    An earlier upload of the same file to the same key that was interrupted is taken up where it ended: that
    of a process that was killed, or that S3 could not be reached for. One that is given up (by any other
    error, by Ctrl-C) is aborted.
    """
    target = look(uploader, ref, force=force)
    if not source.size:
        raise EmptyContent(f"{source.ref} is empty (0 bytes); a torrent needs at least 1 byte")
    plan = for_file(source.size, uploader.policy, uploader.smallest_part)
    earlier = _earlier(uploader, ref, plan, source, reader)
    version = uploader.policy.version
    sender = Sender(uploader.store, ref, plan, version, threads=uploader.threads, earlier=earlier)
    try:
        _send(sender, source, reader, progress)
        return conclude(uploader, target, sender, sender.sent(), progress)
    except PASSING as error:
        error.hint = f"run the same command again: it goes on where this ended ({error.hint})"
        raise
    except BaseException:
        sender.close()
        if sender.upload:
            with suppress(S3TorrentError):
                uploader.store.abort_upload(sender.upload)
        raise
    finally:
        sender.close()


def _send(sender: Sender, source: ObjectVersion, reader: ObjectReader, progress: Progress) -> None:
    at = 0
    while at < source.size:
        buffer = sender.buffer()
        assert buffer is not None  # the plan counted the parts
        end = min(source.size, at + len(buffer))
        fill(buffer, reader.read(source, at, end))
        sender.send(buffer, end - at)
        at = end
        progress(at, UPLOADING)


def fill(buffer: bytearray, chunks: Iterator[memoryview | bytes]) -> None:
    at = 0
    for chunk in chunks:
        buffer[at : at + len(chunk)] = chunk
        at += len(chunk)


def _earlier(
    uploader: Uploader, ref: ObjectRef, plan: PartPlan, source: ObjectVersion, reader: ObjectReader
) -> Earlier | None:
    """An interrupted upload to this key of the same bytes, cut alike; the fullest one."""
    if source.size <= plan.part_size:
        return None
    try:
        uploads = uploader.store.unfinished_uploads(ref)
    except AccessDenied:  # resuming is a favour, which needs a permission that uploading does not
        return None
    best: Earlier | None = None
    for upload in uploads:
        try:
            parts = {part.number: part for part in uploader.store.uploaded_parts(upload)}
        except (UploadGone, AccessDenied):
            continue
        if not parts or (best and len(parts) <= len(best.parts)):
            continue
        if _is_of(source, reader, plan, parts[min(parts)]):
            best = Earlier(upload, parts)
    return best


def _is_of(source: ObjectVersion, reader: ObjectReader, plan: PartPlan, part: UploadedPart) -> bool:
    """Whether the part is what ``source`` holds there. They arrive in any order: the first may be missing."""
    start = (part.number - 1) * plan.part_size
    if part.size != min(plan.part_size, source.size - start):
        return False
    body = bytearray(part.size)
    fill(body, reader.read(source, start, start + part.size))
    return lies_there(part, body, sha1(body, usedforsecurity=False).digest())
