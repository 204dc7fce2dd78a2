"""What an engine is given and what it gives back. One contract: equal content and policy, equal torrent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.hashing.layout import Layout
    from s3torrent.hashing.ranges import RangeHashes
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectVersion

HASHING, DOWNLOADING = "CREATING_TORRENT", "DOWNLOADING"
"""Phases, named as the status they are told as."""


class Progress(Protocol):
    """Called with the bytes done so far, from the calling thread, a few times a second; may raise to stop."""

    def __call__(self, done: int, phase: str = HASHING, /) -> object: ...


@dataclass(frozen=True, slots=True)
class ContentFile:
    """One file of the content: its path below the torrent's name, and the version that is read."""

    path: tuple[str, ...]
    version: ObjectVersion


@dataclass(frozen=True, slots=True)
class Content:
    """What a torrent is made of.

    ``files`` are in tree order (UTF-8 bytes); a single file has the path ``(name,)``. Whoever uploaded it may
    have declared the piece length that its parts were made for.
    """

    name: str
    files: tuple[ContentFile, ...]
    single_file: bool
    declared_piece_length: int | None = None

    @property
    def size(self) -> int:
        return sum(file.version.size for file in self.files)

    @property
    def creation_date(self) -> int:
        """Epoch seconds of the newest file: the same for every run over the same content."""
        return max(int(file.version.last_modified.timestamp()) for file in self.files)


@dataclass(frozen=True, slots=True)
class Built:
    """A metainfo, how its piece length came about (and whether the SHA-1s that its store told spared reading
    it), and the content bytes that were read for it.
    """

    metainfo: Metainfo
    piece_length_reason: str
    bytes_read: int


class TooMuchForOne(Exception):
    """More is to be read than one run is to read, and the work can be spread. A turn of events, no error."""


class RangeMemory(Protocol):
    """What an earlier try has hashed, kept where the next one finds it. Called from the calling thread."""

    def recall(self, layout: Layout) -> list[RangeHashes]:
        """Ranges of this very layout that need not be read again."""
        ...

    def keep(self, layout: Layout, results: Sequence[RangeHashes], *, now: bool = False) -> None:
        """All that is hashed so far: written down when that is due, or ``now``, as the work is broken off."""
        ...


class Engine(Protocol):
    name: str

    def build(
        self,
        content: Content,
        policy: TorrentPolicy,
        reader: ObjectReader,
        progress: Progress,
        memory: RangeMemory | None = None,
    ) -> Built: ...


class SliceEngine(Engine, Protocol):
    """What an engine offers besides whose work can be spread over slices (engine/slices.py)."""

    def layout(self, content: Content, policy: TorrentPolicy) -> Layout: ...

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
        """Hash what ``memory`` does not recall of it, and have it kept; the bytes that were read."""
        ...
