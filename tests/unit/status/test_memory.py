from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from s3torrent.status.base import Claimed, ClaimResult, Job
from s3torrent.status.memory import MemoryStatus
from s3torrent.types import ObjectRef, ObjectVersion

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def test_a_claim_is_atomic_though_its_thread_is_interrupted_midway() -> None:
    """The clock is asked between look and write, and lets every other thread run."""

    def slow_clock() -> datetime:
        time.sleep(0.005)
        return NOW

    store = MemoryStatus(slow_clock)
    ref = ObjectRef("bucket", "key")
    job = Job(str(ref), ObjectVersion(ref, None, "e", 1, NOW), "policy")
    barrier = threading.Barrier(8)

    def claim(number: int) -> ClaimResult:
        barrier.wait()
        return store.claim(job, owner=f"w{number}", lease_seconds=60)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(claim, range(8)))
    assert sum(isinstance(result, Claimed) for result in results) == 1
