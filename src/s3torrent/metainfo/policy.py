"""What an operator decided about his torrents: everything that can change the file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from s3torrent.metainfo.piece_length import AUTO

CREATED_BY = "s3torrent"
"""Carries no version number, so that an upgrade does not change the file."""


@dataclass(frozen=True, slots=True)
class TorrentPolicy:
    """Two runs with equal policies over equal bytes give equal torrents, byte for byte.

    ``piece_length`` is "auto", "by-size" or bytes; ``trackers`` are tiers; ``web_seeds`` are URLs, or
    templates with ``{bucket}`` and ``{key}``; ``write_private_zero`` writes ``private: 0`` into the info
    dict, as transmission-create 3.00 does, so that both engines give one info-hash; ``engine`` is here as
    transmission-create may write another info dict than ours. ``pad_files`` lets each file of a v1 folder
    begin with a piece (BEP 47), as in v2 and hybrid they always do.
    """

    version: str = "v1"
    piece_length: str | int = AUTO
    private: bool = False
    source: str | None = None
    comment: str | None = None
    trackers: tuple[tuple[str, ...], ...] = ()
    web_seeds: tuple[str, ...] = ()
    write_private_zero: bool = False
    engine: str = "native"
    pad_files: bool = False

    @property
    def policy_id(self) -> str:
        """``v1-auto-1f0c…``: readable in front, a digest of all of it behind."""
        fields = asdict(self)
        if not self.pad_files:
            del fields["pad_files"]  # torrents from before there were any keep their policy
        text = json.dumps(fields, sort_keys=True, ensure_ascii=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return f"{self.version}-{self.piece_length}-{digest}"
