"""``s3torrent audit``: does the bucket keep the promise?"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from s3torrent.cli.locations import locate
from s3torrent.cli.number import Number
from s3torrent.cli.output import show_rows, visible
from s3torrent.cli.progress import progress_bar
from s3torrent.cli.uploading import settings
from s3torrent.errors import UsageError
from s3torrent.intake.rules import Rules
from s3torrent.pipeline.audit import Auditor
from s3torrent.pipeline.findings import MEANING, Kind
from s3torrent.pipeline.in_order import in_order
from s3torrent.pipeline.mend import mend
from s3torrent.pipeline.survey import survey
from s3torrent.wiring import Clients, clock, maker, s3_store, status_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.config import Settings
    from s3torrent.pipeline.audit import Look
    from s3torrent.pipeline.findings import Finding
    from s3torrent.types import ObjectRef

AT_ONCE = 16
"""Objects that are looked at at the same time: each waits for three or four small answers."""
MOST_BEGUN = 4 * AT_ONCE


@click.command()
@click.argument("place", metavar="s3://BUCKET/PREFIX")
@click.option("--repair", is_flag=True, help="Mend what may be mended, with this environment's settings.")
@click.option(
    "--deep",
    type=Number(0, 100),
    default=0.0,
    metavar="PERCENT",
    help="Read that share of the objects, and compare their hashes.",
)
@click.option("--seed", metavar="TEXT", help="The sample of --deep: the same text, the same objects.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each finding, then a summary.")
def audit(*, place: str, repair: bool, deep: float, seed: str | None, as_json: bool) -> None:
    """Compare objects, torrents and status items below s3://BUCKET/PREFIX.

    Finds what is missing, stale, foreign, orphaned, unreadable, or otherwise in the table DDB_TABLE; exit
    code 1 if anything was found, whether mended or not. Takes the function's settings from the environment.
    """
    if not place.startswith("s3://"):
        raise UsageError(f"{place!r} is no place in S3", hint="expected s3://BUCKET or s3://BUCKET/PREFIX")
    ref = locate(place if "/" in place[5:] else f"{place}/", folders=True)
    run = Run(settings(), ref, deep, seed or secrets.token_hex(4))
    mender = maker(run.settings) if repair else None
    with progress_bar(str(ref), None):
        for finding in run.findings():
            left = mend(finding, mender) if mender else None
            run.mended += left == ""
            _tell(finding, left, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"summary": run.as_dict()}))
    else:
        _show(run, repair=repair)
    if run.found.total():
        raise click.exceptions.Exit(1)


class Run:
    """One audit: what it has seen so far. ``sample`` names the objects that ``deep`` percent of all are."""

    def __init__(self, wired: Settings, place: ObjectRef, deep: float, sample: str) -> None:
        self.settings, self.place, self.deep, self.sample = wired, place, deep, sample
        self.objects = self.good = self.passed = self.compared = self.mended = 0
        self.found: Counter[Kind] = Counter()
        clients = Clients(
            wired.endpoint_url,
            connections=AT_ONCE + wired.threads + 2,
            request_payer=wired.request_payer,
        )
        self._store = s3_store(clients)
        self._status = status_store(clients, wired.table, create_missing=False) if wired.table else None
        rules = Rules(place.bucket, wired.include, wired.exclude, wired.control_prefix)
        self._auditor = Auditor(self._store, self._status, rules.reason, clock, wired.on_delete == "keep")

    def findings(self) -> Iterator[Finding]:
        """As they are found: by key, then what the table alone knows of."""
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            yield from self._of_objects(pool)
            if self._status:
                items = self._status.items(str(self.place))
                for _, look in in_order(pool, self._auditor.look_at_item, items, MOST_BEGUN):
                    if look.finding:
                        yield from self._counted(look)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _of_objects(self, pool: ThreadPoolExecutor) -> Iterator[Finding]:
        listed = survey(self._store.list_objects(self.place.bucket, self.place.key))
        for found, look in in_order(pool, self._auditor.look, listed, MOST_BEGUN):
            self.objects += found.object is not None
            if look.metainfo and found.object and self._is_sampled(found.object.ref):
                self.compared += 1
                ref, threads = found.object.ref, self.settings.threads
                yield from self._counted(self._auditor.compare(ref, look.metainfo, threads))
            else:
                yield from self._counted(look)

    def _counted(self, look: Look) -> Iterator[Finding]:
        self.good += look.metainfo is not None
        self.passed += bool(look.passed)
        if look.finding:
            self.found[look.finding.kind] += 1
            yield look.finding

    def _is_sampled(self, ref: ObjectRef) -> bool:
        digest = hashlib.sha256(f"{self.sample}\0{ref}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") < self.deep / 100 * 2**64

    def as_dict(self) -> dict[str, object]:
        """docs/json.md has the schema."""
        return {
            "objects": self.objects,
            "good": self.good,
            "passedOver": self.passed,
            "findings": {kind.value: self.found[kind] for kind in Kind},
            "repaired": self.mended,
            "table": self.settings.table,
            "compared": self.compared,
            "seed": self.sample if self.deep else None,
        }


def _tell(finding: Finding, left: str | None, *, as_json: bool) -> None:
    """``left``: what stands in the way of its mend, "" where it is mended, None where nobody asked."""
    if as_json:
        repaired = None if left is None else not left
        click.echo(json.dumps({**finding.as_dict(), "repaired": repaired, "left": left or None}))
        return
    end = "" if left is None else f" - not repaired: {left}" if left else " - repaired"
    click.echo(visible(f"{finding.kind.value}: {finding.ref}: {finding.detail}{end}"))


def _show(run: Run, *, repair: bool) -> None:
    show_rows(
        [
            ("Objects", f"{run.objects:,}"),
            ("Good", f"{run.good:,}"),
            ("Passed over", f"{run.passed:,}"),
            *([("Compared", f"{run.compared:,} (seed {run.sample})")] if run.deep else []),
            *((kind.value.capitalize(), f"{count:,}: {MEANING[kind]}") for kind, count in run.found.items()),
            *([("Repaired", f"{run.mended:,}")] if repair else []),
        ]
    )
