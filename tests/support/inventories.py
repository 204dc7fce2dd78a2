"""Inventories as S3 writes them: a manifest, and files in CSV or Parquet whose rows are in no order.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WHEN = datetime(2026, 11, 23, 12, 30, 15, 250_000, tzinfo=UTC)
PARQUET_SCHEMA = (
    "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); optional int64 size; "
    "optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8);}"
)


@dataclass(frozen=True)
class Entry:
    key: str
    size: int | None = 1000
    modified: datetime = WHEN
    latest: bool = True
    deleted: bool = False


def csv_file(bucket: str, entries: Sequence[Entry], *, versions: bool = False) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for one in entries:
        told = ["v1", str(one.latest).lower(), str(one.deleted).lower()] if versions else []
        size = "" if one.size is None else one.size
        moment = one.modified.strftime("%Y-%m-%dT%H:%M:%S.250Z")
        writer.writerow([bucket, quote_plus(one.key, safe="/"), *told, size, moment, "0123abc", "STANDARD"])
    return gzip.compress(text.getvalue().encode(), 1)


def parquet_file(bucket: str, entries: Sequence[Entry]) -> bytes:
    """Needs pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "bucket": pa.array([bucket] * len(entries), pa.string()),
        "key": pa.array([one.key for one in entries], pa.string()),
        "is_latest": pa.array([one.latest for one in entries], pa.bool_()),
        "is_delete_marker": pa.array([one.deleted for one in entries], pa.bool_()),
        "size": pa.array([one.size for one in entries], pa.int64()),
        "last_modified_date": pa.array([one.modified for one in entries], pa.timestamp("ms", tz="UTC")),
        "e_tag": pa.array(["0123abc"] * len(entries), pa.string()),
    }
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, row_group_size=2)
    return stream.getvalue()


def put_inventory(
    put: Callable[[str, bytes], Any],
    source: str,
    destination: str,
    bodies: Sequence[bytes],
    *,
    file_format: str = "CSV",
    versions: bool = False,
    **changed: Any,
) -> str:
    """Its manifest's key in ``destination``, into which ``put`` writes; ``changed`` goes into the manifest."""
    told = []
    for number, body in enumerate(bodies):
        key = f"inventories/{source}/all/data/{number}.{file_format.lower()}"
        put(key, body)
        told.append(
            {
                "key": key,
                "size": len(body),
                "MD5checksum": hashlib.md5(body, usedforsecurity=False).hexdigest(),
            }
        )
    columns = "Bucket, Key, " + ("VersionId, IsLatest, IsDeleteMarker, " if versions else "")
    manifest = {
        "sourceBucket": source,
        "destinationBucket": f"arn:aws:s3:::{destination}",
        "version": "2016-11-30",
        "creationTimestamp": "1763942400000",
        "fileFormat": file_format,
        "fileSchema": f"{columns}Size, LastModifiedDate, ETag, StorageClass"
        if file_format == "CSV"
        else PARQUET_SCHEMA,
        "files": told,
        **changed,
    }
    key = f"inventories/{source}/all/2026-11-24T01-00Z/manifest.json"
    put(key, json.dumps(manifest).encode())
    return key
