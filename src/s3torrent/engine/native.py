"""The default engine: piece ranges of the stream, hashed as they arrive, or known without reading."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from s3torrent.engine.base import Built
from s3torrent.engine.document import metainfo_of, piece_length_of
from s3torrent.engine.ranges import hash_layout
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

    def __init__(self, threads: int = 4) -> None:
        self.threads = threads

    def build(
        self,
        content: Content,
        policy: TorrentPolicy,
        reader: ObjectReader,
        progress: Progress,
        memory: RangeMemory | None = None,
    ) -> Built:
        """Raises EmptyContent, TooLarge, and whatever the reader raises."""
        if not content.size:
            raise EmptyContent(f"{content.name!r} is empty (0 bytes); a torrent needs at least 1 byte")
        choice = piece_length_of(content, policy)
        layout = Layout.of_files(
            [file.version.size for file in content.files], choice.piece_length, policy.version
        )
        versions = [file.version for file in content.files]
        # Also where nothing is to be read: what was recalled is what is cleared away at the end.
        done = memory.recall(layout) if memory else []
        known = known_hashes(layout, versions, reader, progress)
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
        metainfo = metainfo_of(content, policy, choice.piece_length, hashes)
        recalled = sum(one.range.end - one.range.start for one in known.results or done)
        reason = f"{choice.reason}; {known.reason}" if known.reason else choice.reason
        return Built(metainfo, reason, content.size - recalled)
