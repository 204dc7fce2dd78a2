"""docker/cli without Docker: its steps tried as a shell runs them in a scratch folder, and what the Dockerfile says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docker/cli"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
IGNORED = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
STEPS = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
"""Instruction and what follows it, in order."""
LAST = DOCKERFILE.rpartition("\nFROM ")[2]
"""The stage that becomes the image."""
SECONDS = 280
NEEDS_ROOT = ("apt-get", "useradd")


def named(*instructions: str) -> list[str]:
    return [rest for instruction, rest in STEPS if instruction in instructions]


def copied() -> list[str]:
    """What comes from the checkout."""
    lines = [rest.split() for rest in named("COPY") if not rest.startswith("--from=")]
    return [path for *paths, _ in lines for path in paths]


def test_each_line_of_the_file_is_understood_by_these_tests() -> None:
    told = "\n".join(f"{instruction} {rest}" for instruction, rest in STEPS)
    left = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    assert told.splitlines() == left


def test_both_stages_have_one_base_pinned_to_a_version() -> None:
    """The environment is copied, and its python is the base's."""
    assert named("FROM") == ["python:3.13-slim AS build", "python:3.13-slim"]


def test_its_user_is_not_root_and_the_folder_it_works_in_is_his() -> None:
    assert named("USER") == ["1000:1000"]
    assert "useradd --uid 1000 " in LAST
    assert "--owner=s3torrent --group=s3torrent /data" in LAST
    assert named("WORKDIR") == ["/build", "/data"]


def test_it_begins_with_the_command() -> None:
    assert named("ENTRYPOINT") == ['["s3torrent"]']
    assert not named("CMD")
    assert "ENV PATH=/opt/s3torrent/bin:$PATH " in LAST


def test_what_is_copied_is_there_and_not_ignored() -> None:
    assert IGNORED[0] == "*"
    assert {line.removeprefix("!") for line in IGNORED if line.startswith("!")} == set(copied())
    for path in copied():
        assert (ROOT / path).exists(), path


def test_what_a_build_left_in_the_checkout_does_not_get_in() -> None:
    assert {"**/__pycache__", "**/*.so"} < set(IGNORED)


def test_the_locks_pin_by_hash_and_name_no_place() -> None:
    for name, wanted in (("cli", ("boto3", "click", "rich", "jinja2")), ("build", ("setuptools",))):
        lock = (ROOT / f"requirements/{name}.txt").read_text()
        pinned = re.findall(r"^([\w-]+)==\S+( ;.*)? \\\n    --hash=sha256:", lock, re.MULTILINE)
        assert len(pinned) == lock.count("==") - len(re.findall(r" ; .*==", lock))
        assert {found for found, _ in pinned} >= set(wanted)
        assert "://" not in lock


def test_the_locks_hold_the_versions_that_the_tests_run_with() -> None:
    tested = set(re.findall(r"^([\w-]+==\S+)", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE))
    for name in ("cli", "build"):
        lock = (ROOT / f"requirements/{name}.txt").read_text()
        assert set(re.findall(r"^([\w-]+==\S+)", lock, re.MULTILINE)) <= tested


def test_no_cache_stays_in_a_layer() -> None:
    assert "rm -rf /var/lib/apt/lists/*" in DOCKERFILE
    for install in re.findall(r"pip (?:--python \S+ )?(?:install|wheel) (.*)", DOCKERFILE):
        assert install.startswith("--no-cache-dir ")


def test_its_steps_build_a_command_that_hashes_in_c(tmp_path: Path) -> None:
    """All but those of apt and useradd, by this Python and its pip instead of the image's."""
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    base, build, made = tmp_path / "base", tmp_path / "build", tmp_path / "opt"
    subprocess.run([sys.executable, "-m", "venv", base], check=True, timeout=SECONDS)
    build.mkdir()
    ran = 0
    for instruction, rest in STEPS[: STEPS.index(("FROM", "python:3.13-slim"))]:
        if instruction == "COPY":
            *paths, target = rest.split()
            for path in paths:
                _copy(ROOT / path, build / target, into=target.endswith("/"))
        elif instruction == "RUN" and not rest.startswith(NEEDS_ROOT):
            done = subprocess.run(
                ["sh", "-ec", rest.replace("/opt/s3torrent", str(made))],
                cwd=build,
                env=_environment(base),
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            if "No matching distribution found" in done.stderr + done.stdout:
                pytest.skip(f"needs a package index: {done.stderr.strip().splitlines()[-1]}")
            assert done.returncode == 0, done.stdout + done.stderr
            ran += 1
    assert ran == 2
    for line in ("--version", "create film.mkv", "verify film.mkv.torrent film.mkv", "catalog --help"):
        (build / "film.mkv").write_bytes(b"film" * 10_000)
        done = subprocess.run(
            [made / "bin/s3torrent", *line.split()], cwd=build, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    assert not (made / "bin/pip").exists()


def _environment(base: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{base}/bin:{os.environ.get('PATH', os.defpath)}"}


def _copy(source: Path, target: Path, *, into: bool) -> None:
    """As COPY does, without what is ignored."""
    left = shutil.ignore_patterns(*(line[3:] for line in IGNORED if line.startswith("**/")))
    if source.is_dir():
        shutil.copytree(source, target, ignore=left)
    else:
        place = target / source.name if into else target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
