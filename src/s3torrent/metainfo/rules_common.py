"""Rules of every torrent. Each takes a metainfo and says in words how it is broken, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.metainfo import paths

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo

MAX_PIECE_LENGTH = 256 << 20
"""The largest power of two that libtorrent loads."""
MAX_URLS = 1 << 20
"""Bytes of all trackers, or of all web seeds: each byte may be shown as nine."""
MAX_LENGTH = (1 << 63) - 1


def found(value: Any) -> str:
    """A decoded value, for a message: what it is, never all of it."""
    match value:
        case None:
            return "found none"
        case int():
            return f"found {value}"
        case bytes():
            return f"found {value[:40].decode('utf-8', errors='replace')!r}{'...' if len(value) > 40 else ''}"
        case _:
            return f"found a {type(value).__name__} of {len(value):,}"


def is_length(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= MAX_LENGTH


def name(metainfo: Metainfo) -> str | None:
    value = metainfo.info.get(b"name")
    if not isinstance(value, bytes):
        return f"{found(value)}; expected a string, the name of the file or folder"
    fault = paths.component_fault(value)
    return fault and f"{found(value)}, {fault}; expected one path component"


def version(metainfo: Metainfo) -> str | None:
    if metainfo.has_v2:
        number = metainfo.info.get(b"meta version")
        if number != 2:
            return f"meta version: {found(number)}; expected 2"
        return None if b"file tree" in metainfo.info else "meta version 2 without a file tree"
    return None if metainfo.has_v1 else "neither pieces (v1) nor a file tree (v2); expected at least one"


def piece_length(metainfo: Metainfo) -> str | None:
    value = metainfo.info.get(b"piece length")
    if not isinstance(value, int) or not 0 < value <= MAX_PIECE_LENGTH:
        return f"{found(value)}; expected 1 to {MAX_PIECE_LENGTH:,} bytes"
    if metainfo.has_v2 and (value < 16384 or value & (value - 1)):
        return f"{found(value)}; expected a power of two of at least 16,384 bytes (BEP 52)"
    return None


def announce(metainfo: Metainfo) -> str | None:
    value = metainfo.top.get(b"announce", b"")
    if not isinstance(value, bytes):
        return f"{found(value)}; expected a string, the tracker's URL"
    return _too_much(len(value))


def announce_list(metainfo: Metainfo) -> str | None:
    tiers = metainfo.top.get(b"announce-list", [])
    if not isinstance(tiers, list):
        return f"{found(tiers)}; expected a list of tiers (BEP 12)"
    for tier in tiers:
        if not isinstance(tier, list) or not all(isinstance(url, bytes) for url in tier):
            return f"a tier: {found(tier)}; expected a list of tracker URLs (BEP 12)"
    return _too_much(sum(len(url) for tier in tiers for url in tier))


def url_list(metainfo: Metainfo) -> str | None:
    seeds = metainfo.top.get(b"url-list", [])
    if isinstance(seeds, bytes):
        return _too_much(len(seeds))
    if isinstance(seeds, list) and all(isinstance(seed, bytes) for seed in seeds):
        return _too_much(sum(map(len, seeds)))
    return f"{found(seeds)}; expected one URL or a list of them (BEP 19)"


def _too_much(length: int) -> str | None:
    return f"{length:,} bytes of URLs; expected at most {MAX_URLS:,}" if length > MAX_URLS else None


def content(metainfo: Metainfo) -> str | None:
    size = metainfo.size + sum(entry.length for entry, is_pad in metainfo.v1_layout if is_pad)
    if metainfo.size == 0:
        return "0 bytes of content; expected at least 1, clients refuse an empty torrent"
    return None if size <= MAX_LENGTH else f"{size:,} bytes of content; expected less than 2**63"
