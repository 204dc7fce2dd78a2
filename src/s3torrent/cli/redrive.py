"""``s3torrent redrive``: what failed for good, tried again."""

from __future__ import annotations

import json
import os
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
    from s3torrent.dead_letters import Letter


@click.command()
@click.argument("queue", metavar="QUEUE_URL")
@click.option("--dry-run", is_flag=True, help="Say how many there are and show some; move nothing.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="So many at most.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON on stdout (docs/json.md).")
def redrive(*, queue: str, dry_run: bool, limit: int | None, as_json: bool) -> None:
    """Send the dead letters of QUEUE_URL, the function's queue, into it again.

    Mend what made them fail first: s3torrent doctor, and s3torrent status --status FAILED.
    """
    letters = dead_letters(Clients(endpoint_url(os.environ)), queue)
    there = letters.count()
    if dry_run:
        shown, moved = letters.look()[:limit], 0
    else:
        shown, moved = [], 0
        with objects_bar("redrive", there) as told:
            # What fails again comes back: no more than were there at the beginning.
            for batch in letters.moved(min(there, limit or there)):
                shown += batch
                moved += len(batch)
                told(moved, moved)
    if as_json:
        objects = [one for letter in shown for one in _objects(letter)]
        show_json({"deadLetterQueue": letters.url, "there": there, "moved": moved, "objects": objects})
        return
    for letter in shown:
        since = datetime.fromtimestamp(letter.sent / 1000, UTC)
        for name in _objects(letter) or ["a message of no known kind"]:
            click.echo(visible(f"{name} (sent {since:%Y-%m-%d %H:%M:%S} UTC)"))
    click.echo(f"{there:,} there" if dry_run else f"{moved:,} of {there:,} sent again")


def _objects(letter: Letter) -> list[str]:
    """What it is about."""
    try:
        parcels = parse(json.loads(letter.body)).parcels
    except (S3TorrentError, ValueError):
        return []
    refs = [request.ref for parcel in parcels for request in parcel.requests]
    refs += [dropped.ref for parcel in parcels for dropped in parcel.dropped if dropped.ref]
    return list(map(str, dict.fromkeys(refs)))
