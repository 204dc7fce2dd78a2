"""What ``put`` and ``record`` share: the function's own settings, so that all make one torrent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from s3torrent.cli.locations import locate
from s3torrent.cli.output import bytes_text, show_json, show_rows
from s3torrent.config import from_environment
from s3torrent.errors import UsageError

if TYPE_CHECKING:
    from s3torrent.config import Settings
    from s3torrent.pipeline.outcome import Outcome
    from s3torrent.types import ObjectRef

force_option = click.option("--force", is_flag=True, help="Replace the object that is there.")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Describe object and torrent as JSON on stdout."
)


def settings() -> Settings:
    return from_environment(os.environ)


def destination(text: str, name: str | None = None) -> ObjectRef:
    """``s3://BUCKET/KEY``; where it ends in ``/``, ``name`` is added, as ``aws s3 cp`` does."""
    if not text.startswith("s3://"):
        raise UsageError(f"{text!r} is no place in S3", hint="expected s3://BUCKET/KEY")
    if name and text.endswith("/"):
        text += name
    return locate(text)


def as_json(outcome: Outcome, size: int) -> dict[str, Any]:
    """docs/json.md has the schema; ``size`` of the object, in bytes."""
    names = (
        "torrentKey",
        "torrentSize",
        "infoHashV1",
        "infoHashV2",
        "pieceLength",
        "pieceCount",
        "magnet",
    )
    told = {name: outcome.attributes.get(name) for name in names}
    return {"object": outcome.job_id, "size": size, **told}


def show(outcome: Outcome, size: int, *, json: bool) -> None:
    told = as_json(outcome, size)
    if json:
        show_json(told)
        return
    rows = [
        ("Object", outcome.job_id),
        ("Size", bytes_text(size)),
        ("Torrent", f"{outcome.job_id}.torrent"),
        ("Info-hash v1", told["infoHashV1"] or ""),
        ("Info-hash v2", told["infoHashV2"] or ""),
        ("Piece length", bytes_text(told["pieceLength"])),
        ("Pieces", f"{told['pieceCount']:,}"),
        ("Magnet", told["magnet"]),
    ]
    show_rows([row for row in rows if row[1]])
