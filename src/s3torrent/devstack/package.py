"""The Lambda zip: our own source and, where it is built, the kernel; the runtime brings boto3.

Same input, same bytes. A kernel for another machine is not loaded: hashlib does its work there.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import s3torrent

LEFT_OUT = frozenset({"cli", "devstack", "catalog", "native", "__pycache__"})
"""Folders the function never imports; two of them need packages that the runtime lacks, one is C."""

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold
REGULAR_0644 = 0o100644 << 16
UNIX = 3


def build_zip(out: Path) -> Path:
    """Write the zip to ``out``, folders and all, and return it. Names sorted, dates and modes fixed."""
    package = Path(s3torrent.__file__).parent
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in _files(package):
            info = zipfile.ZipInfo(f"{package.name}/{path.as_posix()}", EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = UNIX
            info.external_attr = REGULAR_0644
            archive.writestr(info, (package / path).read_bytes())
    return out


def _files(package: Path) -> list[Path]:
    files = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    return sorted(path for path in files if LEFT_OUT.isdisjoint(path.parts))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m s3torrent.devstack.package OUT.zip\n")
        return 2
    out = build_zip(Path(arguments[0]))
    sys.stdout.write(f"{out} {out.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
