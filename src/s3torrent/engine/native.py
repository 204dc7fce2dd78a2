"""The default engine: piece ranges of the stream, hashed as they arrive, or known without reading."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from s3torrent.engine.base import Built, TooMuchForOne
from s3torrent.engine.document import metainfo_of, piece_length_of
from s3torrent.engine.ranges import hash_layout
from s3torrent.engine.slices import ranges_of
from s3torrent.engine.zero_read import known_hashes
from s3torrent.errors import EmptyContent
from s3torrent.hashing.assemble import assemble
from s3torrent.hashing.layout import Layout

if TYPE_CHECKING:
    from s3torrent.engine.base import Content, Progress, RangeMemory
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.store.base import ObjectReader


class NativeEngine:
    """Hashes in ``threads`` ranges at once; the memory is that of engine/ranges.py."""

    name = "native"

    def __init__(self, threads: int = 4, most: float = math.inf) -> None:
        """``most``: bytes from which on an object is not read by one ``build``."""
        self.threads, self.most = threads, most

    def layout(self, content: Content, policy: TorrentPolicy) -> Layout:
        """Raises EmptyContent and TooLarge."""
        return self._plan(content, policy)[0]

    def _plan(self, content: Content, policy: TorrentPolicy) -> tuple[Layout, str]:
        """And why its pieces are that long."""
        if not content.size:
            raise EmptyContent(f"{content.name!r} is empty (0 bytes); a torrent needs at least 1 byte")
        choice = piece_length_of(content, policy)
        lengths = [file.version.size for file in content.files]
        layout = Layout.of_files(lengths, choice.piece_length, policy.version, pad_files=policy.pad_files)
        return layout, choice.reason

    def hash_slice(
        self,
        content: Content,
        policy: TorrentPolicy,
        number: int,
        *,
        reader: ObjectReader,
        progress: Progress,
        memory: RangeMemory,
    ) -> int:
        layout = self.layout(content, policy)
        wanted = list(ranges_of(layout, number))
        done = [result for result in memory.recall(layout) if result.range in wanted]
        results = hash_layout(
            layout,
            [file.version for file in content.files],
            reader,
            threads=self.threads,
            progress=progress,
            done=done,
            keep=partial(memory.keep, layout),
            ranges=wanted,
        )
        memory.keep(layout, results, now=True)
        return sum(one.range.end - one.range.start for one in results[len(done) :])

    def build(
        self,
        content: Content,
        policy: TorrentPolicy,
        reader: ObjectReader,
        progress: Progress,
        memory: RangeMemory | None = None,
    ) -> Built:
        """Raises EmptyContent, TooLarge, TooMuchForOne, and whatever the reader raises."""
        layout, reason = self._plan(content, policy)
        versions = [file.version for file in content.files]
        # Also where nothing is to be read: what was recalled is what is cleared away at the end.
        done = memory.recall(layout) if memory else []
        known = known_hashes(layout, versions, reader, progress)
        if not known.results and content.size >= self.most:
            raise TooMuchForOne
        results = known.results or hash_layout(
            layout,
            versions,
            reader,
            threads=self.threads,
            progress=progress,
            done=done,
            keep=partial(memory.keep, layout) if memory else None,
        )
        hashes = assemble(layout, results)
        metainfo = metainfo_of(content, policy, layout.piece_length, hashes)
        recalled = sum(one.range.end - one.range.start for one in known.results or done)
        reason = f"{reason}; {known.reason}" if known.reason else reason
        return Built(metainfo, reason, content.size - recalled)
