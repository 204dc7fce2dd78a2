"""A worker over the real adapters: what befalls it befalls single requests, and what each changed is looked at."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from s3torrent.status.base import COMPLETED
from s3torrent.status.timestamp import from_text
from s3torrent.types import ObjectRef
from state import truth
from state.worker import Killed, Worker
from support import fault_proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.status.base import Job
    from state.real_world import RealWorld

T = TypeVar("T")

FAULTS = {
    "request lost": fault_proxy.LOST,
    "answer lost": fault_proxy.UNANSWERED,
    "cut short": fault_proxy.CUT,
    "broken off": fault_proxy.BROKEN_OFF,
    "late": fault_proxy.LATE,
}
LASTING = ("request lost", "answer lost", "throttled")
"""May befall each request of a call, however often it is tried again."""
BUSY_S3 = ("503 SlowDown", "500 InternalError", "503 ServiceUnavailable")
BUSY_TABLE = (
    "400 ThrottlingException",
    "400 ProvisionedThroughputExceededException",
    "500 InternalServerError",
)
WITHOUT_BODY = ("HeadObject", "PutObject", "UploadPart", "DeleteObject", "AbortMultipartUpload")
"""Whose answers have none."""
NOT_HTTP = ("visibility", "send")
"""Calls of SQS, which is the world's own."""


@dataclass(frozen=True, slots=True)
class Write:
    """A request that may change something: of the object ``ref``, or of the item ``job_id``.

    ``before`` is what was there, ``expected`` the ETag that it was to replace, None for nothing.
    """

    number: int
    operation: str
    ref: ObjectRef | None
    job_id: str
    before: Any
    expected: str | None


