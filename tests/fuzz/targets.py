"""The table of targets: each takes bytes and lets nothing through but the errors that are meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fuzz import bencoding, environment, event, s3_answers, status_items, torrent

if TYPE_CHECKING:
    from collections.abc import Callable

TARGETS: dict[str, Callable[[bytes], None]] = {
    "bencode": bencoding.target,
    "config": environment.target,
    "event": event.target,
    "s3": s3_answers.target,
    "status": status_items.target,
    "torrent": torrent.target,
}

CORPUS = Path(__file__).parent / "corpus"


def seeds(name: str) -> list[bytes]:
    """The committed inputs of a target, in a fixed order."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
