"""A bucket, a table and both ways in over them, in memory; parts are small so that a little content has many."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import S3TorrentError
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.pipeline.make import Maker
from s3torrent.pipeline.put import put
from s3torrent.pipeline.record import record
from s3torrent.pipeline.upload import Uploader
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.pipeline.outcome import Outcome

PART = 64 * 1024
REF = ObjectRef("bucket", "shows/é+ü & 100%.mkv")
ID = str(REF)
FILE = ObjectRef("disk", "film.mkv")


def silent(_done: int, _phase: str = "", /) -> None:
    """No progress."""


class Piped(io.BytesIO):
    """A stream that gives a little at a time, and calls ``at[position]`` when it comes there."""

    def __init__(self, body: bytes, at: dict[int, Any] | None = None) -> None:
        super().__init__(body)
        self.at = at or {}

    def readinto(self, buffer: Any, /) -> int:
        for position in [position for position in self.at if position <= self.tell()]:
            self.at.pop(position)()
        return super().readinto(memoryview(buffer)[:10_007])


@dataclass
class World:
    policy: TorrentPolicy = field(default_factory=TorrentPolicy)
    store: MemoryStore = field(default_factory=MemoryStore)
    now: datetime = datetime(2026, 11, 23, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.store.create_bucket("bucket")
        self.store.create_bucket("disk")
        self.status = MemoryStatus(lambda: self.now)

    def uploader(self, *faults: Fault, **changes: Any) -> Uploader:
        tools = {
            "store": FailingStore(self.store, faults),
            "status": self.status,
            "policy": self.policy,
            "owner": "recorder",
            "lease_seconds": 60.0,
            "threads": 2,
            "smallest_part": PART,
        }
        return Uploader(**(tools | changes))

    def put(self, body: bytes, *faults: Fault, force: bool = False, **changes: Any) -> Outcome:
        self.store.upload(FILE, body)
        version = self.store.head(FILE).version
        uploader = self.uploader(*faults, **changes)
        return put(uploader, version, self.store, REF, force=force, progress=silent)

    def record(
        self,
        body: bytes | Piped,
        *faults: Fault,
        force: bool = False,
        stop: threading.Event | None = None,
        **changes: Any,
    ) -> Outcome:
        stream = body if isinstance(body, Piped) else Piped(body)
        uploader = self.uploader(*faults, **changes)
        return record(uploader, stream, REF, force=force, progress=silent, stop=stop or threading.Event())

    def function(self, *faults: Fault) -> Maker:
        """The event path, which may come at any moment."""
        return Maker(
            store=FailingStore(self.store, faults),
            status=self.status,
            engine=NativeEngine(threads=1),
            policy=self.policy,
            owner="function",
            lease_seconds=60.0,
            monotonic=self.now.timestamp,
        )

    def event(self, *faults: Fault) -> Outcome:
        return self.function(*faults).make(TorrentRequest(REF))

    def body(self) -> bytes:
        return self.store.get(REF, 1 << 30)

    def torrent(self) -> bytes:
        return self.store.get(REF.torrent, 1 << 24)

    def is_there(self, ref: ObjectRef) -> bool:
        try:
            self.store.head(ref)
        except S3TorrentError:
            return False
        return True

    def right_torrent(self) -> bytes:
        """What one plain reading of the object as it lies there gives."""
        head = self.store.head(REF)
        return build_object(head, self.policy, NativeEngine(1), self.store, silent).metainfo.encode()

    def item(self) -> dict[str, Any]:
        item = self.status.get(ID)
        return dict(item.attributes) if item else {}
