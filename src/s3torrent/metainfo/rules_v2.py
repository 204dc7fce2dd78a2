"""Rules of the v2 half and of hybrids (BEP 52). Each takes a metainfo and says how it is broken, or None."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from s3torrent.metainfo import file_tree, paths
from s3torrent.metainfo.file_tree import show
from s3torrent.metainfo.model import is_pad
from s3torrent.metainfo.rules_common import found, is_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.metainfo.model import FileEntry, Metainfo

LEAF = 16384
"""Bytes of content under one leaf of a file's hash tree."""


def _leaves(metainfo: Metainfo) -> Iterator[tuple[paths.Path, dict[bytes, Any]]]:
    return file_tree.walk(metainfo.info.get(b"file tree", {}))


def _show(entry: FileEntry) -> str:
    return show([name.encode() for name in entry.path])


def tree(metainfo: Metainfo) -> str | None:
    return file_tree.fault(metainfo.info[b"file tree"]) if metainfo.has_v2 else None


def layers(metainfo: Metainfo) -> str | None:
    value = metainfo.top.get(b"piece layers", {}) if metainfo.has_v2 else {}
    if isinstance(value, dict) and all(isinstance(layer, bytes) for layer in value.values()):
        return None
    return f"{found(value)}; expected a dict of strings"


def tree_paths(metainfo: Metainfo) -> str | None:
    told = 0
    for path, _ in _leaves(metainfo):
        told += paths.written_out(path)
        if told > paths.MAX_TREE_PATHS:
            return f"the paths, written out, take more than {paths.MAX_TREE_PATHS:,} bytes; expected less"
        fault = paths.path_fault(path)
        if fault:
            return f"{show(path)}, {fault}; expected components that stay below the torrent's folder"
    return None


def tree_lengths(metainfo: Metainfo) -> str | None:
    for path, leaf in _leaves(metainfo):
        if not is_length(leaf.get(b"length")):
            return f"{show(path)}: {found(leaf.get(b'length'))}; expected 0 to 2**63 - 1 bytes"
    return None


def pieces_root(metainfo: Metainfo) -> str | None:
    for path, leaf in _leaves(metainfo):
        root = leaf.get(b"pieces root")
        if leaf[b"length"] == 0:
            if root is not None:
                return f"{show(path)} is empty and has a pieces root; expected none"
        elif not isinstance(root, bytes) or len(root) != 32:
            what = f"{len(root)} bytes" if isinstance(root, bytes) else found(root)
            return f"{show(path)}: {what}; expected a pieces root of 32 bytes"
    return None


def piece_layers(metainfo: Metainfo) -> str | None:
    if not metainfo.has_v2:
        return None
    known = metainfo.piece_layers
    needed: set[bytes] = set()
    for entry, root in zip(metainfo.files, metainfo.file_roots, strict=True):
        if root is None or entry.length <= metainfo.piece_length:
            continue
        needed.add(root)
        expected = 32 * -(-entry.length // metainfo.piece_length)
        if root not in known:
            return f"none for {_show(entry)}; expected {expected:,} bytes under its pieces root"
        if len(known[root]) != expected:
            return f"{len(known[root]):,} bytes for {_show(entry)}; expected {expected:,}"
    unknown = known.keys() - needed
    return f"{len(unknown):,} under no pieces root that needs them" if unknown else None


def layer_roots(metainfo: Metainfo) -> str | None:
    for root, layer in metainfo.piece_layers.items():
        actual = layer_root(layer, metainfo.piece_length)
        if actual != root:
            return f"a layer hashes to {actual.hex()}; expected its pieces root {root.hex()}"
    return None


def layer_root(layer: bytes, piece_length: int) -> bytes:
    """The pieces root above a piece layer (32 bytes a piece); what is missing to a power of two is zeros."""
    nodes = [layer[at : at + 32] for at in range(0, len(layer), 32)]
    pad = bytes(32)
    for _ in range((piece_length // LEAF).bit_length() - 1):
        pad = hashlib.sha256(pad + pad).digest()
    while len(nodes) > 1:
        if len(nodes) % 2:
            nodes.append(pad)
        nodes = [
            hashlib.sha256(left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=True)
        ]
        pad = hashlib.sha256(pad + pad).digest()
    return nodes[0]


def hybrid(metainfo: Metainfo) -> str | None:
    """The v1 list names the files of the tree, in tree order, each from a piece boundary on."""
    if metainfo.torrent_version != "hybrid":
        return None
    if b"length" in metainfo.info:
        listed = [((metainfo.info[b"name"],), metainfo.info[b"length"])]
    else:
        items = metainfo.info[b"files"]
        listed = [(tuple(item[b"path"]), item[b"length"]) for item in items if not is_pad(item)]
    in_tree = [(path, leaf[b"length"]) for path, leaf in _leaves(metainfo)]
    if len(listed) != len(in_tree):
        return f"{len(listed):,} files in the v1 list, {len(in_tree):,} in the file tree; expected the same"
    for (v1_path, v1_length), (v2_path, v2_length) in zip(listed, in_tree, strict=True):
        if v1_path != v2_path:
            return f"{show(v1_path)} in the v1 list where the file tree has {show(v2_path)}"
        if v1_length != v2_length:
            return f"{show(v1_path)} has {v1_length:,} bytes in the v1 list, {v2_length:,} in the file tree"
    return None


def hybrid_pads(metainfo: Metainfo) -> str | None:
    """Pad files, and nothing else, carry every file of a hybrid to a piece boundary (BEP 47, 52)."""
    if metainfo.torrent_version != "hybrid":
        return None
    offset = 0
    for entry, pad in metainfo.v1_layout:
        gap = -offset % metainfo.piece_length
        if pad and entry.length != gap:
            return f"a pad file of {entry.length:,} bytes at byte {offset:,}; expected {gap:,}"
        if not pad and entry.length and gap:
            return f"{_show(entry)} begins at byte {offset:,}; expected a pad file of {gap:,} before it"
        offset += entry.length
    return None
