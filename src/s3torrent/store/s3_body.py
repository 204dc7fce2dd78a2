"""One HTTP body, read into one buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from s3torrent.errors import ReadInterrupted
from s3torrent.store.s3_errors import BROKEN

if TYPE_CHECKING:
    from collections.abc import Generator

    from botocore.response import StreamingBody


def body_chunks(body: StreamingBody, skip: int, count: int, buffer: memoryview) -> Generator[memoryview]:
    """Yield ``count`` bytes after the first ``skip``, each chunk a view of ``buffer``, good until the next.

    Raises ReadInterrupted where the connection breaks or the body is short. Given up early or broken, the
    connection is closed; read to its end, it goes back to the pool.
    """
    source = _socket_reader(body)
    wanted = skip + count
    got = 0
    try:
        while got < wanted:
            limit = min(len(buffer), (skip if got < skip else wanted) - got)
            try:
                length = source.readinto(buffer[:limit])
            except (BotoCoreError, *BROKEN) as error:
                raise ReadInterrupted(f"the connection broke: {error or type(error).__name__}") from error
            if not length:
                raise ReadInterrupted(f"the body ended {wanted - got} bytes early")
            got += length
            if got > skip:
                yield buffer[:length]
    finally:
        _release(body, source)


def _socket_reader(body: Any) -> Any:
    """The http.client response below botocore's and urllib3's wrappers, where it can be had.

    Their ``readinto`` reads into a new buffer and copies; with SHA-1 behind it, the direct way takes a
    quarter less CPU time (1.06 -> 0.80 s/GB over loopback) as the one buffer stays in the cache.
    """
    below = getattr(getattr(body, "_raw_stream", None), "_fp", None)
    return below if hasattr(below, "readinto") and hasattr(below, "isclosed") else body


def _release(body: Any, source: Any) -> None:
    if source is not body and source.isclosed():  # http.client closes a response that was read to its end
        body._raw_stream.release_conn()  # noqa: SLF001 (urllib3's own public method; botocore has no door to it)
    else:
        body.close()
