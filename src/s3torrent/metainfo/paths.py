"""Which paths a torrent may hold: safe to create below a folder, and together in one file system."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Path = tuple[bytes, ...]

MAX_NAME = 4096
"""Bytes of one name: more than a file system takes, or S3 in a whole key."""
MAX_TREE_PATHS = 64 << 20
"""Bytes of all paths of a file tree, written out as a v1 list has them. A tree tells what they share only
once: a folder of one MB around thousands of files would fill any memory.
"""
MAX_DEPTH_V1 = 100
"""Components of a path in a v1 file list; libtorrent loads no more."""
MAX_DEPTH_V2 = 95
"""Components of a path in a file tree: each is a level of nesting, and libtorrent reads about a hundred."""


def component_fault(component: bytes) -> str | None:
    """Why ``component`` is not one name in a folder, in words; None when it is."""
    if not component:
        return "an empty name"
    if component in {b".", b".."}:
        return "a name that means a folder"
    if b"/" in component:
        return "a name with a slash in it"
    if b"\0" in component:
        return "a name with a NUL in it"
    if len(component) > MAX_NAME:
        return f"a name of {len(component):,} bytes (at most {MAX_NAME:,})"
    return None


def path_fault(path: Sequence[bytes]) -> str | None:
    """Why ``path`` is not a safe relative path, in words; None when it is."""
    told = b"/".join((b"", *path, b""))
    if (
        # One look at the whole clears nearly all.
        1 < told.count(b"/") == len(path) + 1 <= MAX_DEPTH_V1 + 1
        and len(told) <= MAX_NAME
        and not (b"/." in told or b"//" in told or b"\0" in told)
    ):
        return None
    if not path:
        return "an empty path"
    if len(path) > MAX_DEPTH_V1:
        return f"a path of {len(path):,} components (clients read at most {MAX_DEPTH_V1})"
    return next(filter(None, map(component_fault, path)), None)


def all_sound(listed: Sequence[Sequence[str]]) -> bool:
    """Whether none of many paths has a fault, by one look at all of them: the answer may be no where a look
    at each finds none (a name that begins with a dot, a long path).
    """
    joined = ["/".join(path) for path in listed]
    told = "/\0/".join(["", *joined, ""])
    try:
        told.encode()
    except UnicodeEncodeError:
        return False
    return (
        "/." not in told
        and "//" not in told
        and told.count("\0") == len(listed) + 1
        and told.count("/") == sum(map(len, listed)) + len(listed) + 2
        and max(map(len, listed), default=0) <= MAX_DEPTH_V1
        and max(map(len, joined), default=0) <= MAX_NAME // 4
    )


def written_out(path: Sequence[bytes]) -> int:
    """Bytes of ``path`` with its slashes."""
    return sum(map(len, path)) + len(path)


def clash(paths: Iterable[Path]) -> tuple[Path, Path] | None:
    """Two paths that cannot both be files: the same twice, or one the folder of the other; else None.

    Sorted, whatever lies in a folder directly follows it, so neighbours are all there is to compare.
    """
    for first, second in pairwise(sorted(paths)):
        if second[: len(first)] == first:
            return first, second
    return None
