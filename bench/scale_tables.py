"""What scale.py found, as the Markdown of docs/scale.md."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scale import Answer

UNITS = (("days", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def page(found: Mapping[str, Sequence[Answer]]) -> str:
    """The tables of each job, and that of the figures."""
    parts = [
        f"### {what[0].upper()}{what[1:]}\n\n{times(rows)}\n{money(rows)}" for what, rows in found.items()
    ]
    return "\n".join([*parts, f"### The figures\n\n{figures.table()}"])


def times(rows: Sequence[Answer]) -> str:
    """Wall time by concurrency, and what holds it up."""
    most = sorted({row.concurrency for row in rows if row.concurrency > 1})
    lines = [
        f"| wall time | MB | {' | '.join(f'{count:,} runs' for count in most)} | held up by |",
        "| --- | ---: |" + " ---: |" * len(most) + " --- |",
    ]
    for (way, memory), group in _by_way(rows):
        cells = {row.concurrency: duration(row.seconds) for row in group}
        if 1 in cells:
            cells = dict.fromkeys(most, "") | {most[0]: cells[1]}
        held = _runs(group)
        lines.append(f"| {way} | {memory:,} | {' | '.join(cells[count] for count in most)} | {held} |")
    return "\n".join(lines) + "\n"


def money(rows: Sequence[Answer]) -> str:
    """Dollars at the fewest runs, by service, and the whole at the most."""
    services = [name for name in rows[0].dollars if any(row.dollars[name] for row in rows)]
    lines = [
        f"| dollars | MB | {' | '.join(services)} | all | with the most runs |",
        "| --- | ---: |" + " ---: |" * (len(services) + 2),
    ]
    for (way, memory), group in _by_way(rows):
        first, last = group[0], group[-1]
        amounts = [*(first.dollars[name] for name in services), first.total]
        told = " | ".join(map(dollars, amounts))
        lines.append(f"| {way} | {memory:,} | {told} | {dollars(last.total) if last is not first else ''} |")
    return "\n".join(lines) + "\n"


def _by_way(rows: Iterable[Answer]) -> Iterable[tuple[tuple[str, int], list[Answer]]]:
    for key, group in groupby(rows, lambda row: (row.way, row.memory)):
        yield key, list(group)


def _runs(group: Sequence[Answer]) -> str:
    """``bandwidth; from 1,000 on the feed``."""
    told: list[str] = []
    last = ""
    for row in group:
        if row.held_by != last:
            told.append(f"from {row.concurrency:,} on {row.held_by}" if told else row.held_by)
            last = row.held_by
    return "; ".join(told)


def duration(seconds: float) -> str:
    """Three digits of the largest unit of which there is more than one: ``18.6 h``."""
    name, unit = next((one for one in UNITS if seconds >= 1.5 * one[1]), UNITS[-1])
    return f"{seconds / unit:.3g} {name}"


def dollars(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.2f}"
