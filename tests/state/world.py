"""A bucket, its users, its queue and every way in, over the memory twins; ``act`` lets one thing happen.

A schedule is what the dice say. Whatever happens is looked at as it happens (``truth.py``), and once more at
rest. An invocation lives no longer than Lambda lets it, which is less than its message is out of sight.
"""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import NoSuchObject, S3TorrentError
from s3torrent.intake.rules import Rules
from s3torrent.lambda_handler import Function
from s3torrent.pipeline.make import Maker
from s3torrent.pipeline.put import put
from s3torrent.pipeline.record import record
from s3torrent.pipeline.upload import Uploader
from s3torrent.redelivery import Redelivery
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef
from state import truth
from state.mail import VISIBILITY_SECONDS, Message, batch_event, direct_call
from state.users import CONTENTS, Users
from state.worker import DENIALS, STALLS, STRIKES, Killed, SqsTwin, Worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.status.base import Job, StatusItem
    from s3torrent.types import ObjectHead, ObjectVersion
    from state.dice import Dice

KIB = 1 << 10
CHUNK = PART = 16 * KIB
RANGE = 32 * KIB
"""So that 50,000 bytes are two ranges and four parts."""
DISK = "disk"
LEASE_SECONDS, TIMEOUT_SECONDS = 60.0, 300
PAUSES = (1, 5, 70, 70, 400)
KINDS = (
    "delete",
    "delete",
    "put",
    "record",
    "again",
    "direct",
    "copy",
    "foreign",
    "clear",
    "upload",
    "change_policy",
)
VERSIONS = ("drop_version", "undelete", "undelete")


