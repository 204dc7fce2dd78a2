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
    return {
        "name": metainfo.name,
        "torrentVersion": metainfo.torrent_version,
        "infoHashV1": infohash.v1_hex(metainfo),
        "infoHashV2": infohash.v2_hex(metainfo),
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
        "creationDate": _date(metainfo),
    }


def as_rows(metainfo: Metainfo, *, most_files: int | None = None) -> list[tuple[str, str | list[str]]]:
    """The same for people: what there is, in the order one asks; of the files the first ``most_files``."""
    v1, v2 = infohash.v1_hex(metainfo), infohash.v2_hex(metainfo)
    rows: list[tuple[str, str | list[str]]] = [
        ("Name", metainfo.name),
        ("Version", metainfo.torrent_version),
        ("Info-hash v1", v1 or ""),
        ("Info-hash v2", v2 or ""),
        ("Size", bytes_text(metainfo.size)),
        ("Piece length", bytes_text(metainfo.piece_length)),
        ("Pieces", f"{metainfo.piece_count:,}"),
        ("Files", _files(metainfo, most_files)),
        ("Trackers", [" ".join(tier) for tier in metainfo.trackers]),
        ("Web seeds", list(metainfo.web_seeds)),
        ("Private", "yes" if metainfo.private else ""),
        ("Source", metainfo.source or ""),
        ("Comment", metainfo.comment or ""),
        ("Created by", metainfo.created_by or ""),
        ("Created", _date(metainfo) or ""),
        ("Magnet", magnet(metainfo)),
    ]
    return [row for row in rows if row[1]]


def _files(metainfo: Metainfo, most: int | None) -> list[str]:
    shown = [f"{entry} ({bytes_text(entry.length)})" for entry in metainfo.files[:most]]
    more = len(metainfo.files) - len(shown)
    return [*shown, f"... and {more:,} more (s3torrent inspect shows all)"] if more else shown


def _date(metainfo: Metainfo) -> str | None:
    created = metainfo.creation_date
    return created.strftime("%Y-%m-%dT%H:%M:%SZ") if created else None
