"""The .torrent beside its object: whose is the one that lies there, and the write that never clobbers."""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING

from s3torrent.errors import AccessDenied, ForeignTorrent, NoSuchObject, WriteConflict

if TYPE_CHECKING:
    from s3torrent.store.base import ObjectReader, ObjectStore
    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion

CONTENT_TYPE = "application/x-bittorrent"
ATTEMPTS = 3


class Standing(Enum):
    """What lies at KEY.torrent, seen from one version of KEY and one policy."""

    ABSENT = "absent"
    CURRENT = "ours, of this version and policy"
    STALE = "ours, of another version or policy"
    FOREIGN = "somebody else's"


def ownership(source: ObjectVersion, policy_id: str) -> dict[str, str]:
    """The user metadata by which we know our own torrents. It is bound to the key, so a .torrent that
    somebody copied elsewhere does not pass for ours there.
    """
    return {
        "s3torrent-source": _source_digest(source.ref),
        "s3torrent-version": source.version_id or "",
        "s3torrent-etag": source.etag,
        "s3torrent-policy": policy_id,
    }


def _source_digest(ref: ObjectRef) -> str:
    return hashlib.sha256(str(ref).encode("utf-8", "surrogatepass")).hexdigest()


def is_ours(torrent: ObjectHead, source: ObjectRef) -> bool:
    """Whether we made it, for this key, of whichever version."""
    return torrent.metadata.get("s3torrent-source") == _source_digest(source)


def standing(torrent: ObjectHead | None, source: ObjectVersion, policy_id: str) -> Standing:
    if torrent is None:
        return Standing.ABSENT
    if not is_ours(torrent, source.ref):
        return Standing.FOREIGN
    ours = ownership(source, policy_id)
    current = all(torrent.metadata.get(name, "") == value for name, value in ours.items())
    return Standing.CURRENT if current else Standing.STALE


def find_torrent(store: ObjectStore, source: ObjectRef, *, guess: bool = False) -> ObjectHead | None:
    """HEAD of KEY.torrent; None where there is none."""
    return find(store, source.torrent, guess=guess)


def find(store: ObjectReader, ref: ObjectRef, *, guess: bool = False) -> ObjectHead | None:
    """HEAD; None where nothing is.

    To a role without s3:ListBucket S3 answers 403 for what is not there. With ``guess`` that is taken for
    "none": the conditional write then finds out, and nothing is overwritten on a guess.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    try:
        return store.head(ref)
    except NoSuchObject:
        return None
    except AccessDenied:
        if guess:
            return None
        raise


def foreign(source: ObjectRef) -> ForeignTorrent:
    return ForeignTorrent(f"{source.torrent} is there already and was not made by s3torrent; left as it is")


def publish(
    store: ObjectStore, source: ObjectVersion, policy_id: str, body: bytes, torrent: ObjectHead | None
) -> None:
    """Write the .torrent over exactly what was seen there (``torrent``, None for nothing).

    Where another writer was first, its torrent is looked at: the same one is fine, a foreign one raises
    ForeignTorrent, one of another version raises WriteConflict, so that the event is taken up anew.
    """
    for _ in range(ATTEMPTS):
        try:
            store.put(
                source.ref.torrent,
                body,
                replaces=torrent.version if torrent else None,
                content_type=CONTENT_TYPE,
                metadata=ownership(source, policy_id),
            )
        except WriteConflict:
            torrent = find_torrent(store, source.ref)
            found = standing(torrent, source, policy_id)
            if found is Standing.CURRENT:
                return
            if found is Standing.FOREIGN:
                raise foreign(source.ref) from None
            if found is Standing.STALE:
                raise
        else:
            return
    raise WriteConflict(f"{source.ref.torrent} appears and vanishes under {ATTEMPTS} attempts to write it")
