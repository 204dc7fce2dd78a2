"""``s3torrent put``: a file into a bucket, and its torrent beside it."""

from __future__ import annotations

from pathlib import Path

import click

from s3torrent.cli.completing import files
from s3torrent.cli.locations import locate
from s3torrent.cli.progress import progress_bar
from s3torrent.cli.uploading import destination, force_option, json_option, settings, show
from s3torrent.errors import UsageError
from s3torrent.pipeline.content import name_of
from s3torrent.pipeline.put import put as put_file
from s3torrent.wiring import local_store, uploader


@click.command()
@click.argument("file", shell_complete=files)
@click.argument("target", metavar="s3://BUCKET/KEY")
@force_option
@json_option
def put(*, file: str, target: str, force: bool, as_json: bool) -> None:
    """Upload FILE and publish its torrent, in one reading.

    The torrent is the one that the function would make: TRACKERS and the TORRENT_* variables say how, and
    DDB_TABLE names the table that is told. An upload that was interrupted goes on where it ended.
    """
    source = locate(file)
    if source.bucket or Path(source.key).is_dir():
        found = "an object" if source.bucket else "a directory"
        raise UsageError(f"{file} is {found}; expected a local file", hint="put takes one file at a time")
    reader = local_store()
    version = reader.head(source).version
    ref = destination(target, Path(source.key).name)
    with progress_bar(name_of(ref), version.size) as progress:
        outcome = put_file(uploader(settings()), version, reader, ref, force=force, progress=progress)
    show(outcome, version.size, json=as_json)
