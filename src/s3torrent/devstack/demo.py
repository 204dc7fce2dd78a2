"""The main job from end to end, on this machine alone: what ``make demo`` runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from s3torrent.devstack.board import Board, Upload
from s3torrent.devstack.recheck import recheck, require_libtorrent
from s3torrent.devstack.session import DevSession, dev_session, terminated_like_interrupted
from s3torrent.errors import S3TorrentError, StackError
from s3torrent.status.base import COMPLETED, SKIPPED
from s3torrent.types import ObjectRef
from s3torrent.wiring import status_store

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 55
HARD_KEY = "shows/é+ü & 100%.bin"
INTERRUPTED = 130


def demo(console: Console) -> None:
    """Raises S3TorrentError where anything is not as it should be."""
    started = time.monotonic()
    require_libtorrent()
    _say(console, "s3torrent: what lands in the bucket gets its .torrent beside it. No account, no Docker.")
    with dev_session() as session:
        names = session.deployment.names
        took = time.monotonic() - started
        _say(
            console,
            f"MiniStack is up on {session.stack.endpoint} with bucket, queue, table, function: {took:.1f} s.",
        )
        _say(console, f"\nUploading to s3://{names.bucket}:")
        board = Board(status_store(session.clients, names.table).get, console)
        with board.shown():
            first = _upload(session, "hello.txt", b"Hello, BitTorrent!\n")
            hard = _upload(session, HARD_KEY, _content(3_000_000))
            empty = _upload(session, "empty.txt", b"", expected=SKIPPED)
            big = _upload(session, "recording.ts", _content(64 << 20))
            board.uploads += [first, hard, empty, big]
            _follow(session, board)
            again = b"Hello again, BitTorrent!\n"
            board.uploads.append(_upload(session, "hello.txt", again, label="hello.txt (second version)"))
            _follow(session, board)
        _say(console, "\nMagnet links:")
        for upload in board.uploads:
            if upload.item and upload.status == COMPLETED:
                _say(console, f"  {upload.item.get('magnet')}")
        pieces = _check_download(session, hard.ref)
        _say(
            console,
            f"\nDownloaded {hard.ref}.torrent and its object: libtorrent finds all {pieces} pieces good.",
        )
    _say(console, f"Stopped; nothing remains. {time.monotonic() - started:.1f} s in all.")
    program = os.path.relpath(Path(sys.executable).with_name("s3torrent"))
    _say(console, f"To keep such a stack up and use it with the AWS CLI: {program} dev")


def _say(console: Console, text: str) -> None:
    """A line as it is: keys are no markup, links are not broken."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _content(size: int) -> bytes:
    """The same at every run, so that the info-hashes are, too."""
    return hashlib.shake_128(b"s3torrent demo").digest(size)


def _upload(
    session: DevSession, key: str, body: bytes, *, label: str | None = None, expected: str = COMPLETED
) -> Upload:
    bucket = session.deployment.names.bucket
    answer = session.clients.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    ref = ObjectRef(bucket, key)
    return Upload(ref, label or key, len(body), answer["VersionId"], datetime.now(UTC), expected)


def _follow(session: DevSession, board: Board) -> None:
    while True:
        board.poll()
        if board.done:
            return
        session.stack.check()
        time.sleep(0.1)


def _check_download(session: DevSession, ref: ObjectRef) -> int:
    s3 = session.clients.client("s3")

    def body(of: ObjectRef) -> bytes:
        content: bytes = s3.get_object(Bucket=of.bucket, Key=of.key)["Body"].read()
        return content

    with tempfile.TemporaryDirectory(prefix="s3torrent-demo-") as folder:
        (Path(folder) / PurePosixPath(ref.key).name).write_bytes(body(ref))
        return recheck(body(ref.torrent), Path(folder))


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """The whole block, blocking calls included, ends in ``seconds`` or raises StackError."""

    def ring(*_: object) -> NoReturn:
        raise StackError(
            f"the demo did not finish within {seconds} s", hint="run it again on a less busy machine"
        )

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    try:
        with terminated_like_interrupted(), _time_limit(SECONDS):
            demo(Console())
    except S3TorrentError as error:
        sys.stderr.write(f"demo: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"      {error.hint}\n")
        return error.exit_code
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return StackError.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("demo: interrupted; everything is stopped\n")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
