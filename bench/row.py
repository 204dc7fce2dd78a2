"""One line of the results: ours, the peer's, and whether the target is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from timing import Times


@dataclass(frozen=True, slots=True)
class Row:
    """``met`` None: for information, no target."""

    name: str
    ours: str
    peer: str
    ratio: str
    target: str
    met: bool | None

    @classmethod
    def of_times(cls, name: str, ours: Times, peer_name: str, peer: Times, target: float | None) -> Self:
        """``target``: the most that our median may be of the peer's."""
        ratio = ours.median / peer.median
        return cls(
            name,
            str(ours),
            f"{peer_name}: {peer}",
            f"{ratio:.2f}",
            "" if target is None else f"at most {target:g}",
            None if target is None else ratio <= target,
        )

    @classmethod
    def of_limit(cls, name: str, found: float, limit: float, unit: str) -> Self:
        """``found`` must be under ``limit``."""
        return cls(name, f"{found:,.3g} {unit}", "", "", f"under {limit:g} {unit}", found < limit)

    @classmethod
    def at_least(cls, name: str, found: float, least: float, unit: str) -> Self:
        return cls(name, f"{found:,.0f} {unit}", "", "", f"at least {least:g} {unit}", found >= least)

    def cells(self) -> tuple[str, ...]:
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        return (self.name, self.ours, self.peer, self.ratio, self.target, met)


TITLES = ("name", "ours", "peer", "ratio", "target", "met")


def table(rows: list[Row]) -> str:
    """In Markdown."""
    lines = [TITLES, ("---",) * len(TITLES), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
