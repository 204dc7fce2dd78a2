"""What a backfill does with the objects it has chosen: into the queue, made here, or into a manifest."""

from __future__ import annotations

import json
import os
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import click

from s3torrent.cli.output import visible
from s3torrent.errors import HeldByAnother, OutputExists, S3TorrentError, UsageError
from s3torrent.pipeline.batch_job import Manifest
from s3torrent.pipeline.in_order import in_order
from s3torrent.types import TorrentRequest
from s3torrent.wiring import clock, maker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from s3torrent.config import Settings
    from s3torrent.pipeline.batch_job import BatchJob
    from s3torrent.pipeline.make import Maker
    from s3torrent.pipeline.marker import Marker
    from s3torrent.types import ObjectRef, ObjectVersion

    Chosen: TypeAlias = Iterable[tuple[ObjectVersion, str]]
    """Objects, each with the marker behind it."""

BATCH = 10
"""Objects sent in one request."""
AT_ONCE = os.cpu_count() or 1
"""Torrents that are made here at the same time."""
MOST_AHEAD = 1000
"""Objects that may be done behind one that is not: they are looked at again after an interruption."""
WAITS = 3


def send(
    chosen: Chosen, queue: Callable[[Sequence[ObjectRef]], object], marker: Marker, rate: float | None
) -> None:
    """BATCH at a time to ``queue``, no faster than ``rate`` objects a second."""
    with _kept(marker):
        for batch in _batches(chosen, rate):
            queue([version.ref for version, _ in batch])
            marker.moved(batch[-1][1], len(batch))


def make_here(chosen: Chosen, wired: Settings, marker: Marker) -> int:
    """As many at once as there are cores; how many failed, each of which is told on stderr.

    The marker only moves behind an object when all before it are done, so it stays before the first that
    failed. An interrupt waits for nothing.
    """
    workshop, failed = Workshop(wired), 0
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="make")
    try:
        with _kept(marker):
            for (version, after), wrong in in_order(pool, workshop.make, chosen, MOST_AHEAD):
                if wrong:
                    failed += 1
                    click.echo(visible(f"{version.ref}: {wrong}"), err=True)
                if not failed:
                    marker.moved(after, 1)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return failed


class Workshop:
    """A maker for each torrent in work, with connections and leases of its own. Threads may share it."""

    def __init__(self, wired: Settings) -> None:
        self._wired = wired
        self._free: SimpleQueue[Maker] = SimpleQueue()
        self._free.put(maker(wired))  # settings that lack something are told of at once

    def make(self, chosen: tuple[ObjectVersion, str]) -> str:
        """What went wrong, "" where nothing did."""
        try:
            made = self._free.get_nowait()
        except Empty:
            made = maker(self._wired)
        try:
            _make(made, TorrentRequest(chosen[0].ref))
        except S3TorrentError as error:
            return error.message
        finally:
            self._free.put(made)
        return ""


def _make(made: Maker, request: TorrentRequest) -> None:
    """An object that another holds may be one of our own, from before an interruption: its lease is waited
    for, WAITS times.
    """
    for _ in range(WAITS):
        try:
            made.make(request)
        except HeldByAnother as error:
            if error.until is None:
                raise
            time.sleep(max((error.until - clock()).total_seconds(), 0.0) + 1)
        else:
            return
    made.make(request)


def write_manifest(chosen: Chosen, path: Path, job: BatchJob, described: str) -> None:
    """``path`` and, beside it, ``path``.job.json: both whole, or none where nothing is wanted.

    Raises OutputExists, and UsageError where they cannot be written.
    """
    definition = path.with_name(f"{path.name}.job.json")
    for one in (path, definition):
        if one.exists():
            raise OutputExists(f"{one} is there already", hint="name another file, or remove it")
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as stream:
            manifest = Manifest(stream)
            for version, _ in chosen:
                manifest.add(version.ref)
        if not manifest.count:
            click.echo("nothing is wanted: no manifest was written", err=True)
            return
        told = f"{described}: {manifest.count:,} objects"
        definition.write_text(json.dumps(job.definition(manifest, told), indent=2) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise UsageError(
            f"--batch-manifest {path} cannot be written: {error.strerror}", hint="name a file that can"
        ) from None
    finally:
        beside.unlink(missing_ok=True)
    for line in next_steps(path, definition, job, manifest):
        click.echo(visible(line), err=True)


def next_steps(path: Path, definition: Path, job: BatchJob, manifest: Manifest) -> list[str]:
    """The commands that upload the manifest under the ETag that the job names, and start the job."""
    bucket, key = (shlex.quote(one) for one in (job.place.bucket, job.place.key))
    body = shlex.quote(str(path))
    if manifest.is_whole:  # `aws s3 cp` would send more than 8 MB in parts, which have another ETag
        upload = [f"aws s3api put-object --bucket {bucket} --key {key} --body {body}"]
    else:
        upload = [
            "aws configure set default.s3.multipart_chunksize 64MB",
            f"aws s3 cp {body} {shlex.quote(str(job.place))}",
        ]
    start = f"aws s3control create-job --cli-input-json {shlex.quote(f'file://{definition}')}"
    return ["next:", *(f"  {line}" for line in (*upload, start))]


@contextmanager
def _kept(marker: Marker) -> Iterator[None]:
    """However it ends, the place is written down."""
    try:
        yield
    finally:
        marker.write()


def _batches(chosen: Chosen, rate: float | None) -> Iterator[list[Any]]:
    """BATCH at a time, no faster than ``rate``."""
    begun, sent = time.monotonic(), 0
    batch: list[Any] = []
    for one in chosen:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            sent += len(batch)
            batch = []
            if rate:
                time.sleep(max(begun + sent / rate - time.monotonic(), 0))
    if batch:
        yield batch
