"""The Lambda zip: our own source, jinja2 and the kernel for each architecture; the runtime brings boto3.

Same input, same bytes. Python loads the kernel that is named for its machine, else the one that is built
here; one that is for another machine is not loaded, and hashlib does its work.
"""

from __future__ import annotations

import platform
import sys
import zipfile
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import s3torrent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEFT_OUT = frozenset({"cli", "devstack", "doctor", "live", "native", "__pycache__", "_files.abi3.so"})
"""What the function never imports; some of the folders need packages that the runtime lacks, one is C."""

BROUGHT = ("jinja2", "markupsafe")
"""What the catalogue is rendered by (ADR 18), without markupsafe's C, which it does without."""

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold
REGULAR_0644 = 0o100644 << 16
UNIX = 3

KERNEL = "hashing/_kernel"
HERE, RUNTIME = f"{KERNEL}.abi3.so", "cpython-313"
MACHINES = ("x86_64", "aarch64")


class WheelUnusable(Exception):
    def __init__(self, wheel: Path, why: str) -> None:
        expected = " or ".join(f"s3torrent-*_{machine}.whl" for machine in MACHINES)
        super().__init__(f"{wheel}: {why}; give {expected}, as make wheels builds them")


def build_zip(out: Path, wheels: Sequence[Path] = ()) -> Path:
    """Write the zip to ``out``, folders and all, and return it. Names sorted, dates and modes fixed.

    The kernels are those of the ``wheels``, one for each machine; without any, the one that is built here.
    """
    package = Path(s3torrent.__file__).parent
    files = {path.as_posix(): (package / path).read_bytes() for path in _files(package)}
    brought = dict(chain.from_iterable(map(_brought, BROUGHT)))
    kernels = dict(map(_kernel, wheels))
    if kernels:
        files.pop(HERE, None)
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        own = {f"{package.name}/{name}": content for name, content in (files | kernels).items()}
        for name, content in sorted((own | brought).items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = UNIX
            info.external_attr = REGULAR_0644
            archive.writestr(info, content)
    return out


def _files(package: Path) -> list[Path]:
    files = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    return [path for path in files if LEFT_OUT.isdisjoint(path.parts)]


def _brought(name: str) -> Iterator[tuple[str, bytes]]:
    """The Python of an installed package, and its licence."""
    for file in distribution(name).files or ():
        path = file.as_posix()
        if file.suffix == ".py" or "LICENSE" in file.name:
            yield path, file.read_binary()


def _kernel(wheel: Path) -> tuple[str, bytes]:
    """A wheel's kernel, and the name by which the runtime finds it on its machine (PEP 3149)."""
    machine = next((machine for machine in MACHINES if wheel.stem.endswith(machine)), None)
    if machine is None:
        raise WheelUnusable(wheel, "is for none of Lambda's machines")
    try:
        with zipfile.ZipFile(wheel) as archive:
            kernel = archive.read(f"{s3torrent.__name__}/{HERE}")
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise WheelUnusable(wheel, f"has no kernel that can be read ({error})") from error
    return f"{KERNEL}.{RUNTIME}-{machine}-linux-gnu.so", kernel


def main(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write("usage: python -m s3torrent.devstack.package OUT.zip [WHEEL...]\n")
        return 2
    wheels = [Path(wheel) for wheel in arguments[1:]]
    try:
        out = build_zip(Path(arguments[0]), wheels)
    except WheelUnusable as error:
        sys.stderr.write(f"{error}\n")
        return 2
    here = [platform.machine()] if not wheels and (Path(s3torrent.__file__).parent / HERE).exists() else []
    for machine in MACHINES:
        if machine not in here and not any(wheel.stem.endswith(machine) for wheel in wheels):
            sys.stderr.write(f"no kernel for {machine} in it: hashlib does its work there\n")
    sys.stdout.write(f"{out} {out.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
