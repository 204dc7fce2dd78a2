"""Streams that meet at a core: each gets its own digest, and none is forgotten."""

from __future__ import annotations

import gc
import hashlib
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from s3torrent.hashing import lanes
from s3torrent.hashing.kernel import sha1_stream
from s3torrent.hashing.lanes import Together
from support.reference import content
from support.waiting import until

STREAMS, CHUNKS = 12, 40
NEVER = 600.0
"""Seconds of patience: no test waits that long."""


def streamed(together: Together, seed: int) -> bytes:
    state = sha1_stream()
    with together.stream():
        for chunk in range(CHUNKS):
            together.update(state, memoryview(content(3000 + 7 * seed, f"{seed}/{chunk}")))
    return state.digest()


@pytest.mark.parametrize("cores", [1, 2, 5])
@pytest.mark.parametrize("width", [1, 2, 4, 16])
@pytest.mark.parametrize("patience", [0, 0.004, NEVER])
def test_every_stream_gets_its_own_digest(cores: int, width: int, patience: float) -> None:
    together = Together(cores, width, patience)
    with ThreadPoolExecutor(STREAMS) as pool:
        found = list(pool.map(lambda seed: streamed(together, seed), range(STREAMS)))
    for seed, digest in enumerate(found):
        whole = b"".join(content(3000 + 7 * seed, f"{seed}/{chunk}") for chunk in range(CHUNKS))
        assert digest == hashlib.sha1(whole).digest()


def test_who_waits_is_hashed_by_who_is_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the only core works, the others gather, and go together, as many as there are lanes."""
    sizes: list[int] = []
    entered, go_on = threading.Event(), threading.Event()

    def counted(states: list[object], data: list[object]) -> None:
        sizes.append(len(states))
        assert len(states) == len(data) == len(set(map(id, states)))
        entered.set()
        assert go_on.wait(20)

    monkeypatch.setattr(lanes.kernel, "update_streams", counted)
    together = Together(cores=1, width=4)
    with ThreadPoolExecutor(7) as pool:
        first = pool.submit(together.update, sha1_stream(), memoryview(b"x"))
        assert entered.wait(20)
        others = [pool.submit(together.update, sha1_stream(), memoryview(b"x")) for _ in range(6)]
        until(lambda: len(together._waiting) == 6, "all wait")
        go_on.set()
        for future in (first, *others):
            future.result(20)
    assert sizes == [1, 4, 2]


def test_an_error_reaches_every_stream_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """No digest is taken of bytes that were not hashed; and the core is free again."""
    entered, go_on = threading.Event(), threading.Event()

    def broken(*_: object) -> None:
        entered.set()
        assert go_on.wait(20)
        raise MemoryError

    monkeypatch.setattr(lanes.kernel, "update_streams", broken)
    together = Together(cores=1, width=8)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(together.update, sha1_stream(), memoryview(b"x"))]
        assert entered.wait(20)
        futures += [pool.submit(together.update, sha1_stream(), memoryview(b"x")) for _ in range(3)]
        until(lambda: len(together._waiting) == 3, "all wait")
        go_on.set()
        for future in futures:
            with pytest.raises(MemoryError):
                future.result(20)
    assert together._busy == 0


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many streams are hashed at once, call by call."""
    found: list[int] = []
    monkeypatch.setattr(lanes.kernel, "update_streams", lambda states, _: found.append(len(states)))
    return found


def bring(together: Together) -> None:
    with together.stream():
        together.update(sha1_stream(), memoryview(b"x"))


def test_bytes_wait_for_a_full_set(sets: list[int]) -> None:
    """Streams hashed one by one cost two to three times as much: who can wait for others does."""
    together = Together(cores=2, width=3, patience=NEVER)
    with ThreadPoolExecutor(5) as pool, together.stream(), together.stream(), together.stream():
        futures = [pool.submit(bring, together) for _ in range(2)]
        until(lambda: len(together._waiting) == 2, "two wait")
        assert not sets
        futures.append(pool.submit(bring, together))
        for future in futures:
            future.result(20)
    assert sets == [3]


def test_all_the_streams_there_are_make_a_set(sets: list[int]) -> None:
    """At the end of the content, and of a small object, there are fewer than lanes."""
    together = Together(cores=2, width=4, patience=NEVER)
    bring(together)
    with ThreadPoolExecutor(2) as pool, together.stream():
        first = pool.submit(bring, together)
        until(lambda: len(together._waiting) == 1, "one waits for the second stream")
        together.update(sha1_stream(), memoryview(b"x"))
        first.result(20)
    assert sets == [1, 2]


def test_who_waits_goes_on_when_the_others_leave(sets: list[int]) -> None:
    together = Together(cores=1, width=4, patience=NEVER)
    with ThreadPoolExecutor(1) as pool:
        with together.stream():
            waiting = pool.submit(bring, together)
            until(lambda: len(together._waiting) == 1, "one waits")
        waiting.result(20)
    assert sets == [1]


def test_who_waits_goes_on_where_the_others_do_not_come(sets: list[int]) -> None:
    """Their connections may bring nothing for half a minute."""
    together = Together(cores=1, width=4, patience=0.001)
    with together.stream(), together.stream():
        together.update(sha1_stream(), memoryview(b"x"))
        together.update(sha1_stream(), memoryview(b"x"))
    assert sets == [1, 1]


def test_nothing_keeps_a_buffer_that_was_hashed() -> None:
    """No cycle: a megabyte a stream would wait for the garbage collector."""

    class Buffer(bytearray):
        pass

    gc.disable()
    try:
        buffer = Buffer(b"x" * 64)
        gone = weakref.ref(buffer)
        Together(cores=1, width=4).update(sha1_stream(), memoryview(buffer))
        del buffer
        assert gone() is None
    finally:
        gc.enable()
