"""A store that fails on purpose, for tests: at the call, and after the bytes, that the plan says."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from s3torrent.errors import S3TorrentError
    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion

Operation = Literal["head", "read", "get", "put"]


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

    def __init__(self, inner: ObjectStore, plan: Sequence[Fault]) -> None:
        self._inner = inner
        self._plan = sorted(plan, key=lambda fault: fault.after)
        self._lock = threading.Lock()
        self.calls: Counter[Operation] = Counter()

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        self._strike("head")
        return self._inner.head(ref, version_id)

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        return _broken(self._inner.read(version, start, end), self._due("read"))

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
    ) -> ObjectHead:
        self._strike("put")
        return self._inner.put(ref, body, replaces=replaces, content_type=content_type, metadata=metadata)

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
