"""``s3torrent magnet``: the link that stands for a torrent."""

from __future__ import annotations

import click

from s3torrent.cli.completing import files
from s3torrent.cli.locations import read_torrent
from s3torrent.metainfo.magnet import magnet as magnet_of


@click.command()
@click.argument("torrent", shell_complete=files)
def magnet(*, torrent: str) -> None:
    """Print the magnet link of TORRENT: a path, - for stdin, or s3://BUCKET/KEY."""
    click.echo(magnet_of(read_torrent(torrent)))
