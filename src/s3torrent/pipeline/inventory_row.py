"""One row of an inventory: CSV tells its fields as text, Parquet as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from s3torrent.errors import UsageError
from s3torrent.types import ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.types import ObjectRef

COLUMNS = {
    "Key": "key",
    "IsLatest": "is_latest",
    "IsDeleteMarker": "is_delete_marker",
    "Size": "size",
    "LastModifiedDate": "last_modified_date",
    "ETag": "e_tag",
}
"""Those of use here, by their names in CSV and in Parquet. Size and date are S3's to give or, in older
inventories, to leave out; the two about versions are there where all versions are listed.
"""
TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Row:
    """Number ``number`` (from 1) of its file. ``size`` in bytes; None where the inventory does not tell."""

    number: int
    key: str
    is_current: bool
    size: int | None
    last_modified: datetime | None
    etag: str

    def version(self, ref: ObjectRef) -> ObjectVersion | None:
        if self.size is None or self.last_modified is None:
            return None
        return ObjectVersion(ref, None, self.etag, self.size, self.last_modified)


def columns_of(schema: str, place: ObjectRef) -> tuple[str, ...]:
    """The columns of a CSV inventory by their names in Parquet, those of no use as "". Raises UsageError."""
    found = tuple(COLUMNS.get(name.strip(), "") for name in schema.split(","))
    if "key" not in found:
        raise UsageError(
            f"{place}: its fileSchema is {schema[:200]!r}, expected Bucket, Key, ...",
            hint="name the manifest.json that S3 Inventory wrote, as it was written",
        )
    return found


def row_of(number: int, key: str, values: Mapping[str, Any]) -> Row:
    """Raises ValueError, TypeError and KeyError for values of another kind."""
    size = values.get("size")
    current = _truth(values.get("is_latest"), unknown=True)
    deleted = _truth(values.get("is_delete_marker"), unknown=False)
    return Row(
        number,
        key,
        current and not deleted,
        None if size is None or size == "" else _size(int(size)),
        _moment(values.get("last_modified_date")),
        str(values.get("e_tag") or "").strip('"'),
    )


def _truth(value: Any, *, unknown: bool) -> bool:
    if value is None or value == "":
        return unknown
    return value if isinstance(value, bool) else TRUTH[str(value).lower()]


def _size(number: int) -> int:
    if not 0 <= number < 1 << 63:
        raise ValueError(f"a size of {number} bytes")
    return number


def _moment(value: Any) -> datetime | None:
    """UTC, in whole seconds, as a listing tells it."""
    if value is None or value == "":
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(microsecond=0)
