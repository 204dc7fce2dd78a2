"""Objects that a list names, each looked at together with the .torrent beside it.

A list (an inventory, a file of keys) is in no order, so that KEY.torrent may stand anywhere in it: one HEAD
asks for it, whatever the list's length, and tells of today where an inventory tells of yesterday.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent.errors import NoSuchObject
from s3torrent.pipeline.content import MAX_KEY_BYTES
from s3torrent.pipeline.in_order import in_order
from s3torrent.pipeline.survey import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from s3torrent.pipeline.backfill import Filter, Tally
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectRef, ObjectVersion

AT_ONCE = 16
"""Objects that are looked at at the same time: each waits for one or two small answers."""


@dataclass(frozen=True, slots=True)
class Named:
    """An object as a list names it. ``version`` is None where the list does not tell size and date; the list
    goes on from ``marker``.
    """

    ref: ObjectRef
    version: ObjectVersion | None
    marker: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks at what neither ``drops`` nor ``only`` leaves out, and counts what they do. ``missing`` is told
    of an object that is named and not there.
    """

    reader: ObjectReader
    tally: Tally
    drops: Callable[[ObjectRef], object]
    only: Filter
    missing: Callable[[ObjectRef], object]

    def found(self, named: Iterable[Named]) -> Iterator[Found]:
        """In their order. Memory: 2 x AT_ONCE objects. Raises what ``head`` of a store raises."""
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")
        try:
            for one, found in in_order(pool, self._look, self._chosen(named), 2 * AT_ONCE):
                if found:
                    yield found
                else:
                    self.tally.missing += 1
                    self.missing(one.ref)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _chosen(self, named: Iterable[Named]) -> Iterator[Named]:
        for one in named:
            if self.drops(one.ref) or (one.version and not self.only.takes(one.version)):
                self.tally.objects += 1
                self.tally.left_out += 1
            else:
                yield one

    def _look(self, named: Named) -> Found | None:
        """None: there is no such object."""
        version = named.version or self._head(named.ref)
        if version is None:
            return None
        ask = not self.only.every and self.only.takes(version)
        return Found(version, self._head(named.ref.torrent) if ask else None, named.marker)

    def _head(self, ref: ObjectRef) -> ObjectVersion | None:
        if len(ref.key.encode()) > MAX_KEY_BYTES:  # no such key can be, and S3 refuses the question
            return None
        try:
            return self.reader.head(ref).version
        except NoSuchObject:
            return None
