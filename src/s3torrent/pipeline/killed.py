"""After a recorder was killed: what it held is free again, and what it had uploaded of a stream is kept.

The parts of a stream are its beginning, whatever came after them: a recording by themselves.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from s3torrent.errors import EmptyContent, LeaseLost, UploadGone
from s3torrent.status.base import FAILED, Claimed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from s3torrent.status.base import StatusStore
    from s3torrent.store.base import UploadStore
    from s3torrent.types import ObjectRef, Upload, UploadedPart


class NotedUploads:
    """The store ``store``, which tells ``note`` of each upload as it begins."""

    def __init__(self, store: UploadStore, note: Callable[[Upload], object]) -> None:
        self._store, self._note = store, note

    def begin_upload(self, ref: ObjectRef, *, content_type: str, metadata: Mapping[str, str]) -> Upload:
        upload = self._store.begin_upload(ref, content_type=content_type, metadata=metadata)
        self._note(upload)
        return upload

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def complete_begun(store: UploadStore, upload: Upload) -> None:
    """Complete it with its parts up to the first that is missing, where nothing lies at its key.

    One that was completed already is left so. Raises EmptyContent where no part had arrived: it is aborted
    then; WriteConflict where another object is there: the parts stay.
    """
    try:
        there = {part.number: part for part in store.uploaded_parts(upload)}
        parts: list[UploadedPart] = []
        while part := there.get(len(parts) + 1):
            parts.append(part)
        if not parts:
            store.abort_upload(upload)
            raise EmptyContent(
                f"no part of {upload.ref} had been uploaded", hint="RECORD_MODE=file keeps it on disk"
            )
        store.complete_upload(upload, parts, replaces=None)
    except UploadGone:
        store.head(upload.ref)


def let_go(status: StatusStore, job_id: str, *, owner: str, reason: str) -> None:
    """End what the dead ``owner`` held of an object: its claim (FAILED, ``reason``) and its reservation."""
    item = status.get(job_id)
    if item and item.get("leaseOwner") == owner and item.get("leaseExpiresAt"):
        until = datetime.fromisoformat(str(item.get("leaseExpiresAt")))
        with suppress(LeaseLost):
            status.finish(Claimed(job_id, int(item.get("attempt")), owner, until), FAILED, {"reason": reason})
    status.release(job_id, owner=owner)
