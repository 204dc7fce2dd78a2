"""One thing that is looked at: its name, and what the page says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.finding import Finding


@dataclass(frozen=True, slots=True)
class Check:
    """``run`` finds None where the check does not apply. docs/doctor.md has the others."""

    name: str
    looks_at: str
    red_means: str
    mend: str
    run: Callable[[Case], Finding | None]
