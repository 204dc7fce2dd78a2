"""The file tree of BEP 52: folders are dicts, a file is a folder whose one key is ``""``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Path = tuple[bytes, ...]


def walk(tree: dict[bytes, Any]) -> Iterator[tuple[Path, dict[bytes, Any]]]:
    """Each file's path and its ``{length, pieces root}``, in tree order: depth first, keys as raw bytes.

    The tree is well-formed (``fault`` is None). A stack of ours, not Python's, holds the depth.
    """
    if b"" in tree:
        yield (), tree[b""]
        return
    open_folders: list[tuple[Path, Iterator[tuple[bytes, dict[bytes, Any]]]]] = [
        ((), iter(sorted(tree.items())))
    ]
    while open_folders:
        path, nodes = open_folders[-1]
        for name, node in nodes:
            if b"" not in node:
                open_folders.append(((*path, name), iter(sorted(node.items()))))
                break
            yield (*path, name), node[b""]
        else:
            open_folders.pop()


def build(leaves: Iterable[tuple[Path, dict[bytes, Any]]]) -> dict[bytes, Any]:
    """The tree of these files; the paths are known to fit together."""
    tree: dict[bytes, Any] = {}
    for path, leaf in leaves:
        node = tree
        for component in path:
            node = node.setdefault(component, {})
        node[b""] = leaf
    return tree


def is_single(tree: dict[bytes, Any], name: bytes) -> bool:
    """Whether the tree is one file of the torrent's own name."""
    return list(tree) == [name] and b"" in tree[name]


def fault(tree: Any) -> str | None:
    """What keeps ``tree`` from being a file tree, in words; None when nothing does."""
    if not isinstance(tree, dict):
        return f"file tree is {_kind(tree)}; expected a dict"
    if not tree or b"" in tree:
        return "the file tree holds no named file"
    open_nodes: list[tuple[Path, Any]] = [((name,), node) for name, node in tree.items()]
    while open_nodes:
        path, node = open_nodes.pop()
        if not isinstance(node, dict) or not node:
            return f"{show(path)} is {_kind(node)}; expected a file or a folder with something in it"
        if b"" not in node:
            open_nodes += (((*path, name), child) for name, child in node.items())
        elif len(node) > 1:
            return f"{show(path)} is a file and a folder at once"
        elif not isinstance(node[b""], dict):
            return f"{show(path)} is described by {_kind(node[b''])}; expected a dict with its length"
    return None


def show(path: Sequence[bytes]) -> str:
    """A path for a message, cut to a line's length."""
    text = b"/".join(path).decode("utf-8", errors="replace")
    return repr(text if len(text) <= 200 else text[:200] + "...")


def _kind(value: Any) -> str:
    if value == {}:
        return "an empty dict"
    return {int: "an integer", bytes: "a string", list: "a list", dict: "a dict"}.get(type(value), "nothing")
