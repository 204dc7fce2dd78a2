"""``s3torrent backfill``: torrents for what lies in a bucket already."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3torrent.cli.backfill_sources import source
from s3torrent.cli.backfill_ways import make_here, send, write_manifest
from s3torrent.cli.completing import files
from s3torrent.cli.number import Number
from s3torrent.cli.output import bytes_text, show_json, show_rows
from s3torrent.cli.progress import objects_bar
from s3torrent.cli.uploading import settings
from s3torrent.errors import UsageError
from s3torrent.intake.rules import Rules
from s3torrent.pipeline.backfill import Filter, Tally, wanted
from s3torrent.pipeline.batch_job import BatchJob
from s3torrent.pipeline.lookup import AT_ONCE
from s3torrent.pipeline.marker import Marker
from s3torrent.types import ObjectRef
from s3torrent.wiring import Clients, queue_of, s3_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.cli.backfill_sources import Source
    from s3torrent.pipeline.survey import Found

SIZES = {"": 0, "kib": 10, "mib": 20, "gib": 30, "tib": 40}
MEMORY_MB = 1769
MOMENTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")
TICK_SECONDS = 0.1
"""How often progress is told."""


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
@click.option("--inline", is_flag=True, help="Make the torrents here, one on each core.")
@click.option(
    "--batch-manifest",
    "manifest",
    metavar="FILE",
    shell_complete=files,
    help="Write a job of S3 Batch Operations, and its manifest.",
)
@click.option("--batch-function", "function", metavar="ARN", help="The function that such a job calls.")
@click.option("--batch-role", "role", metavar="ARN", help="The role that such a job has.")
@click.option(
    "--batch-place",
    "batch_place",
    metavar="s3://BUCKET/KEY",
    help="Where its manifest will lie.  [default: among s3torrent's own files in this bucket]",
)
@click.option(
    "--inventory", metavar="s3://BUCKET/KEY", help="The objects of this S3 Inventory (manifest.json)."
)
@click.option(
    "--keys",
    metavar="FILE",
    shell_complete=files,
    help="The objects of this file, a key a line; - is standard input.",
)
@click.option("--include", multiple=True, metavar="PATTERN", help="Only keys like this.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="No keys like this.")
@click.option(
    "--min-size", callback=_size, default="0", metavar="SIZE", help="Only objects of that size or more."
)
@click.option("--max-size", callback=_size, metavar="SIZE", help="Only objects of that size or less.")
@click.option(
    "--since",
    type=click.DateTime(MOMENTS),
    metavar="TIME",
    help="Only objects changed then or later: 2026-11-24, or 2026-11-24T18:00:00 (UTC).",
)
@click.option(
    "--until", type=click.DateTime(MOMENTS), metavar="TIME", help="Only objects changed before that (UTC)."
)
@click.option("--all", "every", is_flag=True, help="Also objects that have a torrent that is newer.")
@click.option("--rate", type=Number(0.1), metavar="N", help="Objects a second into the queue, at most.")
@click.option(
    "--resume", metavar="FILE", shell_complete=files, help="Keep the place in FILE, and go on from it."
)
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON on stdout.")
def backfill(
    *,
    place: str,
    dry: bool,
    queue: str | None,
    inline: bool,
    manifest: str | None,
    inventory: str | None,
    keys: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    rate: float | None,
    resume: str | None,
    as_json: bool,
    **more: Any,
) -> None:
    """Make torrents of all objects below s3://BUCKET/PREFIX that have none, or an older one.

    How, is said by one of --dry-run, --queue, --inline and --batch-manifest; begin with --dry-run. Takes the
    function's settings from the environment. Exit code 1 where a torrent failed, or an object that --keys or
    --inventory names does not exist.
    """
    if dry + bool(queue) + inline + bool(manifest) != 1:
        raise UsageError(
            "expected one of --dry-run, --queue, --inline and --batch-manifest", hint="begin with --dry-run"
        )
    wired, below = settings(), _place(place)
    job = _job(
        manifest, below, wired.control_prefix, resume, **_taken(more, "function", "role", "batch_place")
    )
    clients = Clients(wired.endpoint_url, connections=AT_ONCE + 2, request_payer=wired.request_payer)
    rules = Rules(below.bucket, include or wired.include, (*wired.exclude, *exclude), wired.control_prefix)
    tally, only = Tally(), Filter(since=_utc(since), until=_utc(until), **more)
    failed = 0
    with source(
        s3_store(clients), below, inventory, keys, tally=tally, drops=rules.reason, only=only
    ) as objects:
        marker = Marker.read(resume, below.bucket, below.key, objects.name, _filters(include, exclude, only))
        with objects_bar(str(below), objects.total) as moved:
            found = _watched(objects, marker.after, tally, moved)
            zero_read = wired.policy.version == "v1" and wired.policy.engine == "native"
            chosen = wanted(found, tally, rules.reason, only, zero_read=zero_read)
            if queue:
                send(chosen, queue_of(clients, queue).send, marker, rate)
            elif inline:
                failed = make_here(chosen, wired, marker)
            elif manifest and job:
                write_manifest(chosen, Path(manifest), job, f"s3torrent: torrents of {below}")
            else:
                for _ in chosen:
                    pass
    _show(tally, failed, as_json=as_json)
    if failed or tally.missing:
        raise click.exceptions.Exit(1)


def _filters(include: tuple[str, ...], exclude: tuple[str, ...], only: Filter) -> str:
    """As text, "" where everything is taken."""
    found = {"include": include, "exclude": exclude, **asdict(only)}
    unset = {"include": (), "exclude": (), **asdict(Filter())}
    return ", ".join(f"{name} {value}" for name, value in found.items() if value != unset[name])


def _watched(objects: Source, after: str, tally: Tally, moved: Callable[[int, int], None]) -> Iterator[Found]:
    """What is found, and ``moved`` told of it now and then."""
    told = 0.0
    for one in objects.found(after):
        now = time.monotonic()
        if now - told > TICK_SECONDS:
            told = now
            moved(tally.objects, objects.read)
        yield one
    moved(tally.objects, objects.read)


def _taken(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """Those of that name, which are in ``options`` no more."""
    return {name: options.pop(name) for name in names}


def _job(
    manifest: str | None,
    below: ObjectRef,
    control_prefix: str,
    resume: str | None,
    *,
    function: str | None,
    role: str | None,
    batch_place: str | None,
) -> BatchJob | None:
    """What --batch-manifest is to be of; None without one."""
    if manifest is None:
        if function or role or batch_place:
            raise UsageError("--batch-... without --batch-manifest", hint="add --batch-manifest FILE")
        return None
    if not (function and role):
        raise UsageError(
            "--batch-manifest needs --batch-function and --batch-role",
            hint='--batch-function "$(terraform output -raw function_arn)", and the ARN of the job\'s role',
        )
    if resume:
        raise UsageError("--resume with --batch-manifest: it is written whole", hint="leave out --resume")
    there = ObjectRef(below.bucket, f"{control_prefix}batch/{Path(manifest).name}")
    if batch_place:
        there = _place(batch_place)
        if not there.key or there.key.endswith("/"):
            raise UsageError(f"--batch-place {batch_place} names no object", hint="expected s3://BUCKET/KEY")
    return BatchJob(function, role, there, f"{control_prefix}batch")


def _place(text: str) -> ObjectRef:
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not text.startswith("s3://") or not bucket:
        raise UsageError(f"{text!r} is no place in S3", hint="expected s3://BUCKET or s3://BUCKET/PREFIX")
    return ObjectRef(bucket, prefix)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


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
            *([("Missing", f"{tally.missing:,}")] if tally.missing else []),
            ("Wanted", f"{tally.wanted:,}"),
            ("Content", bytes_text(tally.bytes)),
            *([("Zero read", f"{tally.zero_read:,}: S3 keeps their SHA-1s")] if tally.zero_read else []),
            ("S3 requests", f"about {told['requests']:,}"),
            ("Function", f"about {told['functionMinutes']:,.1f} minutes at {MEMORY_MB:,} MB"),
            ("Cost", f"about ${told['dollars']:,.2f}"),
            *([("Failed", f"{failed:,}")] if failed else []),
        ]
    )
