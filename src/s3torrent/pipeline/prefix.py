"""All objects below a prefix as one torrent of several files."""

from __future__ import annotations

import contextlib
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
)
from s3torrent.metainfo.build import check_tree
from s3torrent.pipeline.content import tree_content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3torrent.engine.base import Built, Content, Engine, Progress, RangeMemory
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.store.base import BucketReader, ObjectLister
    from s3torrent.types import ObjectRef, ObjectVersion

CONTROL_PREFIX = ".s3torrent/"
FOLDER_MARKERS = ("/", "_$folder$")
"""How empty objects end that consoles and Hadoop leave where there is a folder."""

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

    Left out are empty folder markers, KEY.torrent beside KEY, and what is below ``control_prefix``. Memory:
    a few hundred bytes an object. Raises BadName and PathConflict for keys that are no paths below one
    folder, TooLarge for too many in a ``version`` torrent, NoSuchObject where nothing lies below,
    EmptyContent where all is left out, and what the listing raises.
    """
    name = prefix_name(place)
    listed = list(lister.list_objects(place.bucket, place.key))
    if not listed:
        raise NoSuchObject(
            f"nothing lies below {place}", hint="check the bucket and the prefix (it is case-sensitive)"
        )
    files = _files(listed, control_prefix)
    if not files:
        raise EmptyContent(
            f"below {place} lie only folder markers, .torrent files and s3torrent's own ({len(listed):,}); "
            "expected an object to share",
            hint="upload content, or name another prefix",
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


def _files(listed: Iterable[ObjectVersion], control_prefix: str) -> list[ObjectVersion]:
    kept = [
        one
        for one in listed
        if not (not one.size and one.ref.key.endswith(FOLDER_MARKERS))
        and not (control_prefix and one.ref.key.startswith(control_prefix))
    ]
    torrents = {one.ref.torrent.key for one in kept}
    return [one for one in kept if one.ref.key not in torrents]


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
