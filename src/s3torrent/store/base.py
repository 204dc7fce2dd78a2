"""What every store promises. One contract suite (tests/contract/) runs over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from s3torrent.errors import EndpointUnreachable, ReadInterrupted, Throttled, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion, PartSha1, Upload, UploadedPart

PASSING = (Throttled, EndpointUnreachable, ReadInterrupted)
"""What may be gone at the next try of the same request."""

READ_CHUNK = 1 << 20
"""Most bytes of one chunk that ``read`` yields: what one stream holds in memory."""


class ObjectReader(Protocol):
    """Read access. Every error is one of ``errors``; no other exception leaves a store."""

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        """Pin the object: its current version, or the one asked for.

        Raises NoSuchObject, NoSuchBucket, AccessDenied, EndpointUnreachable, Throttled.
        """
        ...

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        """Yield bytes [start, end) of exactly this version, in chunks of 1 to READ_CHUNK bytes.

        A connection that breaks in mid-body resumes at its byte. A chunk is valid until the next is
        asked for (the buffer may be reused). Nothing happens before the first chunk is asked for; an
        iterator given up early frees its connection. Memory: READ_CHUNK for each iterator.

        Raises ObjectChanged when another version lies there, ObjectGone when it was deleted,
        ReadInterrupted when it breaks again and again without progress, Archived when it lies in GLACIER.
        """
        ...

    def get(self, ref: ObjectRef, max_bytes: int) -> bytes:
        """A whole small object (a .torrent), of one version. Raises TooLarge past ``max_bytes``."""
        ...


class ObjectLister(Protocol):
    """What lies in a bucket, for those who name a prefix and not an object."""

    def list_objects(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[ObjectVersion]:
        """Yield the current objects whose keys begin with ``prefix``, in the order of their keys' UTF-8
        bytes, those above the key ``after`` only (which need not exist).

        Each is pinned by its ETag alone: ``version_id`` is None also where there are versions, ``sha1``
        always; reading one ends in ObjectChanged once another version is the current one. Delete markers
        and older versions are left out. The requests are made as objects are asked for, 1,000 a page, which
        is all that memory holds. After an error a new listing may go on from the last key that was told.

        Raises NoSuchBucket, AccessDenied, Throttled, EndpointUnreachable, and SourceError where the keys do
        not come in order.
        """
        ...


class BucketReader(ObjectReader, ObjectLister, Protocol):
    """Read access to all that lies in a bucket."""


@runtime_checkable
class PartReader(Protocol):
    """What a store may offer besides: the SHA-1s of an object's parts, without a byte of its content."""

    def part_sha1s(self, version: ObjectVersion) -> Iterator[Sequence[PartSha1]]:
        """Yield the parts of exactly this version by number, a page at a time; only asked for where
        ``version.sha1`` has parts. At most 10 pages; the requests are made as pages are asked for.

        Raises ObjectChanged or ObjectGone where another version lies there or none, EndpointUnreachable
        where an answer is not whole, AccessDenied, and any other SourceError where the store knows no parts.
        """
        ...


class ObjectStore(ObjectReader, Protocol):
    """Read and conditional write access."""

    def put(
        self,
        ref: ObjectRef,
        body: bytes,
        *,
        replaces: ObjectVersion | None,
        content_type: str,
        metadata: Mapping[str, str],
        like: ObjectHead | None = None,
    ) -> ObjectHead:
        """Write atomically: only where nothing is (``replaces=None``), or only over exactly ``replaces``.

        ``like``: with the headers and tags of that object, its content type before ``content_type``.
        ``metadata`` is ASCII, its names lower-case without ``x-amz-meta-``. Raises WriteConflict when the
        condition no longer holds; nothing was written then.
        """
        ...

    def remove(self, version: ObjectVersion) -> None:
        """Delete exactly this, in a bucket with versions by a delete marker; nothing where it is gone.

        Raises WriteConflict where another lies there.
        """
        ...


class UploadStore(ObjectStore, PartReader, Protocol):
    """Write access for objects of any size, in parts, whose SHA-1s it keeps.

    S3's limits: 10,000 parts of 5 MiB to 5 GiB, the last may be smaller.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
    """

    def put_whole(
        self,
        ref: ObjectRef,
        body: bytes | bytearray,
        *,
        sha1: bytes,
        replaces: ObjectVersion | None,
        content_type: str,
        metadata: Mapping[str, str],
    ) -> str:
        """As ``put``, in one request that carries the body's SHA-1, which the store keeps; the ETag."""
        ...

    def begin_upload(self, ref: ObjectRef, *, content_type: str, metadata: Mapping[str, str]) -> Upload: ...

    def upload_part(
        self, upload: Upload, number: int, body: bytes | bytearray, *, sha1: bytes
    ) -> UploadedPart:
        """Store one part under its SHA-1, in place of one of the same number.

        A broken connection is tried again. Raises UploadGone where the upload has ended, Throttled,
        ReadInterrupted, EndpointUnreachable.
        """
        ...

    def unfinished_uploads(self, ref: ObjectRef) -> list[Upload]:
        """Uploads to exactly this key that were neither completed nor aborted, newest first."""
        ...

    def uploaded_parts(self, upload: Upload) -> list[UploadedPart]:
        """What lies there, by number. Raises UploadGone."""
        ...

    def complete_upload(
        self, upload: Upload, parts: Sequence[UploadedPart], *, replaces: ObjectVersion | None
    ) -> str:
        """Make the object appear, whole, on the condition of ``put``; its ETag.

        Raises WriteConflict where the condition does not hold; the upload is still there then. That, and
        UploadGone, may also mean that our own request arrived and its answer was lost: look what is there.
        """
        ...

    def abort_upload(self, upload: Upload) -> None:
        """Free its parts; nothing happens where it has ended."""
        ...


def read_whole(reader: ObjectReader, ref: ObjectRef, max_bytes: int) -> bytes:
    """``get`` by ``head`` and ``read``: pinned, resumed and typed like any other read."""
    version = reader.head(ref).version
    if version.size > max_bytes:
        raise TooLarge(f"{ref} has {version.size} bytes, expected at most {max_bytes}", hint="check the name")
    return b"".join(bytes(chunk) for chunk in reader.read(version, 0, version.size))


def require_ascii(ref: ObjectRef, metadata: Mapping[str, str]) -> None:
    """S3 sends user metadata as HTTP headers; every store refuses what S3 would, and what ends a header."""
    for name, value in metadata.items():
        if not all(text.isascii() and text.isprintable() for text in (name, value)):
            raise UsageError(
                f"{ref}: metadata {name!r} is {value[:200]!r}, expected ASCII without control characters",
                hint="encode the value",
            )
