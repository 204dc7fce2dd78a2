"""``s3torrent dev``: the embedded stack, kept up."""

from __future__ import annotations

import os

import click

from s3torrent.config import VARIABLES

OURS = ("S3_BUCKET", "DDB_TABLE", "AWS_ENDPOINT_URL")
"""What the stack decides for its function."""


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="Port on 127.0.0.1.  [default: 4566, or a free one]",
)
def dev(*, port: int | None) -> None:
    """Run S3, queue, table and function on this machine, and say how to use them. Ctrl-C stops it all.

    TRACKERS and the TORRENT_* variables (docs/configuration.md) are handed to the function.
    """
    from s3torrent.devstack.session import run_dev  # noqa: PLC0415 - only this command needs the stack

    passed_on = {name: value for name, value in os.environ.items() if name in VARIABLES and name not in OURS}
    run_dev(port, passed_on, say=click.echo)
