"""The process that is MiniStack: ends, with its workers and its folder, as soon as its standard input does.

The launcher holds the other end of that pipe, so nothing outlives the launcher, whatever it dies of.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from importlib import import_module


def _end_with_the_launcher() -> None:
    os.read(sys.stdin.fileno(), 1)  # nobody ever writes: this returns at the end of the pipe
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # the launcher made us the leader of a group: the Lambda workers are in it


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_launcher, daemon=True).start()
    sys.argv = ["ministack"]
    import_module("ministack.app").main()
