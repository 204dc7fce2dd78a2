"""What was hashed of an object before the time was up, kept in the bucket for the next try.

One small object for each key, below the control prefix: bencoded, bound to version, policy and the cut into
ranges, so that whatever does not fit exactly is not used. It is sealed with a secret of the job, which
the status item keeps: others may write to the bucket, too. It is written when ``every`` seconds have passed
since the last time, and where work is broken off; a try that ends removes it, a lifecycle rule what is left.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from s3torrent.engine.base import RangeMemory
from s3torrent.engine.cut import range_at, range_length
from s3torrent.errors import OutOfTime, S3TorrentError
from s3torrent.hashing.ranges import RangeHashes
from s3torrent.metainfo.bencode import decode, encode
from s3torrent.pipeline.publish import find
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from s3torrent.hashing.layout import Layout
    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectHead, ObjectVersion

FOLDER = "checkpoints/"
MOST_BYTES = 64 << 20
CONTENT_TYPE = "application/x-bencode"


class Memory(RangeMemory, Protocol):
    """What was hashed before, and what became of the keeping. Bytes of content."""

    recalled: int
    kept: int
    trouble: S3TorrentError | None

    def clear(self) -> None:
        """The object is done with."""
        ...


@contextmanager
def telling_progress(memory: Memory | None) -> Iterator[None]:
    """Where the time is up, its error says how far this try got, and what stood in the way of keeping it."""
    try:
        yield
    except OutOfTime as error:
        if memory:
            error.progressed = memory.kept - memory.recalled
            error.message += f"; {memory.trouble}" if memory.trouble else ""
        raise


class Checkpoint:
    """``monotonic`` and ``every`` in seconds. ``look``: whether an earlier try may have left something.
    ``part``: of a key's several, which.

    It saves reading and nothing else: where it cannot be read or written the object is hashed without,
    and ``trouble`` says why.
    """

    def __init__(
        self,
        store: ObjectStore,
        prefix: str,
        source: ObjectVersion,
        policy_id: str,
        *,
        seal: str,
        monotonic: Callable[[], float],
        every: float,
        look: bool,
        part: str = "",
    ) -> None:
        self._store, self._source, self._policy_id = store, source, policy_id
        self._seal = seal.encode()
        self._monotonic, self._every, self._look = monotonic, every, look
        digest = hashlib.sha256(str(source.ref).encode("utf-8", "surrogatepass")).hexdigest()
        self.ref = ObjectRef(source.ref.bucket, f"{prefix}{FOLDER}{digest}{part}")
        self._there: ObjectHead | None = None
        self._written = monotonic()
        self.recalled = self.kept = 0
        """Bytes of content that the last try had done, and that are written down now."""
        self.trouble: S3TorrentError | None = None

    def recall(self, layout: Layout) -> list[RangeHashes]:
        if not self._look:
            return []
        try:
            self._there = find(self._store, self.ref, guess=True)
            found = self._store.get(self.ref, MOST_BYTES) if self._there else b""
            results = _read(found, self._seal, self._identity(layout), layout)
        except S3TorrentError as error:
            self.trouble = error
            return []
        self.recalled = self.kept = _size(results)
        return results

    def keep(self, layout: Layout, results: Sequence[RangeHashes], *, now: bool = False) -> None:
        if _size(results) == self.kept or not (now or self._monotonic() - self._written >= self._every):
            return
        told = {**self._identity(layout), b"ranges": [_packed(result) for result in results]}
        body = _sealed(told, self._seal)
        self._written = self._monotonic()
        try:
            self._there = self._store.put(
                self.ref,
                body,
                replaces=self._there.version if self._there else None,
                content_type=CONTENT_TYPE,
                metadata={},
            )
        except S3TorrentError as error:
            self.trouble = error
            self._look_again()
        else:
            self.kept = _size(results)

    def clear(self) -> None:
        if self._there is None:
            return
        try:
            self._store.remove(self._there.version)
        except S3TorrentError as error:
            self.trouble = error

    def _look_again(self) -> None:
        """Somebody wrote, or our own answer was lost: the next try replaces what lies there."""
        try:
            self._there = find(self._store, self.ref, guess=True)
        except S3TorrentError as error:
            self.trouble = error

    def _identity(self, layout: Layout) -> dict[bytes, Any]:
        source = self._source
        told = (source.ref, source.version_id or "", source.etag, source.size, self._policy_id)
        return {
            b"of": "\n".join(map(str, told)).encode("utf-8", "surrogatepass"),
            b"piece length": layout.piece_length,
            b"range length": range_length(layout),
        }


def _packed(result: RangeHashes) -> list[Any]:
    return [result.range.start, result.v1, result.v2]


def _sealed(told: dict[bytes, Any], seal: bytes) -> bytes:
    return encode({**told, b"seal": hmac.digest(seal, encode(told), "sha256")})


def _read(body: bytes, seal: bytes, identity: dict[bytes, Any], layout: Layout) -> list[RangeHashes]:
    """Nothing where it is not exactly of this version, policy and cut, or not whole, or not written by one
    who knew the seal.
    """
    try:
        told = decode(body) if body else {}
    except S3TorrentError:
        return []
    if not isinstance(told, dict):
        return []
    given = told.pop(b"seal", None)
    if not isinstance(given, bytes) or not hmac.compare_digest(_sealed(told, seal), body):
        return []
    if {name: told.get(name) for name in identity} != identity:
        return []
    results: dict[int, RangeHashes] = {}
    listed = told.get(b"ranges")
    for packed in listed if isinstance(listed, list) else []:
        match packed:
            case [int(start), bytes(v1), bytes(v2)] if wanted := range_at(layout, start):
                pieces = -(-(wanted.end - start) // layout.piece_length)
                v1_bytes = 20 * pieces if layout.version != "v2" else 0
                v2_bytes = 32 * pieces if layout.version != "v1" else 0
                if (len(v1), len(v2)) == (v1_bytes, v2_bytes):
                    results[start] = RangeHashes(wanted, v1, v2)
    return list(results.values())


def _size(results: Sequence[RangeHashes]) -> int:
    return sum(result.range.end - result.range.start for result in results)
