"""The C extension; everything else is in pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("src")
WITHOUT = {
    "s3torrent.hashing._kernel": "the C hashing kernel, hashlib does its work",
    "s3torrent.store._files": "the C reader of many files, they are read one by one",
}
"""The extensions, each with what is so without it. The sources lie in ``native`` beside it."""


class BuildOrGoOn(build_ext):
    """Without a compiler or Python's headers the package is built all the same, and says so in one line."""

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception as error:  # noqa: BLE001 - a compiler can fail in any way
            reason = str(error).partition("\n")[0]
            sys.stderr.write(f"s3torrent: built without {WITHOUT[ext.name]} ({reason})\n")


def extension(name: str) -> Extension:
    native = SOURCE.joinpath(*name.split(".")[:-1], "native")
    return Extension(
        name,
        sources=[path.as_posix() for path in sorted(native.glob("*.c"))],
        depends=[path.as_posix() for path in sorted(native.glob("*.h"))],
        extra_compile_args=["-std=c11", "-O2", "-g0", "-fvisibility=hidden"],
        py_limited_api=True,
        optional=True,
    )


setup(
    ext_modules=[extension(name) for name in WITHOUT],
    cmdclass={"build_ext": BuildOrGoOn},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},  # one build for Python 3.11 and all later ones
)
