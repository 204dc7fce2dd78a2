"""Schedules by the thousand: ``python -m tests.state.run [--schedules N] [--from SEED]``. Exit code 1 where one fails."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from state.schedule import run, staged


def main() -> int:
    parser = argparse.ArgumentParser(description="Try many schedules; print each that fails.")
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    options = parser.parse_args()
    failed, started = 0, time.process_time()
    with staged():
        for seed in range(options.first, options.first + options.schedules):
            try:
                run(seed)
            except Exception:  # noqa: BLE001 - whatever it is, it is a find
                failed += 1
                traceback.print_exc()
    seconds = time.process_time() - started
    print(f"{options.schedules:,} schedules in {seconds:.0f} s of CPU time, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
