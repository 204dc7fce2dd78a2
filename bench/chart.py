"""The wall times of the local measurements as bars (SVG), for the README; light and dark."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from row import Row

WIDTH, LABEL, BAR, GAP, TITLE = 760, 190, 16, 5, 34
ROOM = WIDTH - LABEL - 90
"""Pixels of the longest bar."""
OURS = "s3torrent"
STYLE = """\
text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.p{fill:#8c959f}.o{fill:#1a7f37}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.p{fill:#6e7681}.o{fill:#3fb950}}"""
SECONDS = re.compile(r"(?:(?P<who>[^:]+): )?(?P<median>[\d.]+) s \(")


def svg(rows: Iterable[Row]) -> str:
    """One group for each measurement that has a wall time of local content; ours first, then the quickest."""
    groups: dict[str, dict[str, float]] = {}
    for row in rows:
        title, _, kind = row.name.removeprefix("cli ").rpartition(": ")
        ours, peer = SECONDS.match(row.ours), SECONDS.match(row.peer)
        if row.name.startswith("cli ") and kind == "time" and ours and peer and "hashlib" not in title:
            bars = groups.setdefault(title, {OURS: float(ours["median"])})
            bars[peer["who"]] = float(peer["median"])
    body, y = [], 0
    for title, bars in groups.items():
        y += TITLE
        body.append(f'<text class="t" x="0" y="{y - 10}">{escape(title)}, seconds</text>')
        longest = max(bars.values())
        for name, seconds in sorted(bars.items(), key=lambda bar: (bar[0] != OURS, bar[1])):
            kind, length = "o" if name == OURS else "p", max(1, round(ROOM * seconds / longest))
            body += [
                f'<text x="0" y="{y + 13}">{escape(name)}</text>',
                f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length}" height="{BAR}"/>',
                f'<text x="{LABEL + length + 6}" y="{y + 13}">{seconds:.2f}</text>',
            ]
            y += BAR + GAP
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img">',
            "<title>Seconds to make a torrent of local content, each creator</title>",
            f"<style>{STYLE}</style>",
            *body,
            "</svg>\n",
        )
    )
