"""Streams that meet: the bytes several threads have just read are hashed side by side.

One SHA-1 is a chain of dependent steps, so a core that runs several independent ones at once does more work
in the same time (hashing/kernel.py). A piece is one chain; a stream of large pieces offers no second one, but
the other streams do. Nobody waits for a full set: who finds a free core takes all that is there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from s3torrent.hashing import kernel

if TYPE_CHECKING:
    from s3torrent.hashing.kernel import Sha1


class Lanes(Protocol):
    """What a stream gives its bytes to."""

    def update(self, state: Sha1, data: memoryview) -> None:
        """As ``state.update(data)``; returns when it is done."""
        ...


class Alone:
    """Each stream for itself, in its own thread."""

    def update(self, state: Sha1, data: memoryview) -> None:
        state.update(data)


class Together:
    """At most ``cores`` threads hash at a time, each for up to ``width`` streams.

    A thread that comes with bytes while nobody hashes begins at once. While somebody does, it waits for a
    full set, or for the end of that work: then the first of those who wait hashes for them all.
    """

    def __init__(self, cores: int, width: int) -> None:
        self._cores, self._width = cores, width
        self._busy = 0
        self._waiting: list[_Turn] = []
        self._lock = threading.Lock()

    def update(self, state: Sha1, data: memoryview) -> None:
        mine = _Turn(state, data)
        with self._lock:
            self._waiting.append(mine)
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
        full = len(self._waiting) >= self._width and self._busy < self._cores
        if not self._waiting or (self._busy and not full):
            return
        batch, self._waiting = self._waiting[: self._width], self._waiting[self._width :]
        batch[0].batch = batch
        self._busy += 1
        batch[0].called.release()


class _Turn:
    """One stream's bytes, until they are hashed. Its thread waits until it is ``called``: to hash a
    ``batch``, or as others have hashed its bytes.
    """

    __slots__ = ("batch", "called", "data", "error", "state")

    def __init__(self, state: Sha1, data: memoryview) -> None:
        self.state, self.data = state, data
        self.batch: list[_Turn] = []
        self.error: BaseException | None = None
        self.called = threading.Lock()
        self.called.acquire()


ALONE = Alone()


def lanes_for(streams: int, cores: int) -> Lanes:
    """What ``streams`` threads are to share on a machine of so many cores."""
    width = kernel.streams_at_once()
    return Together(cores, width) if width > 1 and streams > 1 else ALONE
