"""A wheel for each architecture, and the Lambda zip that carries their kernels."""

from __future__ import annotations

import importlib.machinery
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from s3torrent.devstack import package

ROOT = Path(__file__).parents[3]
SCRIPT = "util/build-wheels.sh"
ELF_MACHINE = {"x86_64": 62, "aarch64": 183}
"""e_machine, the half word at byte 18 of an ELF file (elf.h)."""
AMAZON_LINUX_2023 = (2, 34)
"""Its glibc, which the runtime python3.13 has."""
RUNNING = "import sys; sys.path.insert(0, sys.argv[1]); import s3torrent.hashing.kernel as k"
RUNNING += "; assert k.__file__.startswith(sys.argv[1]), k.__file__; print(k.running())"


def is_here(machine: str) -> bool:
    return shutil.which(f"{machine}-linux-gnu-gcc") is not None


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    done = subprocess.run(
        ["sh", SCRIPT, sys.executable, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = {machine: path for machine in ELF_MACHINE for path in folder.glob(f"*{machine}.whl")}
    assert done.stdout.split() == [str(path) for path in found.values()]
    for machine in ELF_MACHINE:
        assert (f"no wheel for {machine}: " in done.stderr) == (not is_here(machine)), done.stderr
    return found


@pytest.mark.parametrize("machine", ELF_MACHINE)
def test_its_kernel_is_for_its_machine_and_asks_for_no_newer_system(
    wheels: dict[str, Path], machine: str
) -> None:
    if not is_here(machine):
        pytest.skip(f"no compiler for {machine}")
    assert wheels[machine].name.endswith(f"-cp311-abi3-manylinux_2_34_{machine}.whl")
    with zipfile.ZipFile(wheels[machine]) as archive:
        kernel = archive.read("s3torrent/hashing/_kernel.abi3.so")
    assert kernel[:5] == b"\x7fELF\x02"
    assert int.from_bytes(kernel[18:20], "little") == ELF_MACHINE[machine]
    assert b"PyInit__kernel\0" in kernel
    asked = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", kernel)}
    assert asked
    assert max(asked) <= AMAZON_LINUX_2023


def kernel_of(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUNNING, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_the_wheel_of_this_machine_hashes_in_c(wheels: dict[str, Path], tmp_path: Path) -> None:
    machine = platform.machine()
    if machine not in wheels:
        pytest.skip(f"no compiler for {machine}")
    with zipfile.ZipFile(wheels[machine]) as archive:
        archive.extractall(tmp_path)
    assert kernel_of(tmp_path).startswith("sha1 ")


def test_the_zip_has_a_kernel_for_each_machine_and_python_finds_its_own(
    wheels: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For this Python's version instead of the runtime's, by the name that this Python looks for."""
    if platform.machine() not in wheels:
        pytest.skip(f"no compiler for {platform.machine()}")
    this = f"cpython-{sys.version_info.major}{sys.version_info.minor}"
    monkeypatch.setattr(package, "RUNTIME", this)
    with zipfile.ZipFile(package.build_zip(tmp_path / "a.zip", list(wheels.values()))) as archive:
        names = [Path(name).name for name in archive.namelist() if name.endswith(".so")]
        archive.extractall(tmp_path / "a")
    assert names == sorted(f"_kernel.{this}-{machine}-linux-gnu.so" for machine in wheels)
    assert f"_kernel{importlib.machinery.EXTENSION_SUFFIXES[0]}" in names
    assert kernel_of(tmp_path / "a").startswith("sha1 ")


def test_without_a_kernel_for_this_machine_hashlib_works(wheels: dict[str, Path], tmp_path: Path) -> None:
    others = [wheel for machine, wheel in wheels.items() if machine != platform.machine()]
    if not others:
        pytest.skip("no compiler for another machine")
    with zipfile.ZipFile(package.build_zip(tmp_path / "a.zip", others)) as archive:
        archive.extractall(tmp_path / "a")
    assert kernel_of(tmp_path / "a") == "hashlib"


def test_the_same_wheels_give_the_same_zip_and_the_command_says_what_lacks(
    wheels: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again = tmp_path / "first.zip", tmp_path / "again.zip"
    one = dict(list(wheels.items())[:1])
    for out in (first, again):
        assert package.main([str(out), *map(str, one.values())]) == 0
    assert first.read_bytes() == again.read_bytes()
    told = capsys.readouterr().err
    for machine in ELF_MACHINE:
        assert (f"no kernel for {machine} in it" in told) == (machine not in one)


@pytest.mark.parametrize(
    "name", ["s3torrent-1-win_amd64.whl", "gone_x86_64.whl", "empty_aarch64.whl", "text_x86_64.whl"]
)
def test_a_wheel_of_no_use_is_named_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, wheel = tmp_path / "a.zip", tmp_path / name
    if name.startswith("text"):
        wheel.write_text("not a zip")
    if name.startswith("empty"):
        zipfile.ZipFile(wheel, "w").close()
    assert package.main([str(out), str(wheel)]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"{wheel}: ")
    assert told.endswith("as make wheels builds them")
    assert not out.exists()
