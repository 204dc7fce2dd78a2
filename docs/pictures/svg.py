"""Screens of a terminal as one animated SVG: each line is there once for each time that it was seen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from terminal import COLUMNS, LAST, ROWS

if TYPE_CHECKING:
    from terminal import Frame, Line, Segment

WIDTH, HEIGHT, MARGIN = 7.8, 17, 16
COLOURS = {
    "default": "#d8dee4",
    "black": "#57606a",
    "red": "#ff8b80",
    "green": "#7ee2a0",
    "brown": "#ecc46a",
    "blue": "#84b9ff",
    "magenta": "#dda9ff",
    "cyan": "#7fd8d8",
    "white": "#f2f5f7",
}
STYLE = """text{font:13px ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}
.b{font-weight:600}.k{visibility:hidden;animation-duration:%ss;animation-timing-function:step-end;animation-iteration-count:infinite}
@media (prefers-reduced-motion:reduce){.k{animation:none}.last{visibility:visible}}"""


def svg(frames: list[Frame], title: str) -> str:
    total = frames[-1].at + LAST
    shown = [seen for row in range(ROWS) for seen in _seen(frames, row, total)]
    width, height = COLUMNS * WIDTH + 2 * MARGIN, ROWS * HEIGHT + 2 * MARGIN
    rules, groups = [], []
    for number, (row, line, start, end) in enumerate(shown):
        steps = "0%{visibility:hidden}" if start else ""
        steps += f"{100 * start / total:.2f}%{{visibility:visible}}"
        if end < total:
            steps += f"{100 * end / total:.2f}%{{visibility:hidden}}"
        rules.append(f"@keyframes k{number}{{{steps}}}")
        last = " last" if end >= total else ""
        y = MARGIN + (row + 0.75) * HEIGHT
        groups.append(
            f'<g class="k{last}" style="animation-name:k{number}">{"".join(_text(one, y) for one in line)}</g>'
        )
    style = STYLE % f"{total:.2f}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}{''.join(rules)}</style>",
            f'<rect width="{width:g}" height="{height:g}" rx="10" fill="#161b20"/>',
            *groups,
            "</svg>\n",
        ]
    )


def _seen(frames: list[Frame], row: int, total: float) -> list[tuple[int, Line, float, float]]:
    """Row, its text, from and to which second, for each text that stood there."""
    found: list[tuple[int, Line, float, float]] = []
    for frame, until in zip(frames, [*(later.at for later in frames[1:]), total], strict=True):
        line = frame.lines[row]
        if found and found[-1][1] == line and found[-1][3] == frame.at:
            found[-1] = (row, line, found[-1][2], until)
        elif line:
            found.append((row, line, frame.at, until))
    return found


def _text(segment: Segment, y: float) -> str:
    stripped = segment.text.lstrip()
    if not stripped:
        return ""
    column = segment.column + len(segment.text) - len(stripped)
    stripped = stripped.rstrip()
    colour = COLOURS.get(segment.colour) or f"#{segment.colour}"
    bold = ' class="b"' if segment.bold else ""
    return (
        f'<text x="{MARGIN + column * WIDTH:g}" y="{y:g}" fill="{colour}" textLength="{len(stripped) * WIDTH:g}" '
        f'lengthAdjust="spacingAndGlyphs"{bold}>{escape(stripped)}</text>'
    )
