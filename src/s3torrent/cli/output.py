"""How results are shown: a table on a terminal, tabs in a pipe, JSON where asked for."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from s3torrent.log import visible

__all__ = ["show_json", "show_rows", "visible"]

if TYPE_CHECKING:
    from collections.abc import Iterable


def show_json(value: Any) -> None:
    """One JSON document on stdout, indented, ASCII (docs/json.md has the schemas)."""
    click.echo(json.dumps(value, indent=2))


def show_rows(rows: Iterable[tuple[str, str | list[str]]]) -> None:
    """Name and value on each line; a list takes a line for each of its items.

    Aligned on a terminal; in a pipe NAME, a tab, and the value or values, separated by tabs.
    """
    listed = [(name, [value] if isinstance(value, str) else value) for name, value in rows]
    if sys.stdout is None or not sys.stdout.isatty():
        for name, values in listed:
            click.echo("\t".join([name.lower(), *map(visible, values)]))
        return
    width = max(len(name) for name, _ in listed)
    for name, values in listed:
        for index, value in enumerate(values):
            label = name if index == 0 else ""
            click.echo(f"{click.style(label.rjust(width), fg='blue')}  {visible(value)}")


def bytes_text(count: int) -> str:
    """``1,048,576 bytes (1.0 MiB)``."""
    size, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    exact = f"{count:,} byte{'' if count == 1 else 's'}"
    return exact if unit == "bytes" else f"{exact} ({size:.1f} {unit})"
