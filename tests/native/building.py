"""Builds of the kernel's C for its tests: the harness of random cases, for this CPU and others, and the extension."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
NATIVE = HERE.parents[1] / "src" / "s3torrent" / "hashing" / "native"
PYTHON_GLUE = {"module.c", "calls.c", "sha1_type.c"}
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion")
SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
KERNELS_SANITIZED = ("-O2", "-g", "-fsanitize=address")
"""For the unrolled kernels: half a minute of compiling less. plain.c, the same text, has the other sanitizer, too."""
UNROLLED = ("x86_sha_ni.c", "avx2.c", "avx512.c", "arm_sha.c", "wide.c")
WIDE = "-DS3TORRENT_WIDE"
ARM_COMPILER, ARM_EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"


def lacking(*programs: str) -> str:
    """Why a test that needs the programs is skipped; empty where all are there."""
    missing = [program for program in programs if not shutil.which(program)]
    return f"not installed: {', '.join(missing)} (util/install-judges.sh)" if missing else ""


def run(*command: str | Path, timeout: float = 300) -> str:
    """Its output; AssertionError with all it said where it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{command[0]} exits with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def kernel_sources(*left_out: str) -> list[Path]:
    return sorted(path for path in NATIVE.glob("*.c") if path.name not in PYTHON_GLUE | {*left_out})


def build_harness(
    folder: Path, compiler: str, flags: Sequence[str], kernel_flags: Sequence[str] | None = None
) -> Path:
    """main.c and all it tries. ``kernel_flags``: others for the UNROLLED files."""
    strict, include = (compiler, *STRICT), (f"-I{NATIVE}", f"-I{HERE}", WIDE)
    objects = [folder / "reference.o"]
    run(*strict, "-O2", "-c", HERE / "reference.c", "-o", objects[0])  # no matter of the sanitizers
    for name in UNROLLED:
        objects.append(folder / f"{name}.o")
        run(*strict, *(kernel_flags or flags), *include, "-c", NATIVE / name, "-o", objects[-1])
    own = [HERE / name for name in ("main.c", "passes.c", "cases.c", "flawed_source.c")]
    program = folder / "harness"
    run(*strict, *flags, *include, *own, *kernel_sources("source.c", *UNROLLED), *objects, "-o", program)
    return program


def build_extension(folder: Path, compiler: str) -> Path:
    """The Python extension, with the wide kernel in it."""
    target = folder / "_kernel.abi3.so"
    include = f"-I{sysconfig.get_path('include')}"
    flags = (*STRICT, "-O2", "-fPIC", "-shared", "-fvisibility=hidden", WIDE, include)
    run(compiler, *flags, *sorted(NATIVE.glob("*.c")), "-o", target)
    return target
