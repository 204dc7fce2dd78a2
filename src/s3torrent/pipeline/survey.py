"""What a listing tells of torrents: each object with the .torrent beside it, whatever the number of keys.

KEY.torrent comes behind KEY, but not at once: keys that begin with KEY may lie between. So an object waits
for its torrent while the keys begin with its own, and memory holds a chain of such keys at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.types import TORRENT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3torrent.types import ObjectVersion


@dataclass(frozen=True, slots=True)
class Found:
    """An object and what lies at its KEY.torrent; of one of the two there may be none. A .torrent that is
    the object of another .torrent is told as a torrent alone.

    ``marker``: a listing from there on tells all that has not been told with this one.
    """

    object: ObjectVersion | None
    torrent: ObjectVersion | None
    marker: str

    @property
    def is_stale(self) -> bool:
        """The object was written after its torrent."""
        return bool(self.object and self.torrent and self.object.last_modified > self.torrent.last_modified)


def survey(listed: Iterable[ObjectVersion], after: str = "") -> Iterator[Found]:
    """``listed`` are all objects above the key ``after``, in order of their keys."""
    waiting: list[ObjectVersion] = []
    marker = last = after
    for version in listed:
        key = version.ref.key
        while waiting and not key.startswith(waiting[-1].ref.key):
            gone = waiting.pop()
            marker = marker if waiting else last
            yield Found(gone, None, marker)
        is_torrent = key.endswith(TORRENT_SUFFIX)
        mate = next((one for one in waiting if one.ref.torrent.key == key), None) if is_torrent else None
        if mate:
            waiting.remove(mate)
            marker = marker if waiting else key
            yield Found(mate, version, marker)
        elif is_torrent:
            marker = marker if waiting else key
            yield Found(None, version, marker)
        else:
            marker = marker if waiting else last
            waiting.append(version)
        last = key
    while waiting:
        gone = waiting.pop()
        yield Found(gone, None, marker if waiting else last)
