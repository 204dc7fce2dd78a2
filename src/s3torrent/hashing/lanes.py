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

    A thread that comes with bytes and finds a free core hashes them and those of all who wait; one that
    finds none waits, and is most likely served by another.
    """

    def __init__(self, cores: int, width: int) -> None:
        self._free, self._width = cores, width
        self._waiting: list[_Turn] = []
        self._changed = threading.Condition()

    def update(self, state: Sha1, data: memoryview) -> None:
        mine = _Turn(state, data)
        with self._changed:
            self._waiting.append(mine)
            while mine in self._waiting and not self._free:
                self._changed.wait()
            if mine not in self._waiting:
                while not mine.done:
                    self._changed.wait()
                if mine.error:
                    raise mine.error
                return
            self._waiting.remove(mine)
            batch = [mine, *self._waiting[: self._width - 1]]
            del self._waiting[: self._width - 1]
            self._free -= 1
        error: BaseException | None = None
        try:
            kernel.update_streams([turn.state for turn in batch], [turn.data for turn in batch])
        except BaseException as caught:
            error = caught
            raise
        finally:
            with self._changed:
                self._free += 1
                for turn in batch:
                    turn.done, turn.error = True, error
                self._changed.notify_all()


class _Turn:
    """One stream's bytes, until they are hashed."""

    __slots__ = ("data", "done", "error", "state")

    def __init__(self, state: Sha1, data: memoryview) -> None:
        self.state, self.data, self.done = state, data, False
        self.error: BaseException | None = None


ALONE = Alone()


def lanes_for(streams: int, cores: int) -> Lanes:
    """What ``streams`` threads are to share on a machine of so many cores."""
    width = kernel.streams_at_once()
    return Together(cores, width) if width > 1 and streams > 1 else ALONE
