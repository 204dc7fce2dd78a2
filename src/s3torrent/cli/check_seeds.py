"""``s3torrent check-seeds``: does each web seed bring what the torrent says?"""

from __future__ import annotations

import contextlib
import json
import os

import click

from s3torrent.cli.completing import files
from s3torrent.cli.locations import read_torrent
from s3torrent.cli.main import complain
from s3torrent.cli.number import Number
from s3torrent.cli.output import visible
from s3torrent.errors import S3TorrentError
from s3torrent.metainfo.webseed import check_web_seed
from s3torrent.pipeline.check_seeds import SeedCheck, check_seed
from s3torrent.wiring import web_reader


@click.command("check-seeds")
@click.argument("torrents", metavar="TORRENT...", nargs=-1, required=True, shell_complete=files)
@click.option("--page", default="", metavar="URL", help="The https page that is to link to it.")
@click.option(
    "--timeout",
    type=Number(1, 3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For each web seed.",
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each web seed.")
def check_seeds(*, torrents: tuple[str, ...], page: str, timeout: float, as_json: bool) -> None:
    """Read the first and the last piece of each TORRENT from each of its web seeds, and hash them.

    TORRENT is a path, - for stdin, or s3://BUCKET/KEY. Exit code 1 where a web seed is bad, or there is
    none; where a TORRENT cannot be read, the others are tried, and its exit code is the last word.
    """
    if page:
        check_web_seed(page, single_file=False)
    pays = os.environ.get("TORRENT_REQUEST_PAYER", "").strip().lower() in ("1", "true", "yes", "on")
    worst = 0
    for torrent in torrents:
        try:
            metainfo = read_torrent(torrent)
        except S3TorrentError as error:
            if len(torrents) == 1:
                raise
            worst = max(worst, error.exit_code)
            complain(f"error: {error.message}", error.hint)
            continue
        if not metainfo.web_seeds:
            worst = max(worst, 1)
            click.echo(visible(f"{torrent} has no web seeds"), err=True)
        for url in metainfo.web_seeds:
            with contextlib.closing(web_reader(page, seconds=timeout, requester_pays=pays)) as reader:
                found = check_seed(metainfo, url, reader)
            worst = max(worst, int(not found.good))
            _tell(torrent, found, as_json=as_json)
    if worst:
        raise click.exceptions.Exit(worst)


def _tell(torrent: str, found: SeedCheck, *, as_json: bool) -> None:
    told = found.as_dict()
    if as_json:
        click.echo(json.dumps({"torrent": torrent, **told}))
        return
    click.echo(visible(f"{'good' if found.good else 'bad'}: {found.url}"))
    for problem in told["problems"]:
        click.echo(visible(f"  {problem['code']}: {problem['detail']}"))
        click.echo(visible(f"    {problem['hint']}"))
