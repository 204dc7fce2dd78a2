"""``s3torrent catalog``: a page, a feed and JSON of the torrents of a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3torrent.catalog_config import checked_files, checked_url
from s3torrent.catalog_wiring import publisher
from s3torrent.cli.locations import locate
from s3torrent.cli.main import say
from s3torrent.cli.output import bytes_text, show_json, show_rows
from s3torrent.cli.progress import objects_bar
from s3torrent.cli.uploading import settings
from s3torrent.errors import UsageError, WriteConflict
from s3torrent.intake.rules import Rules
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.catalog.change import Summary


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option(
                "--title",
                default="",
                metavar="TEXT",
                help="Heading of the page.  [default: the bucket's name]",
            ),
            click.option(
                "--url", default="", metavar="URL", help="Where it will be found; the feed needs it."
            ),
            click.option(
                "--files",
                default="",
                metavar="TEMPLATE",
                help="Where the bucket's objects are found, such as https://cdn.example.org/{key}.",
            ),
            click.option(
                "--private",
                is_flag=True,
                help="List private torrents, too, or all where TORRENT_PRIVATE is set.",
            ),
            click.option("--force", is_flag=True, help="Replace files that s3torrent did not write."),
            click.option("--json", "as_json", is_flag=True, help="Tell what was done as JSON on stdout."),
        )
    ):
        command = option(command)
    return command


@click.group()
def catalog() -> None:
    """Write a page, a feed and JSON of the COMPLETED torrents that the table DDB_TABLE tells of.

    What is there already is compared, and only what changed is written. Takes the function's settings from
    the environment.
    """


@catalog.command()
@click.argument("outdir", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--from",
    "source",
    required=True,
    metavar="s3://BUCKET/PREFIX",
    help="Where the objects lie.",
)
@_options
def build(*, outdir: Path, source: str, **options: Any) -> None:
    """Write the catalogue into the folder OUTDIR, for any web server."""
    _run(_place(source), outdir, **options)


@catalog.command()
@click.argument("place", metavar="s3://BUCKET/PREFIX")
@click.option(
    "--from",
    "source",
    metavar="s3://BUCKET/PREFIX",
    help="Where the objects lie.  [default: in its own bucket]",
)
@_options
def publish(*, place: str, source: str | None, **options: Any) -> None:
    """Write the catalogue below s3://BUCKET/PREFIX, by conditional writes."""
    ref = _place(place)
    ref = ObjectRef(ref.bucket, ref.key if not ref.key or ref.key.endswith("/") else f"{ref.key}/")
    found = _place(source) if source else ObjectRef(ref.bucket, "")
    if ref.bucket == found.bucket and not ref.key:
        raise UsageError(
            f"{place!r} is the root of the bucket that the objects lie in",
            hint="name a prefix for the catalogue, such as s3://BUCKET/catalog/",
        )
    if ref.bucket == found.bucket and found.key.startswith(ref.key):
        raise UsageError(
            f"{place!r} holds the objects that it is to list; what lies below a catalogue is not listed",
            hint="name a prefix beside them, such as s3://BUCKET/catalog/",
        )
    _run(found, ref, **options)


def _run(
    source: ObjectRef,
    place: ObjectRef | Path,
    *,
    title: str,
    url: str,
    files: str,
    private: bool,
    force: bool,
    as_json: bool,
) -> None:
    wired = settings()
    if wired.policy.private and not private:
        raise UsageError(
            "TORRENT_PRIVATE is set; a public list of private torrents gives their trackers away",
            hint="pass --private if that is meant",
        )
    own = wired.catalog if wired.catalog and wired.catalog.place == place else None
    found = publisher(
        wired,
        source,
        place,
        title=title or (own.title if own else ""),
        url=checked_url("--url", url) or (own.url if own else ""),
        files=checked_files("--files", files, source.bucket) or (own.files if own else ""),
        private=private,
        force=force,
    )
    with objects_bar(str(place), None) as moved:
        found.progress = moved
        try:
            summary = found.full(may_empty=force)
        except WriteConflict as error:
            raise WriteConflict(error.message, hint="publish it again: another run was at it") from None
    _tell(summary, str(place), as_json=as_json)
    if not summary.count:
        say(f"note: the table {wired.table} tells of no torrent of {source}")
    if summary.unreadable:
        say(f"note: {summary.unreadable:,} items are COMPLETED and do not tell enough; they were left out")
    if summary.unlinked:
        say(
            f"note: of {summary.unlinked:,} torrents no address of the .torrent is known; "
            "--files names where the bucket's objects are found"
        )
    rules = Rules(source.bucket, wired.include, wired.exclude, wired.control_prefix)
    if isinstance(place, ObjectRef) and not rules.reason(ObjectRef(place.bucket, f"{place.key}index.html")):
        say(
            "note: the catalogue's files wake the function, which passes each over (SKIPPED); "
            f"set TORRENT_EXCLUDE={place.key}* or TORRENT_CATALOG there to spare that"
        )
    if not found.renderer.links.base:
        say("note: there is no feed without --url")


def _place(text: str) -> ObjectRef:
    if not text.startswith("s3://"):
        raise UsageError(f"{text!r} is no place in S3", hint="expected s3://BUCKET or s3://BUCKET/PREFIX")
    return locate(text if "/" in text[5:] else f"{text}/", folders=True)


def _tell(summary: Summary, place: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"place": place, **summary.as_dict()})
        return
    show_rows(
        [
            ("Catalogue", place),
            ("Torrents", f"{summary.count:,}"),
            ("Content", bytes_text(summary.size)),
            ("Pages", f"{summary.pages:,} new or changed"),
            ("Files", f"{summary.written:,} written, {summary.removed:,} removed"),
        ]
    )
