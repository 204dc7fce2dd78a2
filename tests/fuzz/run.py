"""Coverage-guided fuzzing of one target by atheris: ``python -m tests.fuzz.run TARGET [--seconds N] [--keep FOLDER]``.

Finds go to ``--keep`` (crash-*, timeout-*, oom-*): minimise one with ``--minimise FILE``, put it into
``corpus/TARGET`` and mend what it shows. Exit code 0: nothing found.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

SECONDS_FOR_ONE = 10
"""One input that takes longer is a hang."""
MEGABYTES = 2048


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["s3torrent", "fuzz"], enable_loader_override=False):
        from fuzz.targets import CORPUS, TARGETS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-finds"))
    parser.add_argument("--minimise", type=Path)
    told = parser.parse_args()
    logging.disable(logging.CRITICAL)
    told.keep.mkdir(parents=True, exist_ok=True)
    options = [
        f"-timeout={SECONDS_FOR_ONE}", f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1", "-verbosity=1",
        f"-artifact_prefix={told.keep}/{told.target}-", f"-max_total_time={told.seconds}",
    ]  # fmt: skip
    if told.minimise:
        options += ["-minimize_crash=1", str(told.minimise)]
    else:
        options += ["-max_len=16384", tempfile.mkdtemp(prefix="fuzz-corpus-")]
        # The first folder takes what is found on the way; the committed one is only read.
        for seed in (CORPUS / told.target).iterdir():
            shutil.copy(seed, options[-1])
    atheris.Setup([sys.argv[0], *options], TARGETS[told.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
