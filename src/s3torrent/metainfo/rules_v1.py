"""Rules of the v1 half (BEP 3, 47). Each takes a metainfo and says in words how it is broken, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.metainfo import paths
from s3torrent.metainfo.file_tree import show
from s3torrent.metainfo.model import is_pad
from s3torrent.metainfo.rules_common import found, is_length

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo


def pieces(metainfo: Metainfo) -> str | None:
    value = metainfo.info.get(b"pieces")
    if not metainfo.has_v1:
        return None
    if not isinstance(value, bytes):
        return f"{found(value)}; expected a string, the SHA-1 of each piece"
    return f"{len(value):,} bytes; expected a multiple of 20" if len(value) % 20 else None


def length_or_files(metainfo: Metainfo) -> str | None:
    if not metainfo.has_v1:
        return None
    match (b"length" in metainfo.info, b"files" in metainfo.info):
        case (True, True):
            return "found both length and files; expected one of them"
        case (False, False):
            return "found neither length nor files; expected one of them"
    return None


def length(metainfo: Metainfo) -> str | None:
    value = metainfo.info.get(b"length", 0)
    return None if is_length(value) else f"{found(value)}; expected 0 to 2**63 - 1 bytes"


def files(metainfo: Metainfo) -> str | None:
    if b"files" not in metainfo.info:
        return None
    items = metainfo.info[b"files"]
    if not isinstance(items, list) or not items:
        return f"{found(items)}; expected a list of at least one file"
    for item in items:
        if not isinstance(item, dict):
            return f"an item: {found(item)}; expected a dict with length and path"
        if not is_length(item.get(b"length")):
            return f"a length: {found(item.get(b'length'))}; expected 0 to 2**63 - 1 bytes"
        path = item.get(b"path")
        if not isinstance(path, list) or not all(isinstance(component, bytes) for component in path):
            return f"a path: {found(path)}; expected a list of strings"
    return None


def file_paths(metainfo: Metainfo) -> str | None:
    for item in metainfo.info.get(b"files", ()):
        fault = paths.path_fault(item[b"path"])
        if fault:
            return f"{show(item[b'path'])}, {fault}; expected components that stay below the torrent's folder"
    return None


def distinct_files(metainfo: Metainfo) -> str | None:
    pair = paths.clash(tuple(item[b"path"]) for item in metainfo.info.get(b"files", ()) if not is_pad(item))
    if pair is None:
        return None
    first, second = map(show, pair)
    return f"{first} twice" if first == second else f"{first} is a file, and the folder of {second}"


def piece_count(metainfo: Metainfo) -> str | None:
    if not metainfo.has_v1:
        return None
    size = sum(entry.length for entry, _ in metainfo.v1_layout)
    expected = -(-size // metainfo.piece_length)
    actual = len(metainfo.pieces) // 20
    if actual == expected:
        return None
    return (
        f"{actual:,} piece hashes; expected {expected:,} for {size:,} bytes "
        f"at a piece length of {metainfo.piece_length:,}"
    )
