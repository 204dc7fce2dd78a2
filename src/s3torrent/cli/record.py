"""``s3torrent record``: standard input into a bucket, and its torrent beside it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from s3torrent.cli.output import visible
from s3torrent.cli.progress import progress_bar
from s3torrent.cli.uploading import destination, force_option, json_option, show
from s3torrent.errors import PieceLengthError, UsageError
from s3torrent.metainfo.piece_length import describe, parse_piece_length
from s3torrent.pipeline.content import name_of
from s3torrent.pipeline.journal import Journal, NoJournal
from s3torrent.pipeline.parts import SMALLEST_PART
from s3torrent.pipeline.record import record as record_stream
from s3torrent.recorder_config import recorder_from_environment
from s3torrent.status.base import RECORDING
from s3torrent.wiring import uploader as uploader_of

if TYPE_CHECKING:
    from s3torrent.pipeline.upload import Uploader
    from s3torrent.recorder_config import RecorderSettings
    from s3torrent.types import ObjectRef


@click.command()
@click.argument("target", metavar="s3://BUCKET/KEY")
@click.option(
    "--part-size",
    default="8MiB",
    show_default=True,
    metavar="SIZE",
    help="Smallest part, a power of two up to 128MiB: for recordings past 187 GiB.",
)
@force_option
@json_option
def record(*, target: str, part_size: str, force: bool, as_json: bool) -> None:
    """Upload standard input as it comes, and publish its torrent when it ends.

    At the end of input, at SIGTERM or Ctrl-C, what came is the object. TRACKERS and TORRENT_* variables say
    how the torrent is made; DDB_TABLE names the table that is told, with JOB_ID every minute how far it came.
    """
    ref = destination(target)
    name_of(ref)
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("standard input is a terminal or closed", hint="pipe the recording into it")
    settings = recorder_from_environment({**os.environ, "S3_BUCKET": ref.bucket})
    uploader = replace(uploader_of(settings.settings), smallest_part=_part_size(part_size))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _journal(settings, uploader, ref) as journal, progress_bar(name_of(ref), None) as bar:

        def progress(done: int, phase: str = RECORDING, /) -> None:
            journal.progress(done, phase)
            bar(done)

        stream = os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
        outcome = record_stream(uploader, stream, ref, force=force, progress=progress, stop=stop)
        journal.completed(outcome.attributes)
    show(outcome, int(outcome.attributes["bytesHashed"]), json=as_json)


def _part_size(text: str) -> int:
    try:
        size = parse_piece_length(text)
    except PieceLengthError:
        size = 0
    if size < SMALLEST_PART:
        raise UsageError(
            f"--part-size {text!r}; expected a power of two from {describe(SMALLEST_PART)} to 128 MiB"
        )
    return size


def _journal(settings: RecorderSettings, uploader: Uploader, ref: ObjectRef) -> Journal | NoJournal:
    if not (settings.job_id and uploader.status):
        return NoJournal()
    return Journal(
        uploader.status,
        settings.job_id,
        owner=uploader.owner,
        attributes={"bucket": ref.bucket, "key": ref.key},
        tell=_tell,
        interval=settings.heartbeat_seconds,
        ttl_seconds=settings.ttl_seconds,
    )


def _tell(level: int, event: str, /, **fields: object) -> None:
    """What the heartbeat has to say, for people."""
    if level >= logging.WARNING:
        click.echo(visible(f"{event}: {fields.get('message', '')}"), err=True)
