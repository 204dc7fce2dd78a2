"""HTTP answers -> ``store.s3`` and ``store.s3_upload``: what they promise, or a typed error (``wire`` has the format)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import TYPE_CHECKING

from fuzz.saying import check_error, check_text
from fuzz.wire import server
from s3torrent.errors import S3TorrentError
from s3torrent.store.resume import Patience
from s3torrent.store.s3_upload import S3UploadStore
from s3torrent.types import ContentSha1, ObjectHead, ObjectRef, ObjectVersion, Upload, UploadedPart

if TYPE_CHECKING:
    from collections.abc import Callable

REF = ObjectRef("bucket", "shows/é+ü.bin")
VERSION = ObjectVersion(REF, None, "abc", 10, datetime(2026, 11, 23, tzinfo=UTC))
KNOWN = replace(VERSION, sha1=ContentSha1(bytes(20), 2))
UPLOAD = Upload(REF, "upload-1")
PART = UploadedPart(1, "abc", 4, sha1(b"body").digest())
HASTY = Patience(attempts=2, first_wait=0, sleep=lambda _: None)
COMMON = {"content_type": "application/x-bittorrent", "metadata": {"made-by": "test"}}


def _head(store: S3UploadStore) -> None:
    _check_head(store.head(REF))
    _check_head(store.head(REF, "version-1"))


def _read(store: S3UploadStore) -> None:
    read = b"".join(map(bytes, store.read(VERSION, 2, 9)))
    assert len(read) == 7


def _get(store: S3UploadStore) -> None:
    assert len(store.get(REF, 100)) <= 100


def _put(store: S3UploadStore) -> None:
    _check_head(store.put(REF, b"body", replaces=VERSION, **COMMON))


def _put_whole(store: S3UploadStore) -> None:
    _check_etag(store.put_whole(REF, b"body", sha1=PART.sha1 or b"", replaces=None, **COMMON))


def _begin(store: S3UploadStore) -> None:
    upload = store.begin_upload(REF, **COMMON)
    assert upload.upload_id
    check_text(upload.upload_id)


def _part(store: S3UploadStore) -> None:
    _check_part(store.upload_part(UPLOAD, 1, b"body", sha1=PART.sha1 or b""))


def _unfinished(store: S3UploadStore) -> None:
    for upload in store.unfinished_uploads(REF):
        assert upload.ref == REF
        assert upload.upload_id
        check_text(upload.upload_id)


def _parts(store: S3UploadStore) -> None:
    for part in store.uploaded_parts(UPLOAD):
        _check_part(part)


def _complete(store: S3UploadStore) -> None:
    _check_etag(store.complete_upload(UPLOAD, [PART], replaces=VERSION))


def _part_sha1s(store: S3UploadStore) -> None:
    for page in store.part_sha1s(KNOWN):
        for part in page:
            assert len(part.sha1) == 20
            assert isinstance(part.number, int)
            assert isinstance(part.size, int)


def _abort(store: S3UploadStore) -> None:
    store.abort_upload(UPLOAD)


CALLS: tuple[Callable[[S3UploadStore], None], ...] = (
    _head, _read, _get, _put, _put_whole, _begin, _part, _unfinished, _parts, _complete, _abort,
    _part_sha1s,
)  # fmt: skip


def target(data: bytes) -> None:
    if not data:
        return
    stub = server("s3")
    stub.load(data[1:])
    try:
        CALLS[data[0] % len(CALLS)](S3UploadStore(stub.client, HASTY, HASTY))
    except S3TorrentError as error:
        check_error(error)


def _check_head(head: ObjectHead) -> None:
    version = head.version
    _check_etag(version.etag)
    assert isinstance(version.size, int)
    assert version.size >= 0
    assert version.last_modified.utcoffset() == timedelta(0)
    assert version.last_modified.microsecond == 0
    check_text(version.version_id, head.storage_class)
    for name, value in head.metadata.items():
        check_text(name, value)
        assert name == name.lower()
        assert "\n" not in name + value


def _check_part(part: UploadedPart) -> None:
    _check_etag(part.etag)
    assert 1 <= part.number <= 10_000
    assert part.size >= 0
    assert part.sha1 is None or len(part.sha1) == 20


def _check_etag(etag: str) -> None:
    check_text(etag)
    assert etag.strip('"') == etag != ""
