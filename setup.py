"""The C extension; everything else is in pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

NATIVE = Path("src/s3torrent/hashing/native")


class BuildKernel(build_ext):
    """Without a compiler or Python's headers the package is built all the same, and says so in one line."""

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception as error:  # noqa: BLE001 - a compiler can fail in any way
            reason = str(error).partition("\n")[0]
            sys.stderr.write(
                f"s3torrent: built without the C hashing kernel, hashlib does its work ({reason})\n"
            )


setup(
    ext_modules=[
        Extension(
            "s3torrent.hashing._kernel",
            sources=[path.as_posix() for path in sorted(NATIVE.glob("*.c"))],
            depends=[path.as_posix() for path in sorted(NATIVE.glob("*.h"))],
            extra_compile_args=["-std=c11", "-O2", "-g0", "-fvisibility=hidden"],
            py_limited_api=True,
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernel},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},  # one build for Python 3.11 and all later ones
)
