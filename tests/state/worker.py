"""One worker and its misfortunes: at any of its calls it may die, fail, lose the answer, or stall while others act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from s3torrent.errors import AccessDenied, EndpointUnreachable, Throttled, WriteConflict
from s3torrent.status.base import COMPLETED, DELETED, Claimed, Done
from state import truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion, Upload
    from state.world import World

T = TypeVar("T")

FAULTS = ("die before", "die after", "throttled", "answer lost", "refused")
"""``refused``: a write by 409; a HEAD by 403, and each one of that worker after it; anything else is not."""
STALLS = ("stall",) * 5
STRIKES = (*STALLS, *FAULTS)
DENIALS = ("stall", *("refused",) * 8)
QUIET = ("",) * 18
DEEPEST = 2
"""Who acts while another stalls may stall, too; who acts then does not."""


class Killed(BaseException):
    """The process is gone."""


class Worker:
    """``deadline``: Lambda kills an invocation then; None for a program that nobody stops."""

    quiet, numbers = QUIET, (0, 1, 2, 3)
    """Calls at which nothing befalls it; how much may befall it in all."""

    def __init__(
        self, world: World, name: str, *, depth: int, calm: bool = False, deadline: datetime | None = None
    ) -> None:
        self.world, self.name, self.depth, self.deadline = world, name, depth, deadline
        self.calls, self._dead, self.denied = 0, False, False
        self.store, self.status = self.tools()
        self.began = dict(world.touched)
        self.looked: set[ObjectRef] = set()
        """What it has looked at since it claimed or read it."""
        dice = world.dice
        self.skew = 0 if calm else dice.pick((0, 0, 0, -5, 5, 90, -90))
        self._strikes = 0 if calm else dice.pick(self.numbers)
        hows = world.strikes if depth < DEEPEST else [how for how in world.strikes if how != "stall"]
        self._hows = (*self.quiet[3 * depth :], *hows)

    def tools(self) -> tuple[Any, Any]:
        return MeddledStore(self), MeddledStatus(self)

    def strike(self, what: str, hows: tuple[str, ...]) -> str:
        """What befalls it at this call, one of ``hows``; whatever others do meanwhile is done, or it is dead."""
        self.calls += 1
        how = self.world.dice.pick(hows) if self._strikes else ""
        if how:
            self._strikes -= 1
            self.world.say(f"{self.name}: {how} at {what} ({self.calls})")
        if how == "stall":
            self.world.meanwhile(self.depth + 1)
        if how == "die before":
            self.die()
        self.live_on()
        return how

    def live_on(self) -> None:
        """Dies where its time is over, or the world's."""
        overdue = self.deadline is not None and self.world.now > self.deadline
        if self._dead or overdue or self.world.broken:
            self.die()

    def call(self, what: str, effect: Callable[[], T]) -> T:
        how = self.strike(what, self._hows)
        if how == "throttled":
            raise Throttled("503 Slow Down")
        if how == "refused" and what in ("put", "complete_upload", "put_whole", "remove"):
            raise WriteConflict("409 Conflict")
        self.denied = self.denied or (how == "refused" and what == "head")
        if self.denied and what == "head":
            raise AccessDenied("403 Forbidden")
        world, outer = self.world, self.world.skew
        world.skew = self.skew
        try:
            result = effect()
        except AssertionError as error:  # which a program that catches everything must not hide
            world.broken = world.broken or error
            self.die()
        finally:
            world.skew = outer
        if how == "die after":
            self.die()
        if how == "answer lost":
            raise EndpointUnreachable("the answer was lost")
        return result

    def die(self) -> NoReturn:
        self._dead = True
        raise Killed


