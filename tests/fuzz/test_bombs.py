"""Bombs, each in a process of 1 GiB and a minute of CPU time: refused in a line, or shown within that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.bombs import BOMBS, BURDENS
from fuzz.saying import LONGEST

TESTS = Path(__file__).resolve().parents[1]


def told(name: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.bombs", name], capture_output=True, text=True, cwd=TESTS, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_one_line(name: str) -> None:
    what, length = told(name)
    assert what == "refused"
    assert int(length) <= LONGEST


@pytest.mark.parametrize("name", BURDENS)
def test_what_is_large_and_sound_is_shown(name: str) -> None:
    what, *lengths = told(name)
    assert what == "shown"
    assert all(int(length) > 0 for length in lengths)
