"""``s3torrent redrive``: what failed for good, tried again."""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from s3torrent.cli.output import show_json, visible
from s3torrent.cli.progress import objects_bar
from s3torrent.config import endpoint_url
from s3torrent.errors import S3TorrentError
from s3torrent.intake.parse import parse
from s3torrent.wiring import Clients, dead_letters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3torrent.dead_letters import DeadLetters, Letter


@click.command()
@click.argument("queue", metavar="QUEUE_URL")
@click.option("--dry-run", is_flag=True, help="Say how many there are and show some; move nothing.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="So many at most.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON on stdout (docs/json.md).")
def redrive(*, queue: str, dry_run: bool, limit: int | None, as_json: bool) -> None:
    """Send the dead letters of QUEUE_URL, the function's queue, into it again. Those of other queues
    are left where they are.

    Mend what made them fail first: s3torrent doctor, and s3torrent status --status FAILED.
    """
    letters = dead_letters(Clients(endpoint_url(os.environ)), queue)
    there = letters.count()
    if dry_run:
        _tell(letters, letters.look()[:limit], there, dry_run=True, as_json=as_json)
        return
    try:
        # What fails again comes back: no more than were there at the beginning.
        most = min(there, limit or there)
        with objects_bar("redrive", there) as told, closing(letters.moved(most)) as batches:
            for _ in batches:
                told(len(letters.sent), len(letters.sent))
    finally:  # also of one that was interrupted
        _tell(letters, letters.sent, there, dry_run=False, as_json=as_json)


def _tell(letters: DeadLetters, shown: Sequence[Letter], there: int, *, dry_run: bool, as_json: bool) -> None:
    moved = len(letters.sent)
    named = [(letter, _objects(letter)) for letter in shown]
    if as_json:
        told = {"deadLetterQueue": letters.url, "there": there, "moved": moved, "others": letters.others}
        unknown = sum(not names for _, names in named)
        show_json({**told, "unknown": unknown, "objects": [name for _, names in named for name in names]})
        return
    for letter, names in named:
        since = datetime.fromtimestamp(letter.sent / 1000, UTC)
        for name in names or ["a message of no known kind"]:
            click.echo(visible(f"{name} (sent {since:%Y-%m-%d %H:%M:%S} UTC)"))
    click.echo(f"{there:,} there" if dry_run else f"{moved:,} of {there:,} sent again")
    if letters.others:
        place = "where it is" if letters.others == 1 else "where they are"
        click.echo(f"{letters.others:,} of another queue, left {place}")


def _objects(letter: Letter) -> list[str]:
    """What it is about."""
    try:
        parcels = parse(json.loads(letter.body)).parcels
    except (S3TorrentError, ValueError):
        return []
    refs = [request.ref for parcel in parcels for request in parcel.requests]
    refs += [dropped.ref for parcel in parcels for dropped in parcel.dropped if dropped.ref]
    return list(map(str, dict.fromkeys(refs)))
