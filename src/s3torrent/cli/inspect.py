"""``s3torrent inspect``: what a torrent says."""

from __future__ import annotations

import click

from s3torrent.cli.completing import files
from s3torrent.cli.locations import read_torrent
from s3torrent.cli.output import show_json, show_rows
from s3torrent.cli.summary import as_json, as_rows


@click.command()
@click.argument("torrent", shell_complete=files)
@click.option("--json", "as_json_", is_flag=True, help="As JSON on stdout (docs/json.md).")
def inspect(*, torrent: str, as_json_: bool) -> None:
    """Show what TORRENT says: a path, - for stdin, or s3://BUCKET/KEY."""
    metainfo = read_torrent(torrent)
    if as_json_:
        show_json(as_json(metainfo))
    else:
        show_rows(as_rows(metainfo))
