"""The names of a torrent in the network: hashes of its info dict as written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo


def v1(metainfo: Metainfo) -> bytes | None:
    """SHA-1 of the info dict, 20 bytes (BEP 3); None for a v2-only torrent."""
    return hashlib.sha1(metainfo.info_raw, usedforsecurity=False).digest() if metainfo.has_v1 else None


def v2(metainfo: Metainfo) -> bytes | None:
    """SHA-256 of the info dict, 32 bytes (BEP 52); None for a v1-only torrent."""
    return hashlib.sha256(metainfo.info_raw).digest() if metainfo.has_v2 else None


def v1_hex(metainfo: Metainfo) -> str | None:
    """``v1`` as 40 lower-case hex digits."""
    digest = v1(metainfo)
    return None if digest is None else digest.hex()


def v2_hex(metainfo: Metainfo) -> str | None:
    """``v2`` as 64 lower-case hex digits."""
    digest = v2(metainfo)
    return None if digest is None else digest.hex()
