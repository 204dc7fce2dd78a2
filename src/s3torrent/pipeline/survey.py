"""What a listing tells of torrents: each object with the .torrent beside it, whatever the number of keys.

KEY.torrent comes behind KEY, but not at once: keys that begin with KEY may lie between. So an object waits
for its torrent while the keys begin with its own, and memory holds a chain of such keys at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.types import TORRENT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from s3torrent.types import ObjectRef, ObjectVersion

PATIENCE = 1000
"""Keys: a page of a listing."""


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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An object whose torrent may still come. ``before``: the key in front of it, ``number`` its own in the
    listing.
    """

    object: ObjectVersion
    before: str
    number: int

    @property
    def key(self) -> str:
        return self.object.ref.key


def survey(
    listed: Iterable[ObjectVersion],
    after: str = "",
    look: Callable[[ObjectRef], ObjectVersion | None] | None = None,
    patience: int = PATIENCE,
) -> Iterator[Found]:
    """``listed`` are all objects above the key ``after``, in order of their keys.

    With ``look`` an object waits for its torrent while ``patience`` keys go by, and then it is asked for: so
    the marker follows, also where ``data`` is an object, and all others begin with ``data/``.
    """
    waiting: list[_Waiting] = []
    asked: set[str] = set()
    last = after

    def found(one: ObjectVersion | None, torrent: ObjectVersion | None, reached: str) -> Found:
        return Found(one, torrent, waiting[0].before if waiting else reached)

    for number, version in enumerate(listed):
        key = version.ref.key
        while waiting and not key.startswith(waiting[-1].key):
            yield found(waiting.pop().object, None, last)
        while look and waiting and number - waiting[0].number >= patience:
            gone = waiting.pop(0).object
            asked = {one for one in asked if one > key} | {gone.ref.torrent.key}
            yield found(gone, look(gone.ref.torrent), last)
        is_torrent = key.endswith(TORRENT_SUFFIX)
        mate = next((one for one in waiting if is_torrent and one.object.ref.torrent.key == key), None)
        if mate:
            waiting.remove(mate)
            yield found(mate.object, version, key)
        elif is_torrent or key.endswith("/"):  # a folder's torrent lies before its marker
            if key not in asked:
                yield found(None if is_torrent else version, version if is_torrent else None, key)
        else:
            waiting.append(_Waiting(version, last, number))
        last = key
    while waiting:
        yield found(waiting.pop().object, None, last)
