"""The rows of an inventory's file in CSV, gzipped: quoted fields, no header, form-encoded keys."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote_plus

from s3torrent.errors import SourceError
from s3torrent.pipeline.inventory_row import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from s3torrent.pipeline.inventory_row import Row

MALFORMED = (
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    csv.Error,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
)


def csv_rows(
    stream: IO[bytes], columns: Sequence[str], name: str, at: Callable[[int], object]
) -> Iterator[Row]:
    """``columns`` as ``columns_of`` has them; ``at`` is told how many bytes of ``stream`` are behind us.

    Raises SourceError that names the row of ``name`` where it is not what it should be.
    """
    number = 0
    try:
        with gzip.open(stream) as plain, io.TextIOWrapper(plain, encoding="utf-8", newline="") as text:
            for number, fields in enumerate(csv.reader(text, strict=True), 1):
                values = dict(zip(columns, fields, strict=True))
                yield row_of(number, unquote_plus(values["key"], errors="strict"), values)
                at(stream.tell())
    except MALFORMED as error:
        raise SourceError(
            f"{name}, row {number:,} or the one behind it: {error or type(error).__name__}; expected "
            f"{len(columns)} fields by the manifest",
            hint="have S3 write the inventory anew, or name another",
        ) from None
