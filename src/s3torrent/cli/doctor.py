"""``s3torrent doctor``: what is wrong with a deployment, and the command that mends it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from s3torrent.cli.output import show_json, visible
from s3torrent.config import endpoint_url
from s3torrent.doctor.asking import Refused, Unreachable
from s3torrent.doctor.case import Case
from s3torrent.doctor.check import Check
from s3torrent.doctor.checks import CHECKS
from s3torrent.doctor.examination import examine
from s3torrent.doctor.finding import Level
from s3torrent.doctor.seeds import web_seeds
from s3torrent.doctor.trackers import trackers
from s3torrent.errors import EndpointUnreachable, UsageError
from s3torrent.intake.rules import Rules
from s3torrent.pipeline.check_seeds import check_seed
from s3torrent.wiring import Clients, clock, s3_store, status_store, web_reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3torrent.config import Settings
    from s3torrent.doctor.finding import Finding
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.types import ObjectRef

COLOURS = {Level.GREEN: "green", Level.YELLOW: "yellow", Level.RED: "red", Level.GREY: "bright_black"}
TRACKERS = Check(
    "trackers",
    "with `--trackers`: whether each answers, within 5 s",
    "none answers",
    "those that do not are taken out",
    trackers,
)
SEED_SECONDS = 30.0
OURSELVES = {"credentials", "clock"}
"""Checks that look at nothing of a deployment."""
NAME = re.compile(r"(?:arn:[^:]+:lambda:[^:]+:)?(?:\d{12}:)?(?:function:)?([^:]+)(?::[^:]+)?")
"""Each form in which Lambda takes the name of a function. https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html"""


@click.command()
@click.option("--function", metavar="NAME", help="The function; without it, this machine's own settings.")
@click.option("--bucket", metavar="BUCKET", help="Instead of S3_BUCKET of the function's environment.")
@click.option("--table", metavar="NAME", help="Instead of DDB_TABLE.")
@click.option("--queue", metavar="URL", help="Instead of the queue that the function reads.")
@click.option("--trackers", "ask_trackers", is_flag=True, help="Ask the trackers, too.")
@click.option("--web-seeds", "try_seeds", is_flag=True, help="Try the web seeds of one torrent, too.")
@click.option("--json", "as_json", is_flag=True, help="Everything that was found as JSON on stdout.")
def doctor(
    *,
    function: str | None,
    bucket: str | None,
    table: str | None,
    queue: str | None,
    ask_trackers: bool,
    try_seeds: bool,
    as_json: bool,
) -> None:
    """Look at everything that torrents need, and name the command that mends what is wrong.

    Changes nothing. Exit code 1 where anything is red, 4 where nothing can be reached or looked at.
    """
    with contextlib.closing(Clients(endpoint_url(os.environ))) as clients:
        case = Case(
            clients,
            os.environ,
            clock,
            function=_name(function) if function else None,
            bucket=bucket,
            table=table,
            queue=queue,
            objects=lambda name: s3_store(clients).list_objects(name, ""),
            items=lambda name, most: status_store(clients, name, create_missing=False).list(limit=most),
            left_out=left_out,
        )
        found = []
        unreached = None
        try:
            for finding in examine(case, _wanted(ask_trackers=ask_trackers, try_seeds=try_seeds)):
                found.append(finding)
                if not as_json:
                    _show(finding)
        except (Refused, Unreachable) as why:
            unreached = EndpointUnreachable(str(why))
        if as_json:
            show_json(as_document(case, found))
        if unreached:
            raise unreached
    if not any(one.level is not Level.GREY and one.check not in OURSELVES for one in found):
        causes = [one.cause for one in found if one.level is Level.GREY]
        raise EndpointUnreachable(
            f"nothing of it could be looked at: {causes[0] if causes else 'there was nothing to look at'}",
            hint="check AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, the credentials and what they may do",
        )
    count = Counter(finding.level for finding in found)
    click.echo(", ".join(f"{count[level]} {level.value}" for level in Level), err=True)
    if count[Level.RED]:
        raise click.exceptions.Exit(1)


def _name(text: str) -> str:
    """Of a function, without ARN, account and qualifier."""
    found = NAME.fullmatch(text)
    if not found:
        raise UsageError(f"--function {text!r} is no function", hint="give its name or its ARN")
    return found[1]


def left_out(settings: Settings, ref: ObjectRef) -> str | None:
    """Why the function leaves an object out; None: it takes it."""
    return Rules(settings.bucket, settings.include, settings.exclude, settings.control_prefix).reason(ref)


def _wanted(*, ask_trackers: bool, try_seeds: bool) -> Iterable[Check]:
    yield from CHECKS
    if ask_trackers:
        yield TRACKERS
    if try_seeds:
        yield WEB_SEEDS


def _check_seed(metainfo: Metainfo, url: str) -> dict[str, Any]:
    with contextlib.closing(web_reader(seconds=SEED_SECONDS)) as reader:
        return check_seed(metainfo, url, reader).as_dict()


WEB_SEEDS = Check(
    "web-seeds",
    "with `--web-seeds`: whether each that is set brings the smallest object that has a torrent",
    "none does",
    "`s3torrent check-seeds` tells more",
    partial(web_seeds, check=_check_seed),
)


def as_document(case: Case, found: list[Finding]) -> dict[str, Any]:
    """docs/json.md has the schema."""
    count = Counter(finding.level for finding in found)
    return {
        "function": case.function,
        "findings": [finding.as_dict() for finding in found],
        "summary": {level.value: count[level] for level in Level},
    }


def _show(finding: Finding) -> None:
    """Level, check, cause and mend: aligned on a terminal, else separated by tabs."""
    if sys.stdout is None or not sys.stdout.isatty():
        words = (finding.level.value, finding.check, finding.cause, finding.mend)
        click.echo("\t".join(map(visible, words)))
        return
    level = click.style(finding.level.value.ljust(6), fg=COLOURS[finding.level], bold=True)
    click.echo(f"{level}  {finding.check.ljust(16)}  {visible(finding.cause)}")
    if finding.mend:
        click.echo(f"{' ' * 8}{click.style('mend:', bold=True)} {visible(finding.mend)}")