class RealWorker(Worker):
    world: RealWorld
    quiet, numbers = ("",) * 6, (0, 1, 2, 3, 5)
    job: Job | None = None
    """What it claims."""
    _what = _how = _lasting = ""
    _write: Write | None = None

    def tools(self) -> tuple[Any, Any]:
        return RealStore(self), RealStatus(self)

    def call(self, what: str, effect: Callable[[], T]) -> T:
        if what in NOT_HTTP:
            return super().call(what, effect)
        self.live_on()
        stack = self.world.stack
        outer, stack.worker = stack.worker, self
        self._what, self._lasting = what, ""
        try:
            result = effect()
        finally:
            self._settle()
            stack.worker = outer
        self.live_on()
        return result

    def sending(self, operation: str, request: Any, number: int) -> str:
        """What the proxy is to do to this request."""
        self._settle()
        if self._lasting:
            how = self._lasting
            self.live_on()
        else:
            how = self.strike(operation, self._possible(operation, request.headers))
            if how in LASTING and self.world.dice.pick((False, True)):
                self._lasting = how
                self.world.say(f"{self.name}: and so on")
        self.denied = self.denied or (how == "refused" and operation == "HeadObject")
        self._how = how
        self._write = self._looked_at(operation, request, number)
        if self.denied and operation == "HeadObject":
            return "403 AccessDenied"
        if how == "throttled":
            return self.world.dice.pick(BUSY_TABLE if "x-amz-target" in request.headers else BUSY_S3)
        if how == "refused":
            read = operation == "GetObject"
            return self.world.dice.pick(
                ("412 PreconditionFailed", "409 ConditionalRequestConflict")[: 2 - read]
            )
        return FAULTS.get(how, "")

    def received(self, answer: Any) -> None:
        self._settle()
        how, self._how = self._how, ""
        if how == "late":
            self.world.wait(0)
        try:
            if how == "die after":
                self.die()
            self.live_on()
        except Killed:
            with suppress(KeyError, TypeError, AttributeError):
                answer["Body"].close()
            raise

    def _possible(self, operation: str, headers: Any) -> tuple[str, ...]:
        conditional = operation == "HeadObject" or "If-Match" in headers or "If-None-Match" in headers
        vain = {"refused"} if not conditional else set()
        if operation in WITHOUT_BODY:
            vain |= {"cut short", "broken off"}
        return tuple(how for how in self._hows if how not in vain)

    def _looked_at(self, operation: str, request: Any, number: int) -> Write | None:
        if operation == "UpdateItem":
            job_id = json.loads(request.body)["Key"]["jobId"]["S"]
            return Write(number, operation, None, job_id, self.world.status.get(job_id), None)
        if operation not in ("PutObject", "CompleteMultipartUpload", "DeleteObject"):
            return None
        bucket, _, key = unquote(urlsplit(request.url).path).removeprefix("/").partition("/")
        ref, expected = ObjectRef(bucket, key), request.headers.get("If-Match")
        return Write(
            number, operation, ref, "", self.world.lying(ref), expected and _text(expected).strip('"')
        )

    def _settle(self) -> None:
        """What the last request changed, where it arrived; whether an answer came or not."""
        write, self._write = self._write, None
        if write is None or not self.world.stack.proxy.arrived(write.number):
            return
        try:
            self._changed_object(write, write.ref) if write.ref else self._changed_item(write)
        except AssertionError as error:  # which a program that catches everything must not hide
            self.world.broken = self.world.broken or error

    def _changed_object(self, write: Write, ref: ObjectRef) -> None:
        world = self.world
        world.store.forget(ref)
        if write.operation == "DeleteObject":
            if write.before and not world.lying(ref):
                world.removed(self, ref, write.before)
        elif ref in world.everything:
            world.uploaded(self, ref, write.before, write.expected)
        else:
            world.wrote(self, ref, write.before)

    def _changed_item(self, write: Write) -> None:
        world, job_id = self.world, write.job_id
        world.status.forget(job_id)
        item: Any = world.status.get(job_id)
        if self._what == "claim":
            if item.get("attempt") != (write.before and write.before.get("attempt")):
                assert self.job
                self.looked.discard(self.job.version.ref)
                world.claimed(self, self.job, write.before)
        elif self._what in ("renew", "finish"):
            truth.check_fenced(self, write.before)
            if item.status == COMPLETED:
                world.completed(self, job_id)
        elif self._what == "reserve":
            world.reserved[job_id] = self.name, from_text(item.get("uploadExpiresAt"))
        if not item.get("uploadOwner"):
            world.reserved.pop(job_id, None)


class RealStore:
    """``S3UploadStore`` as this worker has it."""

    def __init__(self, worker: RealWorker) -> None:
        self._worker = worker
        self._inner: Any = worker.world.stack.store_of_worker(worker.world.sleep)

    def head(self, ref: ObjectRef, version_id: str | None = None) -> Any:
        found = self._worker.call("head", lambda: self._inner.head(ref, version_id))
        self._worker.looked.add(ref)
        return found

    def read(self, version: Any, start: int, end: int) -> Iterator[Any]:
        return self._each("read", version, self._inner.read(version, start, end))

    def part_sha1s(self, version: Any) -> Iterator[Any]:
        return self._each("part_sha1s", version, self._inner.part_sha1s(version))

    def _each(self, what: str, version: Any, found: Iterator[Any]) -> Iterator[Any]:
        self._worker.looked.discard(version.ref)
        while (one := self._worker.call(what, lambda: next(found, None))) is not None:
            yield one

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        return lambda *told, **named: self._worker.call(name, lambda: inner(*told, **named))


class RealStatus:
    """``DynamoStatus`` as this worker has it, by its own clock."""

    def __init__(self, worker: RealWorker) -> None:
        self._worker, world = worker, worker.world
        self._inner: Any = world.stack.table_of_worker(lambda: world.now + timedelta(seconds=worker.skew))

    def claim(self, job: Job, **told: Any) -> Any:
        self._worker.job = job
        return self._worker.call("claim", lambda: self._inner.claim(job, **told))

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        return lambda *told, **named: self._worker.call(name, lambda: inner(*told, **named))


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header
