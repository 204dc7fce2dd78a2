"""Where a backfill has its objects from: a listing of the bucket, an inventory, or a file of keys."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

import click

from s3torrent.cli.locations import locate
from s3torrent.cli.output import visible
from s3torrent.errors import UsageError
from s3torrent.pipeline.inventory import Inventory
from s3torrent.pipeline.keys_file import KeysFile
from s3torrent.pipeline.lookup import Lookup
from s3torrent.pipeline.marker import LISTING
from s3torrent.pipeline.publish import find
from s3torrent.pipeline.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.pipeline.backfill import Filter, Tally
    from s3torrent.pipeline.lookup import Named
    from s3torrent.pipeline.survey import Found
    from s3torrent.store.base import BucketReader
    from s3torrent.types import ObjectRef, ObjectVersion


class Source(Protocol):
    """``name`` goes into the marker. ``total``: how much there is to be read, in whatever unit, None where
    nobody knows; ``read`` of it is behind us.
    """

    @property
    def name(self) -> str: ...
    @property
    def total(self) -> int | None: ...
    @property
    def read(self) -> int: ...
    def found(self, after: str) -> Iterator[Found]:
        """What comes behind the marker ``after``."""
        ...


class ListingSource:
    """A listing tells objects and torrents in one go, but not how many there are."""

    name, total, read = LISTING, None, 0

    def __init__(self, store: BucketReader, place: ObjectRef) -> None:
        self._store, self._place = store, place

    def found(self, after: str) -> Iterator[Found]:
        bucket, prefix = self._place.bucket, self._place.key
        return survey(self._store.list_objects(bucket, prefix, after=after), after, self._look)

    def _look(self, ref: ObjectRef) -> ObjectVersion | None:
        head = find(self._store, ref)
        return head.version if head else None


class NamedObjects(Protocol):
    """An inventory, or a file of keys."""

    @property
    def total(self) -> int | None: ...
    @property
    def read(self) -> int: ...
    def named(self, after: str = "") -> Iterator[Named]: ...


class ListedSource:
    """``objects`` one by one, each looked up."""

    def __init__(self, name: str, objects: NamedObjects, lookup: Lookup) -> None:
        self.name, self._objects, self._lookup = name, objects, lookup
        self.total = objects.total

    @property
    def read(self) -> int:
        return self._objects.read

    def found(self, after: str) -> Iterator[Found]:
        return self._lookup.found(self._objects.named(after))


@contextmanager
def source(
    store: BucketReader,
    place: ObjectRef,
    inventory: str | None,
    keys: str | None,
    *,
    tally: Tally,
    drops: Callable[[ObjectRef], object],
    only: Filter,
) -> Iterator[Source]:
    """The one that was named. Raises UsageError for both, and for one of another bucket than ``place``."""
    if inventory and keys:
        raise UsageError("--inventory and --keys were both given", hint="give one of them")
    lookup = Lookup(store, tally, lambda ref: drops(ref) or not ref.key.startswith(place.key), only, _missing)
    if inventory:
        yield _of_inventory(store, place, inventory, lookup)
    elif keys:
        with _opened(keys) as (stream, total):
            name = "standard input" if keys == "-" else keys
            yield ListedSource(f"keys {keys}", KeysFile(stream, name, place.bucket, total), lookup)
    else:
        yield ListingSource(store, place)


def _of_inventory(store: BucketReader, place: ObjectRef, text: str, lookup: Lookup) -> ListedSource:
    if not text.startswith("s3://"):
        raise UsageError(
            f"--inventory {text!r} is no place in S3", hint="expected s3://BUCKET/.../manifest.json"
        )
    found = Inventory(store, locate(text))
    if found.bucket != place.bucket:
        raise UsageError(
            f"{text} is an inventory of bucket {found.bucket}, expected {place.bucket}",
            hint=f"name s3://{found.bucket}/, or another inventory",
        )
    return ListedSource(f"inventory {text}", found, lookup)


@contextmanager
def _opened(keys: str) -> Iterator[tuple[IO[bytes], int | None]]:
    if keys == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed", hint="name a file of keys")
        yield sys.stdin.buffer, None
        return
    try:
        stream = Path(keys).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(
            f"--keys {keys} cannot be read: {error.strerror}", hint="name a file, or - for standard input"
        ) from None
    with stream:
        size = os.fstat(stream.fileno()).st_size
        yield stream, size or None  # a pipe has none


def _missing(ref: ObjectRef) -> None:
    click.echo(visible(f"{ref} does not exist"), err=True)
