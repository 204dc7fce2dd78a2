"""A torrent described: the JSON contract of ``inspect`` and ``create``, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.cli.output import bytes_text
from s3torrent.metainfo import infohash
from s3torrent.metainfo.magnet import magnet

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo


def as_json(metainfo: Metainfo) -> dict[str, Any]:
    """Sizes in bytes, info-hashes in hex, the date in ISO 8601; what the torrent does not have is null."""
    v1, v2 = infohash.v1(metainfo), infohash.v2(metainfo)
    created = metainfo.creation_date
    return {
        "name": metainfo.name,
        "torrentVersion": metainfo.torrent_version,
        "infoHashV1": v1.hex() if v1 else None,
        "infoHashV2": v2.hex() if v2 else None,
        "size": metainfo.size,
        "pieceLength": metainfo.piece_length,
        "pieceCount": metainfo.piece_count,
        "files": [{"path": str(entry), "length": entry.length} for entry in metainfo.files],
        "trackers": [list(tier) for tier in metainfo.trackers],
        "webSeeds": list(metainfo.web_seeds),
        "private": metainfo.private,
        "source": metainfo.source,
        "comment": metainfo.comment,
        "createdBy": metainfo.created_by,
        "creationDate": created.strftime("%Y-%m-%dT%H:%M:%SZ") if created else None,
    }


def as_rows(metainfo: Metainfo) -> list[tuple[str, str | list[str]]]:
    """The same for people: what there is, in the order one asks."""
    told = as_json(metainfo)
    rows: list[tuple[str, str | list[str]]] = [
        ("Name", told["name"]),
        ("Version", told["torrentVersion"]),
        ("Info-hash v1", told["infoHashV1"] or ""),
        ("Info-hash v2", told["infoHashV2"] or ""),
        ("Size", bytes_text(told["size"])),
        ("Piece length", bytes_text(told["pieceLength"])),
        ("Pieces", f"{told['pieceCount']:,}"),
        ("Files", [f"{file['path']} ({bytes_text(file['length'])})" for file in told["files"]]),
        ("Trackers", [" ".join(tier) for tier in told["trackers"]]),
        ("Web seeds", told["webSeeds"]),
        ("Private", "yes" if told["private"] else ""),
        ("Source", told["source"] or ""),
        ("Comment", told["comment"] or ""),
        ("Created by", told["createdBy"] or ""),
        ("Created", told["creationDate"] or ""),
        ("Magnet", magnet(metainfo)),
    ]
    return [row for row in rows if row[1]]
