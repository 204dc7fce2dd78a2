"""A second copy of each .torrent below one prefix, for a seeding client that watches a folder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from s3torrent.errors import WriteConflict
from s3torrent.pipeline.content import MAX_KEY_BYTES, name_of
from s3torrent.pipeline.publish import CONTENT_TYPE, Standing, find, ownership, standing
from s3torrent.types import TORRENT_SUFFIX, ObjectRef

if TYPE_CHECKING:
    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectVersion


def watch_ref(prefix: str, source: ObjectRef) -> ObjectRef:
    """Flat, as clients watch no subfolders; unique, as two objects may have one name."""
    digest = hashlib.sha256(str(source).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    key = f"{prefix}{digest}-{name_of(source)}{TORRENT_SUFFIX}"
    if len(key.encode()) > MAX_KEY_BYTES:
        key = f"{prefix}{digest}{TORRENT_SUFFIX}"
    return ObjectRef(source.bucket, key)


def watch(store: ObjectStore, source: ObjectVersion, policy_id: str, body: bytes, prefix: str) -> None:
    """Write the copy, or let the one that is there be; nothing without a ``prefix``.

    What is not ours stays as it is. Raises WriteConflict where another writer is at it, so that the event is
    taken up again.
    """
    if not prefix:
        return
    ref = watch_ref(prefix, source.ref)
    there = find(store, ref, guess=True)
    if standing(there, source, policy_id) in (Standing.CURRENT, Standing.FOREIGN):
        return
    try:
        store.put(
            ref,
            body,
            replaces=there.version if there else None,
            content_type=CONTENT_TYPE,
            metadata=ownership(source, policy_id),
        )
    except WriteConflict:
        if standing(find(store, ref), source, policy_id) is Standing.STALE:
            raise
