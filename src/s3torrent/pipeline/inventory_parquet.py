"""The rows of an inventory's file in Parquet, whose keys are plain text. The only door to pyarrow."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from s3torrent.errors import SourceError, UsageError
from s3torrent.pipeline.inventory_row import COLUMNS, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.pipeline.inventory_row import Row

AT_ONCE = 4096
"""Rows that memory holds as Python values."""


def parquet_rows(stream: IO[bytes], size: int, name: str, at: Callable[[int], object]) -> Iterator[Row]:
    """``at`` is told how many of the ``size`` bytes are behind us, by the share of the rows.

    Raises UsageError where pyarrow is missing, SourceError where ``name`` is no such file.
    """
    parquet = _pyarrow()
    number = 0
    try:
        file = parquet.ParquetFile(stream)
        wanted = [column for column in COLUMNS.values() if column in file.schema_arrow.names]
        total = max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=AT_ONCE, columns=wanted):
            for number, values in enumerate(batch.to_pylist(), number + 1):  # noqa: B020 - it counts on
                yield row_of(number, _key(values["key"]), values)
            at(size * number // total)
    except (
        ValueError,
        LookupError,
        TypeError,
        OSError,
        ArithmeticError,
        RuntimeError,
    ) as error:  # as pyarrow's are
        told = " ".join(str(error).split())[:200] or type(error).__name__
        raise SourceError(
            f"{name}, row {number:,} or one behind it: {told}; expected an inventory in Parquet",
            hint="have S3 write the inventory anew, or name another",
        ) from None


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the key is {value!r}")
    return value


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra, which few need
    except ImportError:
        raise UsageError(
            "an inventory in Parquet is read by pyarrow, which is not installed",
            hint="pip install 's3torrent[inventory]', or have S3 write the inventory as CSV",
        ) from None
    return pyarrow.parquet
