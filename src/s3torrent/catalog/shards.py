"""The rows of all torrents, in files by the first digits of their page's id: one torrent changes one file.

docs/catalog.md describes the format; ``assets/search.js`` and anybody else may read it.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from s3torrent.catalog.entry import LATEST, MOST_SIZE, V1, V2, Entry, base_name, filled, page_id, template_of

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 1
COLUMNS = (
    "id",
    "key",
    "size",
    "completedAt",
    "infoHashV1",
    "infoHashV2",
    "torrentSize",
    "trackers",
    "seeds",
    "name",
)
FOLDER = "d/"
SUFFIX = ".json"
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
UNWRITTEN = "0" * 64
"""In place of the SHA-256 of a shard that is still to be written, by a run that is not done or was ended."""
MOST_TOGETHER = 500
"""Torrents of a catalogue in one shard; 16 times as many are in 16, more in 256."""


class Unreadable(Exception):
    """No shard of ours; the message says why."""


def digits_for(count: int) -> int:
    """How many digits of the id name a shard: 0, 1 or 2."""
    return 0 if count <= MOST_TOGETHER else 1 if count <= 16 * MOST_TOGETHER else 2


def names(digits: int) -> list[str]:
    """Every shard's: ``all``, or ``0`` to ``f``, or ``00`` to ``ff``."""
    return [f"{number:0{digits}x}" for number in range(16**digits)] if digits else ["all"]


def name_of(identity: str, digits: int) -> str:
    return identity[:digits] or "all"


def path_of(name: str) -> str:
    return f"{FOLDER}{name}{SUFFIX}"


def encode(bucket: str, entries: Iterable[Entry]) -> bytes:
    """The same entries give the same bytes, in whatever order they come."""
    trackers: dict[tuple[str, ...], int] = {}
    seeds: dict[tuple[str, ...], int] = {}
    rows = []
    for identity, entry in sorted(((page_id(bucket, one.key), one) for one in entries), key=_first):
        templates = tuple(template_of(seed, entry.key) for seed in entry.seeds)
        rows.append(
            [
                identity,
                entry.key,
                entry.size,
                entry.at,
                entry.v1,
                entry.v2,
                entry.torrent_size,
                trackers.setdefault(entry.trackers, len(trackers)),
                seeds.setdefault(templates, len(seeds)),
                "" if entry.name == base_name(entry.key) else entry.name,
            ]
        )
    whole = {
        "version": VERSION,
        "columns": COLUMNS,
        "trackers": list(trackers),
        "seeds": list(seeds),
        "rows": rows,
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes) -> dict[str, Entry]:
    """By page id. Raises Unreadable for what ``encode`` would not write."""
    try:
        whole = json.loads(body)
        if whole["version"] != VERSION or tuple(whole["columns"]) != COLUMNS:
            raise Unreadable(f"it is of version {whole['version']!r}; expected {VERSION}")
        return dict(_entry(row, whole["trackers"], whole["seeds"]) for row in whole["rows"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"it is no shard of a catalogue ({type(error).__name__})") from None


def _entry(row: Any, trackers: Any, seeds: Any) -> tuple[str, Entry]:
    identity, key, size, at, v1, v2, torrent_size, tracker, seed, name = row
    if not (
        _ID.fullmatch(identity)
        and all(isinstance(text, str) for text in (key, v1, v2, name))
        and all(isinstance(number, int) and 0 <= number < MOST_SIZE for number in (size, at, torrent_size))
        and at <= LATEST
        and all(form.fullmatch(text) or not text for form, text in ((V1, v1), (V2, v2)))
    ):
        raise TypeError
    entry = Entry(
        key, size, at, v1, v2, torrent_size, name or base_name(key),
        tuple(map(str, trackers[tracker])), tuple(filled(str(one), key) for one in seeds[seed]),
    )  # fmt: skip
    return identity, entry


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _first(pair: tuple[str, Entry]) -> str:
    return pair[0]
