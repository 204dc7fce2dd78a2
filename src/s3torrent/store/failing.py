"""A store that fails on purpose, for tests: at the call, and after the bytes, that the plan says."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from s3torrent.errors import S3TorrentError
    from s3torrent.store.base import UploadStore
    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion, PartSha1, Upload, UploadedPart

Operation = Literal[
    "head",
    "read",
    "part_sha1s",
    "get",
    "put",
    "remove",
    "put_whole",
    "begin_upload",
    "upload_part",
    "unfinished_uploads",
    "uploaded_parts",
    "complete_upload",
    "abort_upload",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """At the ``call``-th call of ``on`` (from 1; None: at every call): do ``does``, then raise ``error``.

    A fault on "read" strikes when that read has yielded ``after`` bytes and more are asked for. ``does`` may
    wait, overwrite or delete::

        FailingStore(memory, [
            Fault("head", error=Throttled("503 Slow Down")),
            Fault("read", call=2, after=70_000, does=lambda: memory.upload(ref, b"other")),
            Fault("put", call=None, does=lambda: time.sleep(0.1)),
        ])
    """

    on: Operation
    call: int | None = 1
    after: int = 0
    does: Callable[[], object] | None = None
    error: S3TorrentError | None = None

    def strike(self) -> None:
        if self.does is not None:
            self.does()
        if self.error is not None:
            raise self.error


class FailingStore:
    """``inner`` with the faults of ``plan``; ``calls`` counts what was asked. Threads may share it."""

    def __init__(self, inner: UploadStore, plan: Sequence[Fault]) -> None:
        self._inner = inner
        self._plan = sorted(plan, key=lambda fault: fault.after)
        self._lock = threading.Lock()
        self.calls: Counter[Operation] = Counter()

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        self._strike("head")
        return self._inner.head(ref, version_id)

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        return _broken(self._inner.read(version, start, end), self._due("read"))

    def part_sha1s(self, version: ObjectVersion) -> Iterator[Sequence[PartSha1]]:
        self._strike("part_sha1s")
        return self._inner.part_sha1s(version)

    def get(self, ref: ObjectRef, max_bytes: int) -> bytes:
        self._strike("get")
        return self._inner.get(ref, max_bytes)

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
        self._strike("put")
        return self._inner.put(
            ref, body, replaces=replaces, content_type=content_type, metadata=metadata, like=like
        )

    def remove(self, version: ObjectVersion) -> None:
        self._strike("remove")
        self._inner.remove(version)

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
        self._strike("put_whole")
        return self._inner.put_whole(
            ref, body, sha1=sha1, replaces=replaces, content_type=content_type, metadata=metadata
        )

    def begin_upload(self, ref: ObjectRef, *, content_type: str, metadata: Mapping[str, str]) -> Upload:
        self._strike("begin_upload")
        return self._inner.begin_upload(ref, content_type=content_type, metadata=metadata)

    def upload_part(
        self, upload: Upload, number: int, body: bytes | bytearray, *, sha1: bytes
    ) -> UploadedPart:
        self._strike("upload_part")
        return self._inner.upload_part(upload, number, body, sha1=sha1)

    def unfinished_uploads(self, ref: ObjectRef) -> list[Upload]:
        self._strike("unfinished_uploads")
        return self._inner.unfinished_uploads(ref)

    def uploaded_parts(self, upload: Upload) -> list[UploadedPart]:
        self._strike("uploaded_parts")
        return self._inner.uploaded_parts(upload)

    def complete_upload(
        self, upload: Upload, parts: Sequence[UploadedPart], *, replaces: ObjectVersion | None
    ) -> str:
        """Struck before; a fault that ``does`` the completion itself is an answer that was lost."""
        self._strike("complete_upload")
        return self._inner.complete_upload(upload, parts, replaces=replaces)

    def abort_upload(self, upload: Upload) -> None:
        self._strike("abort_upload")
        self._inner.abort_upload(upload)

    def _due(self, operation: Operation) -> list[Fault]:
        with self._lock:
            self.calls[operation] += 1
            call = self.calls[operation]
        return [fault for fault in self._plan if fault.on == operation and fault.call in {call, None}]

    def _strike(self, operation: Operation) -> None:
        for fault in self._due(operation):
            fault.strike()


def _broken(chunks: Iterator[memoryview | bytes], faults: list[Fault]) -> Iterator[memoryview | bytes]:
    """``chunks``, cut where a fault strikes, which is before the byte at its ``after`` is had."""
    yielded = 0
    chunk: memoryview | bytes | None = b""
    while True:
        while faults and faults[0].after <= yielded:
            faults.pop(0).strike()
        chunk = chunk or next(chunks, None)
        if chunk is None:
            return
        cut = min(len(chunk), faults[0].after - yielded) if faults else len(chunk)
        yield chunk[:cut]
        yielded += cut
        chunk = chunk[cut:]
