"""An inventory that S3 wrote of a bucket: its manifest, and the objects that its files name.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html: the rows are in no order.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from s3torrent.errors import NoSpace, SourceError, TooLarge, UsageError
from s3torrent.pipeline.inventory_csv import csv_rows
from s3torrent.pipeline.inventory_parquet import parquet_rows
from s3torrent.pipeline.inventory_row import columns_of
from s3torrent.pipeline.lookup import Named
from s3torrent.pipeline.position import Position
from s3torrent.types import TORRENT_SUFFIX, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.pipeline.inventory_row import Row
    from s3torrent.store.base import ObjectReader
    from s3torrent.types import ObjectVersion

MAX_MANIFEST_BYTES = 64 << 20
HINT = "name the manifest.json that S3 Inventory wrote, as it was written"
FORMATS = ("CSV", "Parquet")
ANEW = "have S3 write the inventory anew, or name another"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of an inventory: ``size`` in bytes, ``md5`` of them in hex."""

    ref: ObjectRef
    size: int
    md5: str


class Inventory:
    """The current objects of ``bucket``, the one it is of. ``total`` are the bytes of all its files, ``read``
    those that are behind us.

    Memory: some thousand rows; on the disk one file, whose MD5 is compared before any of its rows is told.
    """

    def __init__(self, reader: ObjectReader, ref: ObjectRef) -> None:
        """Reads the manifest. Raises UsageError where it is none, or of ORC files."""
        self.ref, self._reader = ref, reader
        manifest = _manifest(reader, ref)
        try:
            self.bucket = str(manifest["sourceBucket"])
            self.format = str(manifest["fileFormat"])
            self._schema = str(manifest["fileSchema"])
            place = str(manifest["destinationBucket"]).rpartition(":::")[2]
            self.files = tuple(
                DataFile(ObjectRef(place, str(one["key"])), int(one["size"]), str(one["MD5checksum"]))
                for one in manifest["files"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{ref} is no manifest of an inventory: {error!r}", hint=HINT) from None
        if self.format not in FORMATS:
            raise UsageError(
                f"{ref} is of an inventory in {self.format}; expected {' or '.join(FORMATS)}",
                hint="have S3 write it as CSV (the inventory configuration's output format)",
            )
        self.total = sum(one.size for one in self.files)
        self.read = 0

    def named(self, after: str = "") -> Iterator[Named]:
        """Each current object, and none that ends in .torrent, behind the marker ``after``.

        Raises SourceError that names file and row, UsageError where ``after`` is not of this inventory or
        pyarrow is missing, NoSpace, and what a store raises.
        """
        start = Position.parse(after)
        for number, _file in enumerate(self.files):
            behind = sum(one.size for one in self.files[:number])
            self.read = behind
            if number >= start.file:
                yield from self._of_file(number, behind, start if number == start.file else Position(number))
        self.read = self.total

    def _of_file(self, number: int, behind: int, start: Position) -> Iterator[Named]:
        file = self.files[number]

        def at(position: int) -> None:
            self.read = behind + position

        with _fetched(self._reader, file) as stream:
            rows = ((row.number, row.key, row) for row in self._rows(stream, file, at))
            for _, row in start.behind(rows, str(file.ref)):
                if row.is_current and not row.key.endswith(TORRENT_SUFFIX):
                    ref = ObjectRef(self.bucket, row.key)
                    yield Named(ref, row.version(ref), str(Position(number, row.number, row.key)))

    def _rows(self, stream: IO[bytes], file: DataFile, at: Callable[[int], None]) -> Iterator[Row]:
        if self.format == "CSV":
            return csv_rows(stream, columns_of(self._schema, self.ref), str(file.ref), at)
        return parquet_rows(stream, file.size, str(file.ref), at)


def _manifest(reader: ObjectReader, ref: ObjectRef) -> Any:
    try:
        return json.loads(reader.get(ref, MAX_MANIFEST_BYTES))
    except (TooLarge, ValueError) as error:
        raise UsageError(f"{ref} is no manifest of an inventory: {error}", hint=HINT) from None


@contextmanager
def _fetched(reader: ObjectReader, file: DataFile) -> Iterator[IO[bytes]]:
    """The file on this machine's disk, whole and as the manifest says."""
    version = reader.head(file.ref).version
    if version.size != file.size:
        raise SourceError(
            f"{file.ref} has {version.size:,} bytes, expected {file.size:,} by the manifest", hint=ANEW
        )
    with tempfile.TemporaryFile() as stream:
        digest = _copy(reader, version, stream)
        if digest != file.md5.lower():
            raise SourceError(f"{file.ref} has MD5 {digest}, expected {file.md5} by the manifest", hint=ANEW)
        stream.seek(0)
        yield stream


def _copy(reader: ObjectReader, version: ObjectVersion, stream: IO[bytes]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    try:
        for chunk in reader.read(version, 0, version.size) if version.size else ():
            digest.update(chunk)
            stream.write(chunk)
        stream.flush()
    except OSError as error:  # a store raises none
        raise NoSpace(
            f"{version.ref} cannot be kept on this machine: {error.strerror}",
            hint=f"name a folder in TMPDIR that has {version.size:,} bytes free",
        ) from None
    return digest.hexdigest()
