"""An object to its metainfo, with nobody told: what ``make`` and the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import NoSuchObject, ObjectChanged, ObjectGone
from s3torrent.pipeline.content import object_content

if TYPE_CHECKING:
    from s3torrent.engine.base import Built, Engine, Progress, RangeMemory
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectHead, ObjectVersion


def build_object(
    head: ObjectHead,
    policy: TorrentPolicy,
    engine: Engine,
    reader: ObjectReader,
    progress: Progress,
    *,
    memory: RangeMemory | None = None,
) -> Built:
    """The torrent of exactly this version, which is still the current one when this returns.

    Raises ObjectChanged or ObjectGone where it is not, and whatever the engine raises.
    """
    built = engine.build(object_content(head), policy, reader, progress, memory)
    require_current(reader, head.version)
    return built


def require_current(reader: ObjectReader, source: ObjectVersion) -> None:
    """Look once more. Raises ObjectGone or ObjectChanged where ``source`` no longer lies at its key."""
    try:
        now = reader.head(source.ref).version
    except NoSuchObject:
        raise ObjectGone(f"{source} was deleted while its torrent was made") from None
    if (now.version_id, now.etag, now.size) != (source.version_id, source.etag, source.size):
        raise ObjectChanged(f"{source} was replaced while its torrent was made; now it is {now}")
