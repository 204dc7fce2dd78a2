"""Parts hashed and uploaded by threads, while the next is filled."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING

from s3torrent.hashing.part import PartHashes, hash_part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.pipeline.parts import PartPlan
    from s3torrent.store.base import UploadStore
    from s3torrent.types import ObjectRef, ObjectVersion, Upload, UploadedPart

CONTENT_TYPE = "application/octet-stream"
BUFFER_BYTES = 96 << 20
"""What all buffers may hold together; one is always granted, so a larger part goes alone."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One part on its way: its hashes, and what the store said."""

    hashes: PartHashes
    part: UploadedPart


@dataclass(frozen=True, slots=True)
class Earlier:
    """An interrupted upload, and the parts of it by number."""

    upload: Upload
    parts: Mapping[int, UploadedPart]


class Buffers:
    """At most ``most`` bytearrays at once, within BUFFER_BYTES; they are used again and again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free: list[bytearray] = []
        self._given = 0
        self._changed = threading.Condition()

    def take(self, size: int) -> bytearray:
        """Waits until one is free."""
        with self._changed:
            while self._given and (self._given >= self._most or (self._given + 1) * size > BUFFER_BYTES):
                self._changed.wait()
            self._given += 1
            fitting = [buffer for buffer in self._free if len(buffer) == size]
            self._free = fitting[1:]
        return fitting[0] if fitting else bytearray(size)

    def give_back(self, buffer: bytearray) -> None:
        with self._changed:
            self._given -= 1
            self._free.append(buffer)
            self._changed.notify()


class Sender:
    """The parts of one object, in order of number, each hashed and uploaded once it is filled.

    Memory: ``threads`` + 1 parts, at most BUFFER_BYTES or one part, and the digests. ``earlier`` is an upload
    that was interrupted: what lies there already is not sent again.
    """

    def __init__(
        self,
        store: UploadStore,
        target: ObjectRef,
        plan: PartPlan,
        version: str,
        *,
        threads: int,
        earlier: Earlier | None = None,
    ) -> None:
        self._store, self._target, self._plan, self._version = store, target, plan, version
        self.upload: Upload | None = earlier.upload if earlier else None
        self._existing: Mapping[int, UploadedPart] = earlier.parts if earlier else {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="part")
        self._buffers = Buffers(threads + 1)
        self._futures: list[Future[Sent]] = []
        self.size = 0
        self.whole: tuple[bytearray, PartHashes] | None = None
        """The only part of a small object, not yet sent."""

    def buffer(self) -> bytearray | None:
        """The next part to fill; None where S3 takes no more. Raises what went wrong with an earlier one."""
        self._raise_first_error()
        size = self._plan.size_of(len(self._futures) + 1)
        return self._buffers.take(size) if size else None

    def send(self, buffer: bytearray, length: int) -> None:
        """``length`` bytes of it are filled; fewer than all, and it is the last. None is no part."""
        last = length < len(buffer)
        if not length:
            self._buffers.give_back(buffer)
            return
        start, self.size = self.size, self.size + length
        if last and not start and not self.upload:
            self.whole = buffer[:length], self._hash(buffer, length, start, last=True)
            return
        if self.upload is None:
            self.upload = self._store.begin_upload(
                self._target, content_type=CONTENT_TYPE, metadata=self.metadata
            )
        self._futures.append(
            self._pool.submit(
                self._work, self.upload, len(self._futures) + 1, buffer, length, start, last=last
            )
        )

    def sent(self) -> list[Sent]:
        """Waits for all. Raises the first error."""
        return [future.result() for future in self._futures]

    def settled(self) -> list[Sent]:
        """Waits for all; the parts before the first that failed."""
        done: list[Sent] = []
        for future in self._futures:
            if future.cancelled() or future.exception() is not None:
                break
            done.append(future.result())
        return done

    def complete(self, sent: list[Sent], replaces: ObjectVersion | None) -> str:
        """The object appears; its ETag."""
        if self.whole:
            body, hashes = self.whole
            return self._store.put_whole(
                self._target,
                body,
                sha1=hashes.sha1,
                replaces=replaces,
                content_type=CONTENT_TYPE,
                metadata=self.metadata,
            )
        assert self.upload
        return self._store.complete_upload(self.upload, [one.part for one in sent], replaces=replaces)

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata of the object."""
        return self._plan.metadata(len(self.whole[0]) if self.whole else None)

    def expected_etag(self, sent: list[Sent]) -> str:
        """The ETag the object gets where S3 manages the keys; no object has it under a KMS key.

        MD5 of the body, or of the parts' MD5s: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
        """
        if self.whole:
            return md5(self.whole[0], usedforsecurity=False).hexdigest()
        try:
            digests = b"".join(bytes.fromhex(one.part.etag) for one in sent)
        except ValueError:
            return ""
        return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(sent)}"

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _work(
        self, upload: Upload, number: int, buffer: bytearray, length: int, start: int, *, last: bool
    ) -> Sent:
        try:
            hashes = self._hash(buffer, length, start, last=last)
            body = buffer[:length] if last else buffer
            existing = self._existing.get(number)
            if existing and lies_there(existing, body, hashes.sha1):
                return Sent(hashes, existing)
            return Sent(hashes, self._store.upload_part(upload, number, body, sha1=hashes.sha1))
        finally:
            self._buffers.give_back(buffer)

    def _hash(self, buffer: bytearray, length: int, start: int, *, last: bool) -> PartHashes:
        lengths = self._plan.lengths(start + length)
        with memoryview(buffer) as view, view[:length] as data:
            return hash_part(data, start, version=self._version, lengths=lengths, last=last)

    def _raise_first_error(self) -> None:
        for future in self._futures[-32:]:
            if future.done():
                future.result()


def lies_there(part: UploadedPart, body: bytes | bytearray, sha1: bytes) -> bool:
    """Whether ``part`` holds ``body``: by SHA-1; where the store keeps none, by the MD5 that its ETag is."""
    if part.size != len(body):
        return False
    if part.sha1:
        return part.sha1 == sha1
    return part.etag == md5(body, usedforsecurity=False).hexdigest()
