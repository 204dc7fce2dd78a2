"""All objects below a prefix as one torrent of several files."""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from typing import TYPE_CHECKING

from s3torrent.errors import (
    Archived,
    BadName,
    EmptyContent,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    PathConflict,
    SourceError,
    TooLarge,
)
from s3torrent.metainfo.build import check_tree
from s3torrent.metainfo.piece_length import MAX_TORRENT
from s3torrent.pipeline.content import tree_content
from s3torrent.types import TORRENT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.engine.base import Built, Content, Engine, Progress, RangeMemory
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.store.base import BucketReader, ObjectLister
    from s3torrent.types import ObjectRef, ObjectVersion

CONTROL_PREFIX = ".s3torrent/"
FOLDER_MARKERS = ("/", "_$folder$")
"""How empty objects end that consoles and Hadoop leave where there is a folder."""

LEAST_TOLD = 19
"""Bytes that a torrent of any version takes for a file besides its name."""

AGAIN = "make the torrent again when nobody writes below the prefix"
LEAVE_OUT = "rename it, or name a prefix that leaves it out"


def is_prefix(ref: ObjectRef) -> bool:
    """Whether it names all that lies below it: ``s3://BUCKET/`` or ``s3://BUCKET/PREFIX/``."""
    return bool(ref.bucket) and (not ref.key or ref.key.endswith("/"))


def prefix_name(place: ObjectRef) -> str:
    """The torrent's name: the prefix's last segment, of a whole bucket the bucket's name. Raises BadName."""
    if not place.key:
        return place.bucket
    name = place.key.removesuffix("/").rsplit("/", 1)[-1]
    if name in ("", ".", "..") or "\0" in name:
        raise BadName(
            f"{place} has {name!r} for its last folder; expected a name for the torrent",
            hint="name another prefix, or rename the objects",
        )
    return name


def prefix_content(
    place: ObjectRef, lister: ObjectLister, *, version: str = "v1", control_prefix: str = CONTROL_PREFIX
) -> Content:
    """Every object below ``place``, which ``is_prefix``, as its current version lies there now.

    Left out are empty folder markers, KEY.torrent beside KEY, FOLDER.torrent beside what lies in FOLDER/,
    and what is below ``control_prefix``. Memory: some 600 bytes an object, of no more objects than a torrent
    can name (and their torrents). Raises BadName and PathConflict for keys that are no paths below one
    folder, TooLarge for too many in a ``version`` torrent, NoSuchObject where nothing lies below,
    EmptyContent where all is left out, and what the listing raises.
    """
    name = prefix_name(place)
    found, kept = _listed(place, lister, control_prefix)
    if not found:
        raise NoSuchObject(
            f"nothing lies below {place}", hint="check the bucket and the prefix (it is case-sensitive)"
        )
    files = _without_torrents(kept)
    if not files:
        raise EmptyContent(
            f"below {place} lie only folder markers, .torrent files and s3torrent's own ({found:,}); "
            "expected an object to share",
            hint="upload content, or name another prefix",
        )
    if files[0].ref.key == place.key:
        raise BadName(
            f"{files[0]} of {files[0].size:,} bytes is named like the folder; expected an empty marker",
            hint="copy it to a name below, and delete it",
        )
    start = len(place.key)
    try:
        content = tree_content(name, [(tuple(one.ref.key[start:].split("/")), one) for one in files])
        if version != "v1":
            check_tree([file.path for file in content.files])
    except (BadName, PathConflict) as error:
        error.message = f"below {place}: {error.message}"
        if error.hint == BadName.default_hint:
            error.hint = LEAVE_OUT
        raise
    return content


def _listed(place: ObjectRef, lister: ObjectLister, control_prefix: str) -> tuple[int, list[ObjectVersion]]:
    """How many objects lie below, and those that are neither markers nor our own. TooLarge when sure."""
    found = told = 0
    kept: list[ObjectVersion] = []
    for one in lister.list_objects(place.bucket, place.key):
        key = one.ref.key
        found += 1
        if (not one.size and key.endswith(FOLDER_MARKERS)) or (
            control_prefix and key.startswith(control_prefix)
        ):
            continue
        kept.append(one)
        if not key.endswith(TORRENT_SUFFIX):
            told += LEAST_TOLD + len(key) - key.rfind("/") - 1
        if told > MAX_TORRENT:
            raise TooLarge(
                f"below {place} lie more than {len(kept):,} objects, whose names alone make a .torrent of "
                f"over {MAX_TORRENT:,} bytes; expected at most that, which is what clients load",
                hint="name a prefix with fewer objects below it",
            )
    return found, kept


def _without_torrents(kept: Sequence[ObjectVersion]) -> list[ObjectVersion]:
    """Without the torrents of the others and of their folders; ``kept`` is in order of the keys."""
    keys = [one.ref.key for one in kept]
    torrents = {one.ref.torrent.key for one in kept}

    def is_torrent(key: str) -> bool:
        if key in torrents:
            return True
        if not key.endswith(TORRENT_SUFFIX):
            return False
        folder = key.removesuffix(TORRENT_SUFFIX) + "/"
        at = bisect_left(keys, folder)
        return at < len(keys) and keys[at].startswith(folder)

    return [one for one in kept if not is_torrent(one.ref.key)]


def point_below(ref: ObjectRef, lister: ObjectLister, error: NoSuchObject) -> None:
    """Where no object lies at ``ref`` but some below it, the hint of ``error`` says how to name those."""
    with contextlib.suppress(SourceError):
        if next(lister.list_objects(ref.bucket, f"{ref.key}/"), None):
            error.hint = f"objects lie below it: name {ref}/ (with a slash at its end) for all of them"


def build_prefix(
    place: ObjectRef,
    content: Content,
    policy: TorrentPolicy,
    engine: Engine,
    *,
    store: BucketReader,
    progress: Progress,
    memory: RangeMemory | None = None,
) -> Built:
    """The torrent of ``content``, whose objects are all still current when this returns.

    One that came to lie below the prefix meanwhile is not in it. Raises ObjectChanged, ObjectGone and
    Archived, which name the object, and whatever the engine raises.
    """
    try:
        built = engine.build(content, policy, store, progress, memory)
        _require_current(place, content, store)
    except (ObjectChanged, ObjectGone) as error:
        error.hint = AGAIN
        raise
    except Archived as error:
        error.hint = "restore it (aws s3api restore-object), or name a prefix that leaves it out"
        raise
    return built


def _require_current(place: ObjectRef, content: Content, lister: ObjectLister) -> None:
    """By one listing more: each was read as it was when it was read, which may be hours ago."""
    pinned = {file.version.ref.key: file.version for file in content.files}
    for now in lister.list_objects(place.bucket, place.key):
        was = pinned.pop(now.ref.key, None)
        if was and (was.etag, was.size) != (now.etag, now.size):
            raise ObjectChanged(f"{was} was replaced while its torrent was made; now it is {now}")
    for gone in pinned.values():
        raise ObjectGone(f"{gone} was deleted while its torrent was made")
