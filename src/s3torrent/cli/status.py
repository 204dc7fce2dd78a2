"""``s3torrent status``: what the table tells of one object, or of the newest."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from s3torrent.cli.locations import locate
from s3torrent.cli.main import say
from s3torrent.cli.number import Number
from s3torrent.cli.output import bytes_text, show_rows, visible
from s3torrent.config import from_environment
from s3torrent.errors import ConfigError, NoSuchObject, UsageError
from s3torrent.status import base
from s3torrent.wiring import Clients, status_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from s3torrent.status.base import StatusItem, StatusStore

STATUSES = (
    *(base.PENDING, base.RECORDING, base.UPLOADING, base.DOWNLOADING, base.CREATING_TORRENT),
    *(base.UPLOADING_TORRENT, base.COMPLETED, base.FAILED, base.SKIPPED, base.DELETED),
)
SECRET = frozenset({"seal", "statusShard"})
"""Of an item: what is for the program alone."""
STYLES = {base.COMPLETED: "green", base.FAILED: "red", base.SKIPPED: "yellow", base.DELETED: "yellow"}

LABELS = {
    "size": "Size",
    "torrentKey": "Torrent",
    "infoHashV1": "Info-hash v1",
    "infoHashV2": "Info-hash v2",
    "magnet": "Magnet",
    "engine": "Engine",
    "attempt": "Attempt",
    "leaseOwner": "Worker",
    "leaseExpiresAt": "Lease until",
    "createdAt": "Created",
    "updatedAt": "Changed",
    "completedAt": "Completed",
}
"""Attribute of the item -> its name for people."""


@click.command()
@click.argument("job", metavar="[s3://BUCKET/KEY | JOB_ID]", required=False)
@click.option(
    "--status",
    "only",
    type=click.Choice(STATUSES, case_sensitive=False),
    help="Only those; without it all, newest first.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    metavar="N",
    help="So many at most.",
)
@click.option("--watch", is_flag=True, help="Show it again and again; of one object until it has ended.")
@click.option(
    "--every",
    type=Number(0.2, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How often --watch looks.",
)
@click.option("--web", is_flag=True, help="Serve a page of the list on 127.0.0.1 until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Of --web; 0 is a free one."
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each item (docs/json.md).")
def status(
    *,
    job: str | None,
    only: str | None,
    limit: int,
    watch: bool,
    every: float,
    web: bool,
    port: int,
    as_json: bool,
) -> None:
    """Show what the table DDB_TABLE tells: of one object or recording, or of the N that changed last.

    Exit code 1 where the one that was asked for FAILED, 4 where the table knows nothing of it.
    """
    if job and only:
        raise UsageError("--status is for the list; one object has the status it has")
    if web and (job or only or watch or as_json):
        raise UsageError(
            "--web shows all that changed last and follows it; it takes no object and no option of the list",
            hint="leave one of them out",
        )
    table = _table()
    if web:
        from s3torrent.live.server import serve  # noqa: PLC0415 - few want a page

        serve(table, port, limit, say=lambda line: click.echo(line, err=True))
    elif job:
        _one(table, _job_id(job), every if watch else None, as_json=as_json)
    else:
        _many(lambda: table.list(status=only, limit=limit), every if watch else None, as_json=as_json)


def told(item: StatusItem) -> dict[str, Any]:
    """One item as JSON: docs/json.md has the attributes."""
    return {"jobId": item.job_id} | {
        name: value for name, value in sorted(item.attributes.items()) if name not in SECRET
    }


def _table() -> StatusStore:
    settings = from_environment(os.environ)
    if not settings.table:
        raise ConfigError("DDB_TABLE is not set; expected the name of the status table")
    return status_store(Clients(settings.endpoint_url), settings.table, create_missing=False)


def _job_id(text: str) -> str:
    return str(locate(text)) if text.startswith("s3://") else text


def _one(table: StatusStore, job_id: str, every: float | None, *, as_json: bool) -> None:
    seen: Any = None
    while True:
        item = table.get(job_id)
        if item is None and every is None:
            raise NoSuchObject(
                f"the table knows nothing of {job_id}",
                hint="see whether its event arrived: s3torrent doctor; or send one: s3torrent backfill",
            )
        if item is None and seen is None:
            seen = {}
            say(f"note: the table knows nothing of {job_id} yet; waiting for its event until Ctrl-C")
        if item and item.attributes != seen:
            seen = item.attributes
            if as_json:
                click.echo(json.dumps(told(item), default=str))
            else:
                show_rows(_rows(item))
        if every is None or (item and item.status not in base.IN_WORK and item.status != base.PENDING):
            break
        time.sleep(every)
    if item and item.status == base.FAILED:
        raise click.exceptions.Exit(1)


def _rows(item: StatusItem) -> list[tuple[str, str | list[str]]]:
    rows = [("Job", item.job_id), ("Status", item.status), ("Progress", progress(item))]
    hint = item.get("error", {}).get("hint")
    rows += [("Reason", str(item.get("reason") or "")), ("Mend", str(hint or ""))]
    for name, label in LABELS.items():
        value = item.get(name)
        if value is not None:
            rows.append((label, bytes_text(value) if name == "size" else str(value)))
    return [(name, value) for name, value in rows if value]


def progress(item: StatusItem) -> str:
    """``42 % of 3.0 GiB``, "" where nothing is hashed."""
    size, done = item.get("size"), item.get("bytesHashed")
    if item.status not in base.IN_WORK or not isinstance(size, int) or not isinstance(done, int) or not size:
        return ""
    return f"{100 * done // size} % of {bytes_text(size)}"


def _many(listed: Callable[[], list[StatusItem]], every: float | None, *, as_json: bool) -> None:
    if every is None:
        found = listed()
        _list(found, as_json=as_json)
        if not found:
            say("note: the table tells of nothing like that")
        return
    if _on_terminal() and not as_json:
        _live(listed, every)
        return
    seen: dict[str, Any] = {}
    while True:
        changed = [item for item in reversed(listed()) if seen.get(item.job_id) != item.attributes]
        seen |= {item.job_id: item.attributes for item in changed}
        _list(changed, as_json=as_json)
        sys.stdout.flush()
        time.sleep(every)


def _list(items: list[StatusItem], *, as_json: bool) -> None:
    if items and not as_json and _on_terminal():
        from rich.console import Console  # noqa: PLC0415 - only on a terminal

        Console().print(_shown(items))
        return
    for item in items:
        if as_json:
            click.echo(json.dumps(told(item), default=str))
        else:
            click.echo("\t".join(map(visible, _cells(item))))


def _cells(item: StatusItem) -> tuple[str, ...]:
    """When, status, which, and how far or why."""
    say = progress(item) or str(item.get("reason") or "")
    if item.status == base.COMPLETED:
        say = str(item.get("infoHashV1") or item.get("infoHashV2") or "")
    return str(item.get("updatedAt") or "")[:19], item.status, item.job_id, say


def _live(listed: Callable[[], list[StatusItem]], every: float) -> None:
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.live import Live  # noqa: PLC0415

    with Live(_shown(listed()), console=Console(), auto_refresh=False, screen=False) as live:
        while True:
            time.sleep(every)
            live.update(_shown(listed()), refresh=True)


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _shown(items: list[StatusItem]) -> Table:
    """Nothing of a name is cut: a long one goes on in the next line."""
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

    shown = Table("Changed (UTC)", "Status", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.columns[0].no_wrap = shown.columns[1].no_wrap = True
    shown.add_column("Object", overflow="fold", ratio=3)
    shown.add_column("Result", overflow="fold", ratio=2)
    for item in items:
        when, state, which, told = map(visible, _cells(item))
        shown.add_row(
            Text(when.replace("T", " ")), Text(state, STYLES.get(state, "")), Text(which), Text(told)
        )
    return shown
