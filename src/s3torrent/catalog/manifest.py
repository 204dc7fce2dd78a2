"""catalog.json: what the catalogue holds, for programs and for the next time it is published."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3torrent.catalog import shards
from s3torrent.catalog.entry import of_item
from s3torrent.catalog.mark import is_path
from s3torrent.catalog.text import instant_text
from s3torrent.status.base import StatusItem
from s3torrent.status.timestamp import from_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from s3torrent.catalog.entry import Entry
    from s3torrent.catalog.links import Links

PATH = "catalog.json"
VERSION = 1
GENERATOR = "s3torrent"
_PATH = re.compile(r"d/(all|[0-9a-f]{1,2})\.json")


@dataclass(frozen=True, slots=True)
class Manifest:
    """``shards``: path -> (torrents, SHA-256 in hex); ``files``: path -> SHA-256 of the others, which are
    written whole each time. ``until``: the newest ``updatedAt`` that was taken in; ``look`` changes with what
    changes all pages.
    """

    count: int
    size: int
    until: str
    look: str
    source: str = ""
    shards: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def digits(self) -> int:
        return shards.digits_for(self.count)

    @property
    def in_work(self) -> bool:
        """A run is writing, or was ended."""
        return any(digest == shards.UNWRITTEN for _, digest in self.shards.values())


def encode(manifest: Manifest, *, title: str, links: Links, newest: Sequence[Entry], updated: int) -> bytes:
    """docs/catalog.md has the schema. The same catalogue gives the same bytes."""
    whole = {
        "version": VERSION,
        "generator": GENERATOR,
        "title": title,
        "url": links.base or None,
        "source": manifest.source,
        "count": manifest.count,
        "size": manifest.size,
        "updated": instant_text(updated) if manifest.count else None,
        "newest": [_shown(entry, links) for entry in newest],
        "shards": [
            {"path": path, "count": count, "sha256": digest}
            for path, (count, digest) in sorted(manifest.shards.items())
        ],
        "files": dict(sorted(manifest.files.items())),
        "until": manifest.until,
        "look": manifest.look,
    }
    return json.dumps(whole, indent=1, ensure_ascii=True).encode() + b"\n"


def _shown(entry: Entry, links: Links) -> dict[str, Any]:
    return {
        "name": entry.name,
        "key": entry.key,
        "size": entry.size,
        "completedAt": instant_text(entry.at),
        "infoHashV1": entry.v1 or None,
        "infoHashV2": entry.v2 or None,
        "magnet": entry.magnet,
        "page": links.absolute(links.page(entry)),
        "torrent": links.absolute(links.torrent(entry)),
        "torrentSize": entry.torrent_size,
        "direct": entry.direct,
    }


def decode(body: bytes) -> Manifest | None:
    """None for what ``encode`` of this version would not write: then all is written anew."""
    try:
        whole = json.loads(body)
        if whole["version"] != VERSION or whole["generator"] != GENERATOR:
            return None
        listed = {one["path"]: (int(one["count"]), str(one["sha256"])) for one in whole["shards"]}
        manifest = Manifest(
            count=int(whole["count"]),
            size=int(whole["size"]),
            until=str(whole["until"]),
            look=str(whole["look"]),
            source=str(whole["source"]),
            shards=listed,
            files={str(path): str(digest) for path, digest in whole["files"].items()},
        )
        if manifest.until:
            from_text(manifest.until)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    sound = all(map(_PATH.fullmatch, manifest.shards)) and all(map(is_path, manifest.files))
    expected = {shards.path_of(name) for name in shards.names(manifest.digits)}
    return manifest if sound and set(manifest.shards) == expected else None


def newest(body: bytes) -> list[Entry]:
    """Of the newest torrents, as far as they can be read: they are told by the names of a status item."""
    try:
        found = [of_item(StatusItem("", one), str(one["key"])) for one in json.loads(body)["newest"]]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
    return [entry for entry in found if entry]
