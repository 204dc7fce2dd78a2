"""From what was named to the Content of a torrent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.engine.base import Content, ContentFile
from s3torrent.errors import BadName, KeyTooLong, NotTorrentable, PieceLengthError
from s3torrent.metainfo.build import tree_order
from s3torrent.metainfo.piece_length import MAX, MIN, parse_piece_length

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion

MAX_KEY_BYTES = 1024
"""S3's limit on a key, in bytes of UTF-8."""

PIECE_LENGTH_METADATA = "s3torrent-piece-length"
"""User metadata of an object that was uploaded in parts that are pieces; it survives a copy, parts do not."""


MANY = 8
"""Parts that tell how long they are: of fewer a power of two comes out by chance."""


def name_of(ref: ObjectRef) -> str:
    """The torrent's name: the key's last segment. Raises BadName where that is no file name."""
    name = ref.key.rsplit("/", 1)[-1]
    if name in ("", ".", "..") or "\0" in name:
        raise BadName(f"{ref} ends in {name!r}; expected a file name after the last '/'")
    return name


def check_torrent_key(ref: ObjectRef) -> None:
    """Raises KeyTooLong where KEY.torrent does not fit S3's limit."""
    length = len(ref.torrent.key.encode())
    if length > MAX_KEY_BYTES:
        raise KeyTooLong(
            f"{ref.key[:40]}....torrent would be a key of {length:,} bytes; S3 allows {MAX_KEY_BYTES:,}"
        )


def no_torrent_of(source: ObjectVersion) -> str:
    """Why there can be none, "" where there can."""
    if not source.size:
        return "it is empty"
    try:
        check_torrent_key(source.ref)
        name_of(source.ref)
    except NotTorrentable as error:
        return error.message
    return ""


def object_content(head: ObjectHead) -> Content:
    """One object as a single-file torrent."""
    name = name_of(head.version.ref)
    declared = declared_piece_length(head) or part_length(head.version)
    return Content(name, (ContentFile((name,), head.version),), True, declared)  # noqa: FBT003


def declared_piece_length(head: ObjectHead) -> int | None:
    """What the object's uploader wrote into its metadata; None where it is no piece length."""
    try:
        return parse_piece_length(head.metadata.get(PIECE_LENGTH_METADATA, ""))
    except PieceLengthError:
        return None


def part_length(version: ObjectVersion) -> int | None:
    """The power of two that cuts the object into as many parts as it was uploaded in, where S3 keeps their
    SHA-1s and a piece may be that long: the SDKs upload in parts of 8 MiB, doubled until 10,000 are enough.
    """
    parts = version.sha1.parts if version.sha1 else None
    if not parts or parts < MANY:
        return None
    length = 1 << (-(-version.size // parts) - 1).bit_length()
    return length if MIN <= length <= MAX and (parts - 1) * length < version.size else None


def tree_content(name: str, files: Iterable[tuple[tuple[str, ...], ObjectVersion]]) -> Content:
    """A folder as a multi-file torrent. Raises PathConflict and BadName."""
    ordered = tree_order([ContentFile(path, version) for path, version in files])
    return Content(name, tuple(ordered), single_file=False)