class World(Users):
    """``remove`` of TORRENT_ON_DELETE, or ``keep``: that, and much else, is drawn."""

    worker_kind: type[Worker] = Worker
    acts: Sequence[int] = range(2, 14)

    def __init__(self, dice: Dice, bucket: str = "bucket") -> None:
        super().__init__(bucket, dice)
        self.versioned, self.remove, self.strikes = self.drawn()
        self.checkpoints = dice.pick(("", ".s3torrent/"))
        self.now, self.skew = datetime(2026, 11, 23, tzinfo=UTC), 0
        self.disk = MemoryStore(chunk=CHUNK, now=lambda: self.now)
        self.disk.create_bucket(DISK)
        self.store, self.status = self.opened()
        self.reserved: dict[str, tuple[str, datetime]] = {}
        """Who uploads to which job's key, until when."""
        self.broken: AssertionError | None = None
        self.trace: list[str] = []
        self._workers = 0
        # Some kinds of act in each world, not all: what few can do together comes up sooner.
        chosen = [
            kind for kind in (*KINDS, *VERSIONS[: 3 * self.versioned]) if dice.pick((False, False, True))
        ]
        self.kinds = ["upload", "wait", *["deliver"] * 5, *chosen, *chosen]

    def drawn(self) -> tuple[bool, bool, tuple[str, ...]]:
        """Whether the bucket has versions, whether torrents go with their objects, what befalls the workers."""
        flags, dice = (False, True), self.dice
        return dice.pick(flags), dice.pick(flags), dice.pick((*(STALLS, STRIKES) * 2, DENIALS))

    def opened(self) -> tuple[Any, Any]:
        """The bucket and the table, as the users and the judge have them."""
        store = MemoryStore(chunk=CHUNK, now=lambda: self.now)
        store.create_bucket(self.bucket, versioned=self.versioned)
        return store, MemoryStatus(lambda: self.now + timedelta(seconds=self.skew))

    def act(self, kind: str, depth: int = 0) -> None:
        getattr(self, kind)(depth)
        if not depth:
            self.check()

    def check(self) -> None:
        if self.broken:
            raise self.broken

    def meanwhile(self, depth: int) -> None:
        for _ in range(self.dice.pick((1, 2, 3, 4, 5))):
            self.act(self.dice.pick(self.kinds), depth)

    def seconds(self) -> float:
        return self.now.timestamp()

    def say(self, what: str) -> None:
        self.trace.append(f"{(self.now.timestamp()) % 100_000:7.0f} {what}")

    # What time, the queue and our programs do.

    def wait(self, _depth: int) -> None:
        self.now += timedelta(seconds=self.dice.pick(PAUSES))

    def again(self, _depth: int) -> None:
        """S3 delivers at least once."""
        if self.queue.sent:
            self.queue.send(self.dice.pick(self.queue.sent), self.now)
            self.say(f"queue: m{len(self.queue.sent)}, a message again")

    def deliver(self, depth: int) -> None:
        batch = self.queue.receive(self.now, self.now + timedelta(seconds=VISIBILITY_SECONDS), self.dice)
        if batch:
            deadline = self.now + timedelta(seconds=TIMEOUT_SECONDS)
            self._invoke(
                self.worker_kind(self, self._name("function"), depth=depth, deadline=deadline), batch
            )

    def put(self, depth: int) -> None:
        self._send(depth, partial(put, source=self._file(), reader=self.disk))

    def record(self, depth: int) -> None:
        stream: Any = io.BytesIO(self.disk.get(self._file().ref, 1 << 20))
        self._send(depth, partial(record, stream=stream, stop=threading.Event()))

    def _file(self) -> ObjectVersion:
        return self.disk.upload(ObjectRef(DISK, self._name("file")), self.dice.pick(CONTENTS))

    def _send(self, depth: int, way: Any) -> None:
        ref, force = self._ref(), self.dice.pick((True, False))
        worker = self.worker_kind(self, self._name("uploader"), depth=depth)
        uploader = Uploader(
            store=worker.store,
            status=worker.status,
            policy=self.policy,
            owner=worker.name,
            lease_seconds=LEASE_SECONDS,
            threads=1,
            smallest_part=PART,
        )
        self.say(f"{worker.name}: {way.func.__name__} {ref}{' by force' if force else ''}")
        try:
            way(uploader, ref=ref, force=force, progress=lambda *_: None)
        except (Killed, S3TorrentError) as error:
            self.say(f"{worker.name}: {error!r}")

    def _invoke(self, worker: Worker, batch: list[Message]) -> None:
        maker = Maker(
            store=worker.store,
            status=worker.status,
            engine=NativeEngine(threads=1),
            policy=self.policy,
            owner=worker.name,
            lease_seconds=LEASE_SECONDS,
            monotonic=self.seconds,
            remove_torrents=self.remove,
            control_prefix=self.checkpoints,
            checkpoint_seconds=0,
        )
        redelivery = Redelivery(partial(SqsTwin, worker), lambda: self.now + timedelta(seconds=worker.skew))
        function = Function(Rules(), maker, redelivery)
        told = ", ".join(f"{one.id} (try {one.received})" for one in batch)
        self.say(f"{worker.name}: takes {told}")
        try:
            answer = function.handle(batch_event(batch), _Context(self))
        except Killed:
            self.say(f"{worker.name}: dead")
            return
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        self.say(f"{worker.name}: failed {sorted(failed)}")
        for message in batch:
            if message.id not in failed:
                self.queue.delete(message)

    def put_off(self, message_id: str, seconds: int) -> None:
        for message in self.queue.messages:
            if message.id == message_id:
                message.due = self.now + timedelta(seconds=seconds)

    # What the world sees of it.

    def lying(self, ref: ObjectRef) -> ObjectHead | None:
        try:
            return self.store.head(ref)
        except NoSuchObject:
            return None

    def wrote(self, worker: Worker, ref: ObjectRef, before: ObjectHead | None) -> None:
        self.say(f"{worker.name}: wrote {ref}")
        truth.check_write(self, worker, ref, before)
        source = truth.source_of(ref)
        if source:
            item = self.status.get(str(source))
            if worker.name.startswith("uploader") and (item is None or item.get("leaseOwner") != worker.name):
                self.touched[source] += 1
                self.orphans.add(source)

    def removed(self, worker: Worker, ref: ObjectRef, before: ObjectHead) -> None:
        self.say(f"{worker.name}: removed {ref}")
        truth.check_removal(self, ref, before)
        source = truth.source_of(ref)
        if source:
            self.touched[source] += 1

    def uploaded(
        self, worker: Worker, ref: ObjectRef, before: ObjectHead | None, expected: str | None
    ) -> None:
        truth.check_upload(ref, before, expected)
        self.say(f"{worker.name}: uploaded {ref}")
        self.appeared(ref, "ObjectCreated:Put", self.store.head(ref).version)

    def reserve(self, worker: Worker, job_id: str) -> None:
        self.reserved[job_id] = worker.name, self.now + timedelta(seconds=worker.skew + LEASE_SECONDS)

    def claimed(self, worker: Worker, job: Job, before: StatusItem | None) -> None:
        self.say(f"{worker.name}: claimed {job.version}")
        truth.check_claim(self, worker, job, before)
        self.reserved.pop(job.job_id, None)

    def completed(self, worker: Worker, job_id: str) -> None:
        self.say(f"{worker.name}: COMPLETED {job_id}")
        truth.check_completed(self, worker, job_id)

    def _name(self, kind: str) -> str:
        self._workers += 1
        return f"{kind} {self._workers}"

    # At rest.

    def settle(self) -> None:
        """No more misfortunes until every message is delivered or dead."""
        for _ in range(300):
            if not self.queue.messages:
                return
            self.now = max(self.now, min(message.due for message in self.queue.messages))
            batch = self.queue.receive(self.now, self.now + timedelta(seconds=VISIBILITY_SECONDS), None)
            if batch:
                self._invoke(self.worker_kind(self, self._name("function"), depth=9, calm=True), batch)
                self.check()
        raise AssertionError("it does not come to rest")

    def check_at_rest(self) -> None:
        self.say("-- at rest")
        self.settle()
        truth.check_told(self)
        self.say("-- redrive")
        self.queue.redrive(self.now)
        self.settle()
        assert not self.queue.dead, f"dead after a redrive: {self.queue.dead}"
        for ref in self.everything:
            if ref not in self.meddled:
                truth.check_object(self, ref)
        self.say("-- sent once more")
        for ref in [ref for ref in self.everything if ref in self.meddled and self.lying(ref)]:
            self.queue.send(direct_call(ref.bucket, ref.key), self.now)
        self.settle()
        for ref in self.everything:
            truth.check_object(self, ref)


class _Context:
    """Lambda's: how long the invocation lasts."""

    def __init__(self, world: World) -> None:
        self._world, self._end = world, world.now + timedelta(seconds=TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> float:
        return max(0.0, (self._end - self._world.now).total_seconds() * 1000)
