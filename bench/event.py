"""From the upload to the torrent beside it, on the embedded stack, warm."""

from __future__ import annotations

import contextlib
import http.client
import sys
import time
from typing import TYPE_CHECKING, Any

from peers import DOWNLOAD_NAME, download_then_create
from row import Row
from s3torrent.devstack.ministack import HOST
from s3torrent.devstack.session import DevSession, dev_session
from scratch import in_words, scratch, write_content
from timing import Times, interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
PEER_BUCKET = "bench-peer"
"""Without notifications: the peer's upload must not wake the function."""
POLL_SECONDS = 0.005
SETTLE_SECONDS = 0.3
"""Before each measurement: the event of the last .torrent is dropped meanwhile, as on a quiet bucket."""
LIMIT_SECONDS = 60
LOG_END = 3000
WARM_UPS = 5
PEER_NAME = f"{DOWNLOAD_NAME}, then upload"


def measure(large: int) -> Iterator[Row]:
    """On the stack of ``s3torrent dev``, whose bucket has no versions: MiniStack reads no range of one."""
    with scratch(4 * large) as folder, dev_session(0, versioned=False) as session:
        session.clients.client("s3").create_bucket(Bucket=PEER_BUCKET)
        watch = Watch(session)
        small = write_content(folder / "small", MIB)
        for _ in range(WARM_UPS):
            watch.upload(small)
            time.sleep(SETTLE_SECONDS)
        yield from _rows(watch, small, repetitions=15, at_most=0.25)
        yield from _rows(watch, write_content(folder / "large", large), repetitions=5, at_most=0.5)


def _rows(watch: Watch, content: Path, *, repetitions: int, at_most: float) -> Iterator[Row]:
    """The peer, second in the first round, downloads what our last upload has left."""
    folder, uploads = content.parent, Times()

    def ours() -> float:
        watch.forget()
        time.sleep(SETTLE_SECONDS)
        uploading, waiting = watch.upload(content)
        uploads.append(uploading)
        return waiting

    def peer() -> float:
        time.sleep(SETTLE_SECONDS)
        return download_then_create(watch.s3, watch.bucket, watch.key, folder, upload_to=PEER_BUCKET)

    what = f"event {in_words(content.stat().st_size)}"
    try:
        times = interleaved(repetitions, {"ours": ours, "peer": peer})
    except TimeoutError as error:
        sys.stderr.write(f"{error}\n")
        yield Row(what, f"no torrent in {LIMIT_SECONDS} s", "", "", f"at most {at_most}", met=False)
        return
    finally:
        watch.forget()
    yield Row.of_times(
        f"{what}: upload returns -> torrent visible", times["ours"], PEER_NAME, times["peer"], at_most
    )
    both = Times(map(sum, zip(uploads, times["ours"], strict=True)))
    yield Row(f"{what}: upload starts -> torrent visible", str(both), "", "", "", None)


class Watch:
    """Uploads to the function's bucket and looks for the torrent."""

    def __init__(self, session: DevSession) -> None:
        self.s3: Any = session.clients.client("s3")
        self.bucket, self.key = session.deployment.names.bucket, ""
        self._stack = session.stack
        self._count = 0

    def upload(self, content: Path) -> tuple[float, float]:
        """Seconds of the upload (multipart from 8 MiB on), and from its return to the torrent."""
        self._count += 1
        self.key = f"object-{self._count}.bin"
        started = time.perf_counter()
        self.s3.upload_file(str(content), self.bucket, self.key)
        returned = time.perf_counter()
        self._wait(returned)
        return returned - started, time.perf_counter() - returned

    def forget(self) -> None:
        """Delete the last object: MiniStack holds it in memory."""
        self.s3.delete_object(Bucket=self.bucket, Key=self.key)

    def _wait(self, since: float) -> None:
        """HEAD until the torrent is there; by http.client, as a boto3 call costs ten times the CPU time."""
        path = f"/{self.bucket}/{self.key}.torrent"
        with contextlib.closing(http.client.HTTPConnection(HOST, self._stack.port, timeout=60)) as connection:
            while True:
                connection.request("HEAD", path)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    return
                if time.perf_counter() - since > LIMIT_SECONDS:
                    raise TimeoutError(f"no {path} in {LIMIT_SECONDS} s; the log:\n{self._stack.log[-3000:]}")
                time.sleep(POLL_SECONDS)
