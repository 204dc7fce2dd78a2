"""MiniStack behind a proxy that spoils what passes, as the schedules use it; ``staged`` for the length of some.

What MiniStack (1.5) does otherwise than AWS where it matters here, and what these tests do about it:

- it has no clock but the machine's: the proxy tells ``Last-Modified`` in the world's time;
- it never throttles, refuses or breaks anything by itself: the proxy does;
- it makes up the sequencers of its events: its buckets notify nobody, the world sends the events;
- an upload that is completed twice is answered by 200 twice, whatever the condition (as S3 does for a while, where
  ``MemoryStore`` says that it is gone): the proxy knows that the second changed nothing;
- it takes parts below 5 MiB, which saves time and is left so.
"""

from __future__ import annotations

import contextlib
import types
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from s3torrent.devstack.ministack import CREDENTIALS
from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.store.resume import Patience
from s3torrent.store.s3_upload import UPLOAD_PATIENCE, S3UploadStore
from s3torrent.wiring import Clients, clock
from state import schedule
from state.real_bucket import RealBucket, RealTable
from support.fault_proxy import FAULT, NOW, NUMBER, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from state.real_worker import RealWorker
    from state.world import World
    from support.ministack import MiniStack

SERVICES = ("s3", "dynamodb")


class RealStack:
    """``with RealStack(ministack) as stack: ...``; one ``world`` at a time, whose time the requests carry.

    Two sets of clients, both made by the product: one for all workers, one for the users and the judge, whom
    nothing befalls. ``worker`` is whose call is under way.
    """

    world: World | None = None
    worker: RealWorker | None = None

    def __init__(self, ministack: MiniStack) -> None:
        self.proxy = FaultProxy(ministack.endpoint)
        self._table = f"state-{uuid.uuid4().hex[:20]}"
        self._requests = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.proxy)
            self._workers, self._others = (
                stack.enter_context(contextlib.closing(Clients(self.proxy.endpoint, credentials=CREDENTIALS)))
                for _ in "12"
            )
            stack.callback(self._table_goes)
            self._register()
            self.table(clock).ensure()
            self._open = stack.pop_all()
        return self

    def _register(self) -> None:
        for service in SERVICES:
            self._others.client(service).meta.events.register("before-send", self._timed)
            events = self._workers.client(service).meta.events
            events.register("before-send", self._sending)
            events.register("response-received", self._received)

    def _table_goes(self) -> None:
        client = self._others.client("dynamodb")
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.delete_table(TableName=self._table)

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def bucket(self, name: str, *, versioned: bool) -> RealBucket:
        """A fresh one, for the users and the judge."""
        client = self._others.client("s3")
        client.create_bucket(Bucket=name)
        if versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return RealBucket(client)

    def table(self, now: Callable[[], datetime]) -> RealTable:
        """For the judge."""
        return RealTable(self._others.client("dynamodb"), self._table, now)

    def store_of_worker(self, sleep: Callable[[float], None]) -> S3UploadStore:
        """As patient as the product is, in the world's time."""
        reading, uploading = (
            replace(one, sleep=sleep, jitter=lambda: 0.5) for one in (Patience(), UPLOAD_PATIENCE)
        )
        return S3UploadStore(self._workers.client("s3"), reading, uploading)

    def table_of_worker(self, now: Callable[[], datetime]) -> DynamoStatus:
        return DynamoStatus(self._workers.client("dynamodb"), self._table, now)

    def _timed(self, request: Any, **_: Any) -> None:
        request.headers[NOW] = str(int(self.world.seconds() if self.world else 0))

    def _sending(self, request: Any, event_name: str, **_: Any) -> None:
        """In the caller's own thread, just before the request goes: others may act here."""
        assert self.worker, f"{event_name} outside of any call"
        self._requests += 1
        number = self._requests
        request.headers[FAULT] = self.worker.sending(event_name.rpartition(".")[2], request, number)
        request.headers[NUMBER] = str(number)
        self._timed(request)

    def _received(self, parsed_response: Any, **_: Any) -> None:
        assert self.worker
        self.worker.received(parsed_response)


@contextlib.contextmanager
def staged() -> Iterator[None]:
    """As of the memory worlds; nor does botocore wait before it tries again, and how often it may still do so
    does not depend on the schedules before.
    """
    nobody_waits = types.SimpleNamespace(sleep=lambda _: None)
    quota = "botocore.retries.standard.RetryQuotaChecker.acquire_retry_quota"
    with schedule.staged(), patch("botocore.endpoint.time", nobody_waits), patch(quota, lambda *_: True):
        yield
