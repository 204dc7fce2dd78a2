"""Schedules by the thousand: ``python -m tests.state.run [--real] [--schedules N] [--from SEED]``. Exit code 1 where one fails.

``--real``: over the real adapters, on a MiniStack of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from state import real_stack, real_world, schedule
from support.ministack import MiniStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def in_memory() -> Iterator[Callable[[int], object]]:
    with schedule.staged():
        yield schedule.run


@contextlib.contextmanager
def on_ministack() -> Iterator[Callable[[int], object]]:
    with MiniStack() as ministack, real_stack.RealStack(ministack) as stack, real_stack.staged():
        yield lambda seed: real_world.run(seed, stack)


def main() -> int:
    parser = argparse.ArgumentParser(description="Try many schedules; print each that fails.")
    parser.add_argument("--real", action="store_true", help="over S3Store and DynamoStatus, on MiniStack")
    parser.add_argument("--schedules", type=int, default=None, help="100,000; 1,000 real ones")
    parser.add_argument("--from", dest="first", type=int, default=0)
    options = parser.parse_args()
    schedules = options.schedules or (1_000 if options.real else 100_000)
    failed, started = 0, time.process_time()
    with on_ministack() if options.real else in_memory() as run:
        for seed in range(options.first, options.first + schedules):
            try:
                run(seed)
            except Exception:  # noqa: BLE001 - whatever it is, it is a find
                failed += 1
                traceback.print_exc()
    seconds = time.process_time() - started
    print(f"{schedules:,} schedules in {seconds:.0f} s of CPU time, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
