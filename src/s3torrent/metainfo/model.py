"""The metainfo of a torrent: the info dict exactly as written, and everything around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

from s3torrent.metainfo import bencode, file_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

TorrentVersion = Literal["v1", "v2", "hybrid"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: its path below the torrent's name (a single file's path is its name), its bytes."""

    path: tuple[str, ...]
    length: int

    def __str__(self) -> str:
        return "/".join(self.path)


@dataclass(frozen=True)
class Metainfo:
    """A torrent (BEP 3, 52). Two are equal when their bytes are.

    ``info_raw`` is the info dict as written, the bytes that the info-hashes are taken of; ``info`` is the
    same, decoded; ``top`` holds every other key of the file, known to us or not. The properties hold for a
    metainfo that ``validate`` accepts, as every one from ``parse`` and ``build`` is. Text that is not UTF-8
    shows with replacement characters; the bytes stay as they are.
    """

    info_raw: bytes = field(repr=False)
    info: dict[bytes, Any] = field(compare=False, repr=False)
    top: dict[bytes, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of_files(
        cls,
        info_raw: bytes,
        info: dict[bytes, Any],
        top: dict[bytes, Any],
        *,
        files: Sequence[FileEntry],
        v1_layout: Sequence[tuple[FileEntry, bool]],
        file_roots: Sequence[bytes | None] | None,
    ) -> Self:
        """One that was made of these files: what the properties of these names would read out of it."""
        made = cls(info_raw, info, top)
        made.__dict__.update(
            files=tuple(files), v1_layout=tuple(v1_layout), file_roots=tuple(file_roots or ())
        )
        return made

    def encode(self) -> bytes:
        """The .torrent file."""
        parts = [(key, bencode.encode(value)) for key, value in self.top.items()]
        parts.append((b"info", self.info_raw))
        return b"d" + b"".join(bencode.encode(key) + value for key, value in sorted(parts)) + b"e"

    @property
    def name(self) -> str:
        return _text(self.info[b"name"])

    @property
    def has_v1(self) -> bool:
        """It can be told and checked by SHA-1 pieces (BEP 3)."""
        return any(key in self.info for key in (b"pieces", b"length", b"files"))

    @property
    def has_v2(self) -> bool:
        """It can be told and checked by SHA-256 trees (BEP 52)."""
        return b"meta version" in self.info or b"file tree" in self.info

    @property
    def torrent_version(self) -> TorrentVersion:
        if not self.has_v2:
            return "v1"
        return "hybrid" if self.has_v1 else "v2"

    @property
    def piece_length(self) -> int:
        """Bytes of every piece but the last (v2: of each file's last)."""
        return int(self.info[b"piece length"])

    @property
    def piece_count(self) -> int:
        """Pieces of the torrent; in v2 each file has its own."""
        if self.has_v1:
            return len(self.pieces) // 20
        return sum(-(-entry.length // self.piece_length) for entry in self.files)

    @property
    def size(self) -> int:
        """Bytes of content, without pad files."""
        return sum([entry.length for entry in self.files])

    @property
    def single_file(self) -> bool:
        """The torrent is one file called ``name``, not a folder of that name.

        A v2 torrent says so only by the name of the one file in its tree: a folder of nothing but a file
        of the folder's own name reads as that file (and libtorrent takes any folder of one file for it).
        """
        if self.has_v1:
            return b"length" in self.info
        return file_tree.is_single(self.info[b"file tree"], self.info[b"name"])

    @cached_property
    def files(self) -> tuple[FileEntry, ...]:
        """The files without pad files: in v2 and hybrid in tree order, in v1 as listed."""
        if self.has_v2:
            leaves = file_tree.walk(self.info[b"file tree"])
            return tuple([FileEntry(_path(path), leaf[b"length"]) for path, leaf in leaves])
        return tuple([entry for entry, is_pad in self.v1_layout if not is_pad])

    @cached_property
    def v1_layout(self) -> tuple[tuple[FileEntry, bool], ...]:
        """What the v1 pieces run over: the files in list order, and True for each pad file (BEP 47).

        Empty where the torrent has no v1 half. A pad file stands for ``length`` zero bytes.
        """
        if b"length" in self.info:
            return ((FileEntry((self.name,), self.info[b"length"]), False),)
        return tuple(
            [
                (FileEntry(_path(item[b"path"]), item[b"length"]), is_pad(item))
                for item in self.info.get(b"files", ())
            ]
        )

    @property
    def pieces(self) -> bytes:
        """SHA-1 of each piece, 20 bytes a piece; empty in v2."""
        return bytes(self.info.get(b"pieces", b""))

    @cached_property
    def file_roots(self) -> tuple[bytes | None, ...]:
        """v2: the SHA-256 tree's root of each of ``files``, 32 bytes, None for an empty one; empty in v1."""
        return tuple(leaf.get(b"pieces root") for _, leaf in file_tree.walk(self.info.get(b"file tree", {})))

    @property
    def piece_layers(self) -> dict[bytes, bytes]:
        """v2: file root -> subtree root of each piece, 32 bytes a piece; only files larger than a piece."""
        return dict(self.top.get(b"piece layers", {})) if self.has_v2 else {}

    @property
    def trackers(self) -> list[list[str]]:
        """Tiers of announce URLs (BEP 12); ``announce`` alone is one tier of one."""
        tiers = [[_text(url) for url in tier] for tier in self.top.get(b"announce-list", ()) if tier]
        if not tiers and self.top.get(b"announce"):
            return [[_text(self.top[b"announce"])]]
        return tiers

    @property
    def web_seeds(self) -> tuple[str, ...]:
        """Addresses of the content over HTTP (BEP 19)."""
        seeds = self.top.get(b"url-list", ())
        return tuple(_text(seed) for seed in ([seeds] if isinstance(seeds, bytes) else seeds) if seed)

    @property
    def private(self) -> bool:
        """Peers only from the trackers (BEP 27)."""
        return bool(self.info.get(b"private") == 1)

    @property
    def source(self) -> str | None:
        return _text_or_none(self.info.get(b"source"))

    @property
    def comment(self) -> str | None:
        return _text_or_none(self.top.get(b"comment"))

    @property
    def created_by(self) -> str | None:
        return _text_or_none(self.top.get(b"created by"))

    @property
    def creation_date(self) -> datetime | None:
        """Aware, UTC; None where there is none, or none that a calendar has."""
        seconds = self.top.get(b"creation date")
        if not isinstance(seconds, int):
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None


def is_pad(item: dict[bytes, Any]) -> bool:
    """Whether an item of the v1 file list is a pad file (BEP 47)."""
    attributes = item.get(b"attr")
    return isinstance(attributes, bytes) and b"p" in attributes


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def _text_or_none(raw: Any) -> str | None:
    return _text(raw) if isinstance(raw, bytes) else None


def _path(raw: Sequence[bytes]) -> tuple[str, ...]:
    return tuple([component.decode("utf-8", "replace") for component in raw])
