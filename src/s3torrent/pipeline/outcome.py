"""How a wish for a torrent ended, and what its status item tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3torrent.metainfo import infohash
from s3torrent.metainfo.magnet import magnet
from s3torrent.status.base import SKIPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from s3torrent.metainfo.model import Metainfo
    from s3torrent.types import ObjectVersion, TorrentRequest

    SeedChecks = Callable[[Metainfo], dict[str, Any] | None]
    """Tries the web seeds of a torrent about to be published: what its status item tells of them."""

MOST_LINK = 16 * 1024
"""Characters of a magnet link that an item keeps: DynamoDB takes 400 KB an item."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: COMPLETED or SKIPPED. ``made`` is False where the work was done before. ``attributes``
    are those of the status item, of a SKIPPED one the version too, where it was pinned.
    """

    job_id: str
    status: str
    reason: str = ""
    made: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


def skipped(job_id: str, reason: str) -> Outcome:
    return Outcome(job_id, SKIPPED, reason)


def unchecked(_metainfo: Metainfo) -> None:
    """Web seeds are not tried."""


def version_of(source: ObjectVersion) -> dict[str, Any]:
    """Which version it was: ``versionId`` where the bucket has any, and ``size``."""
    told = {"versionId": source.version_id, "size": source.size}
    return {name: value for name, value in told.items() if value is not None}


def not_current(request: TorrentRequest, source: ObjectVersion) -> Outcome:
    reason = (
        f"version {request.version_id} is not the current one ({source.version_id or 'unversioned'}); "
        f"{request.ref.torrent.key} is the current one's torrent"
    )
    return Outcome(str(request.ref), SKIPPED, reason, attributes=version_of(source))


def describe(
    source: ObjectVersion, metainfo: Metainfo, torrent_size: int, *, bytes_read: int
) -> dict[str, Any]:
    """The attributes of a COMPLETED item."""
    link = magnet(metainfo)
    v1, v2 = infohash.v1(metainfo), infohash.v2(metainfo)
    described = {
        **version_of(source),
        "torrentKey": source.ref.torrent.key,
        "torrentSize": torrent_size,
        "bytesHashed": metainfo.size,
        "bytesRead": bytes_read,
        "pieceLength": metainfo.piece_length,
        "pieceCount": metainfo.piece_count,
        "infoHashV1": v1.hex() if v1 else None,
        "infoHashV2": v2.hex() if v2 else None,
        "magnet": link if len(link) <= MOST_LINK else None,
        "private": True if metainfo.private else None,
    }
    return {name: value for name, value in described.items() if value is not None}
