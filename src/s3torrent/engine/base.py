"""What an engine is given and what it gives back. One contract: equal content and policy, equal torrent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
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
    """A metainfo, how its piece length came about, and the content bytes that were read for it."""

    metainfo: Metainfo
    piece_length_reason: str
    bytes_read: int


class Engine(Protocol):
    name: str

    def build(
        self, content: Content, policy: TorrentPolicy, reader: ObjectReader, progress: Progress
    ) -> Built: ...
