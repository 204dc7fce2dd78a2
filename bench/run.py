"""``make bench``: measure what is promised, beside the way without s3torrent, and write RESULTS.md and
chart.svg.

    run.py [--quick] [--only stream|event|object|direct|zip|cli]...

Exit status 1 when a target is missed. A run of everything, at full size, is what is written down; the chart
is drawn by `cli` at full size.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))  # for support.runtime_api, the Lambda service of the tests

import archive  # noqa: E402
import chart  # noqa: E402
import commandline  # noqa: E402
import direct  # noqa: E402
import event  # noqa: E402
import machine  # noqa: E402
import stream  # noqa: E402
import whole  # noqa: E402
from peers import require  # noqa: E402
from row import Row, table  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEASUREMENTS: dict[str, Callable[[int], Iterator[Row]]] = {
    "stream": stream.measure,
    "event": event.measure,
    "direct": direct.measure,
    "object": whole.measure,
    "zip": archive.measure,
    "cli": commandline.measure,
}
LARGE, QUICK = 1 << 30, 64 << 20
LIMIT_SECONDS = 2400


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure s3torrent beside its peers.")
    parser.add_argument("--quick", action="store_true", help="64 MiB instead of 1 GiB: a smoke test")
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, metavar="NAME", help=", ".join(MEASUREMENTS)
    )
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _too_long)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.alarm(LIMIT_SECONDS)
    require("transmission-create")
    about = machine.description()
    rows: list[Row] = []
    for name in options.only or MEASUREMENTS:
        sys.stderr.write(f"{name}\n")
        for row in MEASUREMENTS[name](QUICK if options.quick else LARGE):
            rows.append(row)
            sys.stderr.write(f"{' | '.join(row.cells())}\n")  # at once: the next one may fail
    print(table(rows), end="")
    if not options.quick and not options.only:
        _write(about, rows)
    if not options.quick and "cli" in (options.only or MEASUREMENTS):
        (HERE / "chart.svg").write_text(chart.svg(rows), "utf-8")
    missed = [row.name for row in rows if row.met is False]
    for name in missed:
        sys.stderr.write(f"target missed: {name}\n")
    return 1 if missed else 0


def _write(about: list[str], rows: list[Row]) -> None:
    text = (
        "# Results\n\n"
        "Written by `make bench`; README.md says what each line means. Median (fastest to slowest) of\n"
        "interleaved repetitions; ratio = ours / peer.\n\n"
    )
    (HERE / "RESULTS.md").write_text(
        text + table(rows) + "\n" + "".join(f"{line}\n" for line in about), "utf-8"
    )


def _too_long(*_: object) -> NoReturn:
    raise TimeoutError(f"the measurements took longer than {LIMIT_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
