"""``s3torrent dev``: the embedded stack, kept up."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1.  [default: 4566, or a free one]"
)
def dev(*, port: int | None) -> None:
    """Run S3, queue, table and function on this machine, and say how to use them. Ctrl-C stops it all."""
    from s3torrent.devstack.session import run_dev  # noqa: PLC0415 - only this command needs the stack

    run_dev(port, say=click.echo)
