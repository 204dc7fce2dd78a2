"""Streams that meet: the bytes several threads have just read are hashed side by side.

One SHA-1 is a chain of dependent steps, so a core that runs several independent ones at once does more work
in the same time (hashing/kernel.py). A piece is one chain; a stream of large pieces offers no second one, but
the other streams do.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from s3torrent.hashing import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from s3torrent.hashing.kernel import Sha1

PATIENCE_SECONDS = 0.004
"""How long bytes wait for those of other streams: about as long as the hashing of a set takes, and a
connection's own buffer takes in what comes meanwhile.
"""


class Lanes(Protocol):
    """What streams give their bytes to."""

    def stream(self) -> AbstractContextManager[None]:
        """Around all of a stream's updates: who is here may bring bytes."""
        ...

    def update(self, state: Sha1, data: memoryview) -> None:
        """As ``state.update(data)``; returns when it is done."""
        ...


class Alone:
    """Each stream for itself, in its own thread."""

    def stream(self) -> AbstractContextManager[None]:
        return nullcontext()

    def update(self, state: Sha1, data: memoryview) -> None:
        state.update(data)


class Together:
    """At most ``cores`` threads hash at a time, each for up to ``width`` streams.

    A thread with bytes waits for a full set: ``width``, or all streams there are. Where the others do not
    come, as their connections bring nothing, it goes on with those who have.
    """

    def __init__(self, cores: int, width: int, patience: float = PATIENCE_SECONDS) -> None:
        self._cores, self._width, self._patience = cores, width, patience
        self._busy = self._streams = 0
        self._waiting: list[_Turn] = []
        self._lock = threading.Lock()

    @contextmanager
    def stream(self) -> Iterator[None]:
        with self._lock:
            self._streams += 1
        try:
            yield
        finally:
            with self._lock:
                self._streams -= 1
                self._begin()

    def update(self, state: Sha1, data: memoryview) -> None:
        mine = _Turn(state, data)
        with self._lock:
            self._waiting.append(mine)
            self._begin()
        if not mine.called.acquire(timeout=self._patience):
            with self._lock:
                mine.patient = False
                self._begin()
            mine.called.acquire()
        if mine.error:
            raise mine.error
        if not mine.batch:
            return
        batch, mine.batch = mine.batch, []  # it holds itself, and with it a buffer
        error: BaseException | None = None
        try:
            kernel.update_streams([turn.state for turn in batch], [turn.data for turn in batch])
        except BaseException as caught:
            error = caught
            raise
        finally:
            with self._lock:
                self._busy -= 1
                self._begin()
            for turn in batch[1:]:
                turn.error = error
                turn.called.release()

    def _begin(self) -> None:
        """Call the thread that is to hash next, if one is."""
        free = self._waiting and self._busy < self._cores
        if not free or (len(self._waiting) < self._full() and self._waiting[0].patient):
            return
        batch, self._waiting = self._waiting[: self._width], self._waiting[self._width :]
        batch[0].batch = batch
        self._busy += 1
        batch[0].called.release()

    def _full(self) -> int:
        """Streams whose bytes are worth beginning with: all that can come, or as many as there are lanes."""
        return min(self._width, self._streams)


class _Turn:
    """One stream's bytes, until they are hashed. Its thread waits until it is ``called``: to hash a
    ``batch``, or as others have hashed its bytes.
    """

    __slots__ = ("batch", "called", "data", "error", "patient", "state")

    def __init__(self, state: Sha1, data: memoryview) -> None:
        self.state, self.data = state, data
        self.batch: list[_Turn] = []
        self.error: BaseException | None = None
        self.patient = True
        self.called = threading.Lock()
        self.called.acquire()


ALONE = Alone()


def lanes_for(streams: int, cores: int) -> Lanes:
    """What ``streams`` threads are to share on a machine of so many cores."""
    width = kernel.streams_at_once()
    return Together(cores, width) if width > 1 and streams > 1 else ALONE
