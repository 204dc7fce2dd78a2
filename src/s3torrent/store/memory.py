"""S3 without S3: the same promises over a dictionary."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from s3torrent.errors import (
    Archived,
    NoSuchBucket,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    ReadInterrupted,
    SourceError,
    UploadGone,
    WriteConflict,
)
from s3torrent.store.base import READ_CHUNK, read_whole, require_ascii
from s3torrent.store.memory_bucket import Bucket, Stored
from s3torrent.types import (
    ContentSha1,
    ObjectHead,
    ObjectRef,
    ObjectVersion,
    PartSha1,
    Upload,
    UploadedPart,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PAGE_PARTS = 1000
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


@dataclass(slots=True)
class _Unfinished:
    """A multipart upload under way."""

    metadata: Mapping[str, str]
    parts: dict[int, tuple[UploadedPart, bytes]] = field(default_factory=dict)


class MemoryStore:
    """Threads may share it. ``chunk`` is the length of the chunks that ``read`` yields, ``now`` the clock.
    ``tells_sha1``: whether it tells the SHA-1s that it keeps, as AWS does and most other stores do not.

    Every chunk is a GET of its own: a read notices a change at the next chunk (S3: at the next request).
    """

    def __init__(
        self,
        *,
        chunk: int = READ_CHUNK,
        now: Callable[[], datetime] | None = None,
        tells_sha1: bool = False,
    ) -> None:
        self._chunk = chunk
        self._tells_sha1 = tells_sha1
        self._now = now or (lambda: datetime.now(UTC))
        self._lock = threading.RLock()
        self._buckets: dict[str, Bucket] = {}
        self._uploads: dict[Upload, _Unfinished] = {}
        self._count = 0

    def create_bucket(self, name: str, *, versioned: bool = False) -> None:
        with self._lock:
            self._buckets[name] = Bucket(versioned)

    def upload(
        self,
        ref: ObjectRef,
        body: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        storage_class: str = "STANDARD",
        sha1: ContentSha1 | None = None,
        parts: Sequence[PartSha1] = (),
    ) -> ObjectVersion:
        """As any uploader would: unconditional."""
        with self._lock:
            bucket = self._bucket(ref)
            version = ObjectVersion(
                ref,
                self._next_id() if bucket.versioned else None,
                hashlib.md5(body, usedforsecurity=False).hexdigest(),
                len(body),
                self._now().astimezone(UTC).replace(microsecond=0),
                sha1 if self._tells_sha1 and storage_class not in _ARCHIVES else None,
            )
            head = ObjectHead(version, dict(metadata or {}), storage_class)
            stored = Stored(head, bytes(body), tuple(parts))
            earlier = bucket.keys.get(ref.key, []) if bucket.versioned else []
            bucket.keys[ref.key] = [*earlier, stored]
            return version

    def delete(self, ref: ObjectRef, version_id: str | None = None) -> None:
        """Delete one version for good; without its id leave a delete marker, if the bucket is versioned."""
        with self._lock:
            bucket = self._bucket(ref)
            versions = bucket.keys.pop(ref.key, [])
            if version_id is not None:
                bucket.keys[ref.key] = [one for one in versions if one.head.version.version_id != version_id]
            elif bucket.versioned:
                marker = ObjectVersion(ref, self._next_id(), "", 0, self._now())
                bucket.keys[ref.key] = [*versions, Stored(ObjectHead(marker), None)]

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        with self._lock:
            stored = self._find(ref, version_id)
        if stored is None:
            which = f"{ref} (version {version_id})" if version_id else str(ref)
            raise NoSuchObject(f"{which} does not exist")
        return stored.head

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        for position in range(start, end, self._chunk):
            yield self._readable(version)[position : min(end, position + self._chunk)]

    def list_objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[ObjectVersion]:
        while True:
            with self._lock:
                page = self._bucket(ObjectRef(bucket, prefix)).page(prefix, after)
            if not page:
                return
            yield from page
            after = page[-1].ref.key

    def part_sha1s(self, version: ObjectVersion) -> Iterator[Sequence[PartSha1]]:
        parts = self._pinned(version).parts
        for first in range(0, len(parts), PAGE_PARTS):
            yield parts[first : first + PAGE_PARTS]

    def get(self, ref: ObjectRef, max_bytes: int) -> bytes:
        return read_whole(self, ref, max_bytes)

    def put(
        self,
        ref: ObjectRef,
        body: bytes,
        *,
        replaces: ObjectVersion | None,
        content_type: str,  # noqa: ARG002 (part of the contract; nothing here reads it back)
        metadata: Mapping[str, str],
        like: ObjectHead | None = None,  # noqa: ARG002 (files and memory keep no headers)
    ) -> ObjectHead:
        require_ascii(ref, metadata)
        return self._put(ref, body, replaces=replaces, metadata=metadata)

    def remove(self, version: ObjectVersion) -> None:
        with self._lock:
            current = self._find(version.ref, None)
            if current is None:
                return
            if current.head.version.etag != version.etag:
                raise WriteConflict(f"{version} now has ETag {current.head.version.etag}")
            self.delete(version.ref)

    def put_whole(
        self,
        ref: ObjectRef,
        body: bytes | bytearray,
        *,
        sha1: bytes,
        replaces: ObjectVersion | None,
        content_type: str,  # noqa: ARG002 (as above)
        metadata: Mapping[str, str],
    ) -> str:
        require_ascii(ref, metadata)
        _require_sha1(body, sha1)
        head = self._put(ref, body, replaces=replaces, metadata=metadata, sha1=ContentSha1(sha1))
        return head.version.etag

    def begin_upload(
        self,
        ref: ObjectRef,
        *,
        content_type: str,  # noqa: ARG002 (as above)
        metadata: Mapping[str, str],
    ) -> Upload:
        require_ascii(ref, metadata)
        with self._lock:
            self._bucket(ref)
            upload = Upload(ref, self._next_id())
            self._uploads[upload] = _Unfinished(dict(metadata))
            return upload

    def upload_part(
        self, upload: Upload, number: int, body: bytes | bytearray, *, sha1: bytes
    ) -> UploadedPart:
        _require_sha1(body, sha1)
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        part = UploadedPart(number, etag, len(body), sha1)
        with self._lock:
            self._unfinished(upload).parts[number] = (part, bytes(body))
        return part

    def unfinished_uploads(self, ref: ObjectRef) -> list[Upload]:
        with self._lock:
            return [upload for upload in reversed(self._uploads) if upload.ref == ref]

    def uploaded_parts(self, upload: Upload) -> list[UploadedPart]:
        with self._lock:
            return [part for _, (part, _) in sorted(self._unfinished(upload).parts.items())]

    def complete_upload(
        self, upload: Upload, parts: Sequence[UploadedPart], *, replaces: ObjectVersion | None
    ) -> str:
        with self._lock:
            unfinished = self._unfinished(upload)
            held = [unfinished.parts[part.number] for part in parts]
            if [part for part, _ in held] != list(parts):
                raise SourceError(f"{upload.ref}: the parts named are not those that were uploaded")
            body = b"".join(body for _, body in held)
            listed = [PartSha1(part.number, part.size, part.sha1 or b"") for part in parts]
            digest = hashlib.sha1(b"".join(one.sha1 for one in listed), usedforsecurity=False).digest()
            sha1 = ContentSha1(digest, len(listed))
            head = self._put(
                upload.ref, body, replaces=replaces, metadata=unfinished.metadata, sha1=sha1, parts=listed
            )
            del self._uploads[upload]
            return head.version.etag

    def abort_upload(self, upload: Upload) -> None:
        with self._lock:
            self._uploads.pop(upload, None)

    def _put(
        self,
        ref: ObjectRef,
        body: bytes | bytearray,
        *,
        replaces: ObjectVersion | None,
        metadata: Mapping[str, str],
        sha1: ContentSha1 | None = None,
        parts: Sequence[PartSha1] = (),
    ) -> ObjectHead:
        with self._lock:
            current = self._find(ref, None)
            found = current.head.version.etag if current else None
            expected = replaces.etag if replaces else None
            if found != expected:
                raise WriteConflict(f"{ref} has ETag {found}, expected {expected}")
            version = self.upload(ref, bytes(body), metadata=metadata, sha1=sha1, parts=parts)
            return self.head(ref, version.version_id)

    def _unfinished(self, upload: Upload) -> _Unfinished:
        try:
            return self._uploads[upload]
        except KeyError:
            raise UploadGone(f"{upload.ref}: upload {upload.upload_id} does not exist") from None

    def _bucket(self, ref: ObjectRef) -> Bucket:
        try:
            return self._buckets[ref.bucket]
        except KeyError:
            raise NoSuchBucket(f"bucket {ref.bucket} does not exist") from None

    def _find(self, ref: ObjectRef, version_id: str | None) -> Stored | None:
        return self._bucket(ref).find(ref.key, version_id)

    def _pinned(self, version: ObjectVersion) -> Stored:
        with self._lock:
            stored = self._find(version.ref, version.version_id)
        if stored is None:
            raise ObjectGone(f"{version} was deleted")
        if stored.head.version.etag != version.etag:
            raise ObjectChanged(f"{version} now has ETag {stored.head.version.etag}")
        return stored

    def _readable(self, version: ObjectVersion) -> memoryview:
        stored = self._pinned(version)
        if stored.head.storage_class in _ARCHIVES:
            raise Archived(f"{version} lies in {stored.head.storage_class}")
        return memoryview(stored.body or b"")

    def _next_id(self) -> str:
        self._count += 1
        return f"v{self._count:08d}"


def _require_sha1(body: bytes | bytearray, sha1: bytes) -> None:
    if hashlib.sha1(body, usedforsecurity=False).digest() != sha1:
        raise ReadInterrupted("the body arrived damaged: its SHA-1 is another than was said")
