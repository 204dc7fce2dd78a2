"""The kernel's C by itself: random cases against a reference of our own, under sanitizers, and by emulators for
CPUs that this machine has not. A few seconds each; ``make kernel`` goes on for millions.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from native import bochs
from native.building import (
    ARM_COMPILER,
    ARM_EMULATOR,
    KERNELS_SANITIZED,
    NATIVE,
    SANITIZED,
    STRICT,
    build_harness,
    kernel_sources,
    lacking,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = "3"


def seed() -> str:
    return str(int.from_bytes(os.urandom(4), "big"))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_every_kernel_agrees_with_the_reference_and_the_sanitizers_are_silent(
    compiler: str, tmp_path: Path
) -> None:
    """All that this CPU can run, plain C, and the logic of 16 lanes without AVX-512."""
    if why := lacking(compiler):
        pytest.skip(why)
    said = run(build_harness(tmp_path, compiler, SANITIZED, KERNELS_SANITIZED), SECONDS, seed())
    assert "all agree" in said
    for kernel in ("sha1 plain x1", "sha1 wide x16", "sha256 plain x1", "sha256 wide x16"):
        assert f"{kernel}: " in said


def test_every_kernel_of_arm64_agrees_under_emulation(tmp_path: Path) -> None:
    if why := lacking(ARM_COMPILER, ARM_EMULATOR):
        pytest.skip(why)
    harness = build_harness(tmp_path, ARM_COMPILER, ("-O2", "-static"))
    said = run(ARM_EMULATOR, "-cpu", "max", harness, SECONDS, seed())
    assert "all agree" in said
    for lanes in (1, 2, 4):
        assert f"sha1 arm-sha x{lanes}: " in said
        assert f"sha256 arm-sha x{lanes}: " in said


def test_every_kernel_of_avx512_agrees_under_emulation(tmp_path: Path) -> None:
    if why := bochs.why_not():
        pytest.skip(why)
    bochs.build_disk(tmp_path, cases=20, seed=int(seed()))
    said = bochs.boot(tmp_path, seconds=240)
    assert said.splitlines()[-1:] == ["all agree"], said
    for algorithm in ("sha1", "sha256"):
        assert f"{algorithm} avx512 x16: 320 cases" in said
        assert said.count(f"{algorithm} sha-ni x4: 80 cases") == 2  # the second with the spare registers


@pytest.mark.parametrize("compiler", ["gcc", "clang", ARM_COMPILER])
def test_where_there_is_no_kernel_it_compiles_without_a_warning(compiler: str, tmp_path: Path) -> None:
    if why := lacking(compiler):
        pytest.skip(why)
    for source in kernel_sources():
        run(
            compiler,
            *STRICT,
            "-O2",
            "-DS3TORRENT_PLAIN_ONLY",
            f"-I{NATIVE}",
            "-c",
            source,
            "-o",
            tmp_path / "object.o",
        )


def test_no_file_of_it_is_long() -> None:
    for path in NATIVE.iterdir():
        assert len(path.read_text().splitlines()) <= 300, path
