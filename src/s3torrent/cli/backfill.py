"""``s3torrent backfill``: torrents for what lies in a bucket already."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3torrent.cli.output import bytes_text, show_json, show_rows, visible
from s3torrent.cli.uploading import settings
from s3torrent.errors import S3TorrentError, UsageError
from s3torrent.intake.rules import Rules
from s3torrent.pipeline.backfill import Filter, Tally, wanted
from s3torrent.pipeline.survey import survey
from s3torrent.types import ObjectRef, TorrentRequest
from s3torrent.wiring import Clients, maker, queue_of, s3_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.config import Settings

BATCH, PAGE = 10, 1000
"""Objects sent in one request, and after how many the marker is written."""
SIZES = {"": 0, "kib": 10, "mib": 20, "gib": 30, "tib": 40}
MEMORY_MB = 1769


@dataclass
class Marker:
    """Where a backfill is, in a file: interrupted, it goes on from there."""

    path: Path | None
    bucket: str
    prefix: str
    after: str = ""
    _sent: int = field(default=0, repr=False)

    @classmethod
    def read(cls, path: str | None, bucket: str, prefix: str) -> Marker:
        marker = cls(Path(path) if path else None, bucket, prefix)
        if marker.path is None or not marker.path.exists():
            return marker
        try:
            told = json.loads(marker.path.read_text(encoding="utf-8"))
            place, after = (told["bucket"], told["prefix"]), str(told["after"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"--resume {path} is no marker of a backfill: {error}", hint="remove it, or name another"
            ) from None
        if place != (bucket, prefix):
            raise UsageError(
                f"--resume {path} is of s3://{place[0]}/{place[1]}, not of s3://{bucket}/{prefix}",
                hint="name another file",
            )
        marker.after = after
        return marker

    def moved(self, after: str, count: int) -> None:
        """All up to ``after`` is done; written down each PAGE objects."""
        self.after = after
        self._sent += count
        if self._sent >= PAGE:
            self.write()

    def write(self) -> None:
        """Whole or not at all."""
        self._sent = 0
        if self.path is None:
            return
        told = {"bucket": self.bucket, "prefix": self.prefix, "after": self.after}
        beside = self.path.with_name(self.path.name + ".part")
        beside.write_text(json.dumps(told) + "\n", encoding="utf-8")
        beside.replace(self.path)


def _size(_context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Bytes, of a number with or without a unit."""
    if value is None:
        return None
    text = value.strip().lower()
    unit = next((unit for unit in SIZES if unit and text.endswith(unit)), "")
    number = text.removesuffix(unit).strip()
    if not (number.isdecimal() and number.isascii() and len(number) < 19):
        raise UsageError(
            f"{option.opts[0]} {value!r} is no size", hint="expected a number of bytes, KiB, MiB, GiB or TiB"
        )
    return int(number) << SIZES[unit]


@click.command()
@click.argument("place", metavar="s3://BUCKET/PREFIX")
@click.option("--dry-run", "dry", is_flag=True, help="Count what it takes, and do nothing.")
@click.option("--queue", "queue", metavar="URL", help="Into this SQS queue, the function's own.")
@click.option("--inline", is_flag=True, help="Make the torrents here, one object after the other.")
@click.option("--include", multiple=True, metavar="PATTERN", help="Only keys like this.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="No keys like this.")
@click.option(
    "--min-size", callback=_size, default="0", metavar="SIZE", help="Only objects of that size or more."
)
@click.option("--max-size", callback=_size, metavar="SIZE", help="Only objects of that size or less.")
@click.option("--since", type=click.DateTime(), help="Only objects changed then or later (UTC).")
@click.option("--until", type=click.DateTime(), help="Only objects changed before that (UTC).")
@click.option("--all", "every", is_flag=True, help="Also objects that have a torrent that is newer.")
@click.option("--rate", type=click.FloatRange(0.1), help="Objects a second into the queue, at most.")
@click.option("--resume", metavar="FILE", help="Keep the place in FILE, and go on from it.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON on stdout.")
def backfill(
    *,
    place: str,
    dry: bool,
    queue: str | None,
    inline: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    rate: float | None,
    resume: str | None,
    as_json: bool,
    **sizes: Any,
) -> None:
    """Torrents for all objects below s3://BUCKET/PREFIX that have none, or an older one."""
    if dry + bool(queue) + inline != 1:
        raise UsageError("expected one of --dry-run, --queue and --inline", hint="begin with --dry-run")
    wired = settings()
    bucket, prefix = _place(place)
    marker = Marker.read(resume, bucket, prefix)
    clients = Clients(wired.endpoint_url, request_payer=wired.request_payer)
    lister, tally = s3_store(clients), Tally()
    rules = Rules(bucket, include or wired.include, (*wired.exclude, *exclude), wired.control_prefix)
    only = Filter(since=_utc(since), until=_utc(until), **sizes)
    listed = lister.list_objects(bucket, prefix, after=marker.after)
    chosen = wanted(survey(listed, marker.after), tally, rules.reason, only)
    failed = 0
    if dry:
        for _ in chosen:
            pass
    elif queue:
        send = queue_of(clients, queue).send
        with _kept(marker):
            for batch in _batches(chosen, rate):
                send([version.ref for version, _ in batch])
                marker.moved(batch[-1][1], len(batch))
    else:
        make = _made_here(wired)
        with _kept(marker):
            for version, after in chosen:
                failed += make(version.ref)
                marker.moved(after, 1)
    _show(tally, failed, as_json=as_json)
    if failed:
        raise click.exceptions.Exit(1)


def _place(text: str) -> tuple[str, str]:
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not text.startswith("s3://") or not bucket:
        raise UsageError(f"{text!r} is no place in S3", hint="expected s3://BUCKET or s3://BUCKET/PREFIX")
    return bucket, prefix


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


@contextmanager
def _kept(marker: Marker) -> Iterator[None]:
    """However it ends, the place is written down."""
    try:
        yield
    finally:
        marker.write()


def _batches(chosen: Iterator[Any], rate: float | None) -> Iterator[list[Any]]:
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


def _made_here(wired: Settings) -> Callable[[ObjectRef], bool]:
    """Makes one torrent, and says whether that failed."""
    made = maker(wired)

    def make(ref: ObjectRef) -> bool:
        try:
            made.make(TorrentRequest(ref))
        except S3TorrentError as error:
            click.echo(visible(f"{ref}: {error.message}"), err=True)
            return True
        return False

    return make


def _show(tally: Tally, failed: int, *, as_json: bool) -> None:
    told = {**tally.as_dict(MEMORY_MB), "failed": failed}
    if as_json:
        show_json(told)
        return
    show_rows(
        [
            ("Objects", f"{tally.objects:,}"),
            ("Done", f"{tally.done:,}"),
            ("Left out", f"{tally.left_out:,}"),
            ("Wanted", f"{tally.wanted:,}"),
            ("Content", bytes_text(tally.bytes)),
            ("S3 requests", f"about {told['requests']:,}"),
            ("Function", f"about {told['functionMinutes']:,.1f} minutes at {MEMORY_MB:,} MB"),
            ("Cost", f"about ${told['dollars']:,.2f}"),
            *([("Failed", f"{failed:,}")] if failed else []),
        ]
    )
