"""``make kernel``: millions of random cases for every kernel, under the sanitizers, and by emulators those that
this CPU has not. ``cd tests && python -m native.run --seconds 300``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from native import bochs
from native.building import ARM_COMPILER, ARM_EMULATOR, SANITIZED, build_harness, lacking, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        say = sys.stdout.write
        for compiler, flags in (("gcc", SANITIZED), ("clang", SANITIZED), ("gcc", ("-O2",))):
            say(f"== {compiler} {' '.join(flags)}\n{lacking(compiler)}\n")
            if not lacking(compiler):
                harness = build_harness(Path(scratch), compiler, flags)
                say(run(harness, str(options.seconds), str(options.seed), timeout=options.seconds * 3 + 60))
        say(f"== arm64\n{lacking(ARM_COMPILER, ARM_EMULATOR)}\n")
        if not lacking(ARM_COMPILER, ARM_EMULATOR):
            harness = build_harness(Path(scratch), ARM_COMPILER, ("-O2", "-static"))
            command = (ARM_EMULATOR, "-cpu", "max", harness, str(options.seconds), str(options.seed))
            say(run(*command, timeout=options.seconds * 3 + 60))
        say(f"== AVX-512\n{bochs.why_not()}\n")
        if not bochs.why_not():
            bochs.build_disk(Path(scratch), max(int(options.seconds * 10), 50), options.seed)
            said = bochs.boot(Path(scratch), options.seconds * 20 + 120)
            say(said)
            if "all agree" not in said:
                sys.exit(1)


if __name__ == "__main__":
    main()
