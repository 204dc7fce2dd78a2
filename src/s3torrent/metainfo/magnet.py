"""Magnet links: the info-hashes, a name, and where to ask (BEP 9, 53; v2 as in BEP 52)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from s3torrent.metainfo import infohash

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo

_SHA2_256 = "1220"
"""Multihash: function 0x12 (sha2-256), 0x20 bytes."""


def magnet(metainfo: Metainfo) -> str:
    """``magnet:?xt=urn:btih:...&xt=urn:btmh:1220...&dn=...&tr=...&ws=...``; dn, tr, ws encoded whole."""
    v1, v2 = infohash.v1_hex(metainfo), infohash.v2_hex(metainfo)
    terms = [f"xt=urn:btih:{v1}"] if v1 else []
    terms += [f"xt=urn:btmh:{_SHA2_256}{v2}"] if v2 else []
    terms.append(f"dn={quote(metainfo.info[b'name'], safe='')}")
    terms += (f"tr={quote(url, safe='')}" for tier in metainfo.trackers for url in tier)
    terms += (f"ws={quote(url, safe='')}" for url in metainfo.web_seeds)
    return "magnet:?" + "&".join(terms)
