"""The script itself."""

import shutil
import subprocess

import pytest

from layer.building import REPOSITORY, SCRIPT


def test_shellcheck_has_nothing_to_say() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck")
    done = subprocess.run(["shellcheck", SCRIPT], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.stdout == ""
    assert done.returncode == 0


def test_it_can_be_run_by_its_name() -> None:
    assert (REPOSITORY / SCRIPT).stat().st_mode & 0o111
