"""All checks, one after the other, and what came of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from s3torrent.doctor.asking import Refused, Unreachable, Unseen
from s3torrent.doctor.checks import CHECKS
from s3torrent.doctor.finding import grey, red

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3torrent.doctor.case import Case
    from s3torrent.doctor.check import Check
    from s3torrent.doctor.finding import Finding

ENOUGH = 2
"""Questions without an answer until no more are asked."""

TABLE = {"table", "table-key", "table-index", "table-expiry", "table-capacity", "stuck", "failed"}
"""What nothing is asked of where no table is named: a machine may do without."""


def examine(case: Case, checks: Iterable[Check] = CHECKS) -> Iterator[Finding]:
    """One finding for each check that applies. What could not be looked at is grey.

    Raises Refused or Unreachable, after what was found until then, where neither of the first two checks was
    answered: then none will be.
    """
    unanswered = 0
    for number, check in enumerate(checks):
        if check.name in TABLE and case.function is None and not case.names_table:
            continue
        try:
            found = check.run(case)
        except (Refused, Unreachable) as why:
            unanswered += 1
            if unanswered == number + 1 == ENOUGH:
                raise
            found = _refused(why) if isinstance(why, Refused) and not number else grey(str(why))
        except Unseen as why:
            found = grey(str(why))
        except (
            LookupError,
            TypeError,
            AttributeError,
        ) as error:  # whatever stands between us and AWS answers
            told = " ".join(f"{type(error).__name__}: {error}".split())
            found = grey(f"an answer is not as AWS gives it ({told})")
        if found is not None:
            yield replace(found, check=check.name)


def _refused(why: Refused) -> Finding:
    return red(str(why), "aws configure")
