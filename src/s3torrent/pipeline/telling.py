"""What is known of an object when its try fails, handed on with the error, whatever that is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from s3torrent.errors import S3TorrentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_KNOWN = "s3torrent_known"


@contextmanager
def telling(known: Callable[[Exception], dict[str, Any]]) -> Iterator[None]:
    """An error that passes takes along what is ``known`` by then, under the names of the status item. What
    others have told stays; None is not told.
    """
    try:
        yield
    except Exception as error:
        new = {name: value for name, value in known(error).items() if value is not None}
        setattr(error, _KNOWN, new | told(error))
        raise


def told(error: BaseException) -> dict[str, Any]:
    """What it took along."""
    return dict(getattr(error, _KNOWN, {}))


@contextmanager
def noted(error: Exception) -> Iterator[None]:
    """A status table that cannot be written must not hide the first error."""
    try:
        yield
    except S3TorrentError as second:
        error.add_note(f"and the status could not be written: {second}")


class Phases:
    """How long hashing took, and then all until the torrent was published, so far; and the bytes read."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._started, self._hashed = monotonic(), 0.0
        self._read: int | None = None

    def hashed(self, bytes_read: int) -> None:
        self._hashed, self._read = self._monotonic(), bytes_read

    def as_dict(self) -> dict[str, int]:
        """``hashMs``, and once all is hashed ``publishMs``."""
        now = self._monotonic()
        if self._read is None:
            return {"hashMs": _milliseconds(now - self._started)}
        return {
            "hashMs": _milliseconds(self._hashed - self._started),
            "publishMs": _milliseconds(now - self._hashed),
        }

    def telling(self) -> AbstractContextManager[None]:
        """An error takes them along. While it was hashed, the engine tells how much was read."""

        def known(error: Exception) -> dict[str, Any]:
            read = getattr(error, "bytes_read", None) if self._read is None else self._read
            return {**self.as_dict(), "bytesRead": read}

        return telling(known)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
