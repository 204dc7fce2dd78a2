"""What a deletion leads to: the status tells it, and the torrent goes where the operator wants that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import HeldByAnother, ObjectChanged, WriteConflict
from s3torrent.pipeline.outcome import Outcome
from s3torrent.pipeline.publish import find, find_torrent, is_ours
from s3torrent.status.base import DELETED, SKIPPED

if TYPE_CHECKING:
    from s3torrent.status.base import StatusStore
    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectHead, ObjectRef, TorrentRequest


def gone(store: ObjectStore, status: StatusStore, request: TorrentRequest, *, remove: bool) -> Outcome:
    """Nothing lies at the key any more. ``remove`` takes our torrent away; never one that is not ours.

    Raises HeldByAnother while a worker is at the object that was deleted: it may yet publish its torrent, so
    the event comes back after its lease. Raises as ``leave`` does.
    """
    job_id = str(request.ref)
    torrent = find_torrent(store, request.ref, guess=not remove)
    ours = torrent is not None and is_ours(torrent, request.ref)
    kept = ours and not remove
    told = {
        "bucket": request.ref.bucket,
        "key": request.ref.key,
        "reason": "the object was deleted" + ("; its torrent was kept" if kept else ""),
        "torrentKey": request.ref.torrent.key if kept else None,
    }
    if not status.note(job_id, DELETED, told, sequencer=request.sequencer):
        item = status.get(job_id)
        end = item.worked_on_until if item else None
        if end:
            raise HeldByAnother(f"{request.ref} was deleted while it is being worked on", until=end)
        return Outcome(job_id, SKIPPED, "an older event than the one taken up last")
    leave(store, request.ref, torrent if remove else None)
    return Outcome(job_id, DELETED, str(told["reason"]))


def leave(store: ObjectStore, source: ObjectRef, torrent: ObjectHead | None) -> None:
    """The last step where nothing was at the key: ``torrent`` goes, if it is ours; then one more look.

    What was noted meanwhile may be wrong, and the removed torrent that of an object that is back (undeleted,
    uploaded again): raises ObjectChanged, so that the event is taken up anew, and WriteConflict where the
    torrent could not be removed.
    """
    if torrent and is_ours(torrent, source):
        try:
            store.remove(torrent.version)
        except WriteConflict:
            there = find_torrent(store, source)
            if there and is_ours(there, source):
                raise
    if find(store, source, guess=True):
        raise ObjectChanged(f"{source} was deleted, and is there again")