class MeddledStore:
    """The world's bucket as this worker has it; what it writes is looked at by the world."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._world = worker, worker.world
        self._inner: Any = worker.world.store

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        def effect() -> ObjectHead:
            self._worker.looked.add(ref)
            return self._inner.head(ref, version_id)

        return self._worker.call("head", effect)

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        self._worker.looked.discard(version.ref)
        chunks = self._inner.read(version, start, end)
        while (chunk := self._worker.call("read", lambda: next(chunks, None))) is not None:
            yield chunk

    def get(self, ref: ObjectRef, max_bytes: int) -> bytes:
        return self._worker.call("get", lambda: self._inner.get(ref, max_bytes))

    def put(self, ref: ObjectRef, body: bytes, **told: Any) -> ObjectHead:
        def effect() -> ObjectHead:
            before = self._world.lying(ref)
            head = self._inner.put(ref, body, **told)
            self._world.wrote(self._worker, ref, before)
            return head

        return self._worker.call("put", effect)

    def remove(self, version: ObjectVersion) -> None:
        def effect() -> None:
            before = self._world.lying(version.ref)
            self._inner.remove(version)
            if before and not self._world.lying(version.ref):
                self._world.removed(self._worker, version.ref, before)

        self._worker.call("remove", effect)

    def put_whole(self, ref: ObjectRef, body: bytes, **told: Any) -> str:
        return self._appears("put_whole", ref, told, lambda: self._inner.put_whole(ref, body, **told))

    def complete_upload(self, upload: Upload, parts: Any, **told: Any) -> str:
        return self._appears(
            "complete_upload", upload.ref, told, lambda: self._inner.complete_upload(upload, parts, **told)
        )

    def _appears(self, what: str, ref: ObjectRef, told: Any, effect: Callable[[], str]) -> str:
        def uploaded() -> str:
            before = self._world.lying(ref)
            etag = effect()
            replaces = told["replaces"]
            self._world.uploaded(self._worker, ref, before, replaces.etag if replaces else None)
            return etag

        return self._worker.call(what, uploaded)

    def __getattr__(self, name: str) -> Any:
        """Of multipart uploads all that changes nothing to be seen."""
        inner = getattr(self._inner, name)
        return lambda *args, **named: self._worker.call(name, lambda: inner(*args, **named))


class MeddledStatus:
    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def claim(self, job: Any, **told: Any) -> Any:
        world = self._worker.world

        def effect() -> Any:
            before = world.status.get(job.job_id)
            answer = world.status.claim(job, **told)
            if isinstance(answer, Claimed):
                self._worker.looked.discard(job.version.ref)
                world.claimed(self._worker, job, before)
            elif isinstance(answer, Done) and not world.status.get(job.job_id).get("uploadOwner"):
                world.reserved.pop(job.job_id, None)  # void by this worker's clock
            return answer

        return self._worker.call("claim", effect)

    def renew(self, claim: Any, **told: Any) -> Any:
        def effect() -> Any:
            before = self._worker.world.status.get(claim.job_id)
            renewed = self._worker.world.status.renew(claim, **told)
            truth.check_fenced(self._worker, before)
            return renewed

        return self._worker.call("renew", effect)

    def reserve(self, job_id: str, **told: Any) -> None:
        def effect() -> None:
            self._worker.world.status.reserve(job_id, **told)
            self._worker.world.reserve(self._worker, job_id)

        self._worker.call("reserve", effect)

    def release(self, job_id: str, **told: Any) -> None:
        def effect() -> None:
            self._worker.world.status.release(job_id, **told)
            self._worker.world.reserved.pop(job_id, None)

        self._worker.call("release", effect)

    def note(self, job_id: str, status: str, *told: Any, **named: Any) -> bool:
        def effect() -> bool:
            noted = self._worker.world.status.note(job_id, status, *told, **named)
            if noted and status == DELETED:  # which may have been the object that was reserved
                self._worker.world.reserved.pop(job_id, None)
            return noted

        return self._worker.call("note", effect)

    def finish(self, claim: Any, status: str, attributes: Any) -> None:
        world = self._worker.world

        def effect() -> None:
            before = world.status.get(claim.job_id)
            world.status.finish(claim, status, attributes)
            truth.check_fenced(self._worker, before)
            if status == COMPLETED:
                world.completed(self._worker, claim.job_id)

        self._worker.call("finish", effect)

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._worker.world.status, name)
        return lambda *args, **named: self._worker.call(name, lambda: inner(*args, **named))


class SqsTwin:
    """What the function asks of SQS."""

    class meta:  # noqa: N801 (boto3's name)
        endpoint_url = "http://queue"

    def __init__(self, worker: Worker) -> None:
        self._worker, self._world = worker, worker.world

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        self._worker.call("visibility", lambda: self._world.put_off(ReceiptHandle, VisibilityTimeout))

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self._worker.call("send", lambda: self._world.queue.send(MessageBody, self._world.now))
