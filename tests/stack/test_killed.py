"""make killed by SIGKILL at each of its requests, on the embedded stack: the next try finishes, and reads little twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from s3torrent.engine import cut
from s3torrent.engine.native import NativeEngine
from s3torrent.errors import HeldByAnother
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef
from state import one_make
from support.deployed import status_of
from support.meddling_proxy import MeddlingProxy
from support.ministack import ENVIRONMENT
from support.reference import content
from support.uploading import silent
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.pipeline.outcome import Outcome
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

KEY = "shows/é+ü & 100%.mkv"
RANGE_BYTES, RANGES, THREADS = 64 * 1024, 12, 3
BODY = content(RANGES * RANGE_BYTES - 4321)
ARRIVES, IS_LOST = True, False
POINTS = [
    ("HEAD source", 1, ARRIVES),
    ("HEAD torrent", 1, ARRIVES),
    ("claim", 1, IS_LOST),
    ("claim", 1, ARRIVES),
    ("GET range", 1, IS_LOST),
    ("GET range", 5, ARRIVES),
    ("GET range", RANGES, IS_LOST),
    ("PUT checkpoint", 1, IS_LOST),
    ("PUT checkpoint", 1, ARRIVES),
    ("PUT checkpoint", 6, IS_LOST),
    ("renewal", 1, IS_LOST),
    ("renewal", 1, ARRIVES),
    ("HEAD source", 2, ARRIVES),
    ("PUT torrent", 1, IS_LOST),
    ("PUT torrent", 1, ARRIVES),
    ("DELETE checkpoint", 1, IS_LOST),
    ("finish", 1, IS_LOST),
    ("finish", 1, ARRIVES),
]


class NamingProxy(MeddlingProxy):
    """Knows the steps of ``make``: ``does`` is done before the ``number``-th request of that name goes on.

    Where ``does`` raises ConnectionError the request is lost.
    """

    def __init__(self, upstream: str, name: str = "", number: int = 0) -> None:
        super().__init__(upstream)
        self.seen: Counter[str] = Counter()
        self.does: Callable[[], object] | None = None
        self._point = name, number

    def came(self, method: str, path: str) -> None:
        with self._lock:
            name = self._name(method, path)
            self.seen[name] += 1
            if self.does and (name, self.seen[name]) == self._point:
                self.does()

    def _name(self, method: str, path: str) -> str:
        if method == "POST":  # DynamoDB's calls are told apart by what came before them
            if not self.seen["claim"]:
                return "claim"
            return "finish" if self.seen["PUT torrent"] else "renewal"
        if path.endswith(".torrent"):
            return f"{method} torrent"
        if "/checkpoints/" in path:
            return f"{method} checkpoint"
        return {"GET": "GET range"}.get(method, f"{method} source")


def settings(table: str, endpoint: str) -> dict[str, str]:
    return {
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": endpoint,
        "DDB_TABLE": table,
        "TORRENT_THREADS": str(THREADS),
        "TORRENT_CHECKPOINT_SECONDS": "0",
        "ONE_MAKE_RANGE_BYTES": str(RANGE_BYTES),
        "ONE_MAKE_LEASE_SECONDS": "0.003",
    }


def killed_at(proxy: NamingProxy, bucket: str, table: str, *, arrives: bool) -> None:
    process = subprocess.Popen(
        [sys.executable, one_make.__file__, bucket, KEY],
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **settings(table, proxy.endpoint)},
        cwd=Path(one_make.__file__).parent,
        stderr=subprocess.PIPE,
    )

    def kill() -> None:
        process.send_signal(signal.SIGKILL)
        if not arrives:
            raise ConnectionResetError

    proxy.does = kill
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"{proxy.seen}\n{said.decode()}"


def taken_up(bucket: str, environ: dict[str, str]) -> Outcome | None:
    """The next delivery; None while the dead one's lease holds."""
    try:
        return one_make.one_make(bucket, KEY, environ)
    except HeldByAnother:
        return None


@pytest.mark.parametrize(
    ("name", "number", "arrives"),
    POINTS,
    ids=lambda each: {ARRIVES: "arrives", IS_LOST: "is lost"}[each] if isinstance(each, bool) else str(each),
)
def test_killed_at_a_named_request_it_is_finished_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
    ministack: MiniStack,
    bucket: str,
    own_table: str,
    name: str,
    number: int,
    *,
    arrives: bool,
) -> None:
    """The right torrent, COMPLETED; of what was read at most one range a thread is read again."""
    for bound in ("LEAST_RANGE", "MOST_RANGE"):
        monkeypatch.setattr(cut, bound, RANGE_BYTES)
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    ministack.client("s3").put_object(Bucket=bucket, Key=KEY, Body=BODY)
    with NamingProxy(ministack.endpoint, name, number) as first:
        killed_at(first, bucket, own_table, arrives=arrives)
    with NamingProxy(ministack.endpoint) as second:
        outcome = until(partial(taken_up, bucket, settings(own_table, second.endpoint)), "the lease ends")
    assert outcome.status == "COMPLETED"
    item = status_of(ministack, own_table, bucket, KEY)
    assert (item["status"], item["infoHashV1"]) == ("COMPLETED", outcome.attributes["infoHashV1"])
    store = S3Store(ministack.client("s3"))
    head = store.head(ObjectRef(bucket, KEY))
    right = build_object(head, TorrentPolicy(), NativeEngine(1), store, silent).metainfo.encode()
    assert store.get(ObjectRef(bucket, KEY).torrent, 1 << 20) == right
    assert first.seen["GET range"] + second.seen["GET range"] <= RANGES + THREADS
    assert (
        -(-int(item["bytesRead"]) // RANGE_BYTES) == second.seen["GET range"]
        or outcome.reason == "done before"
    )
