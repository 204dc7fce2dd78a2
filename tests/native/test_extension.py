"""The C extension as Python sees it, with the logic of the 16-lane kernel in it; and the package without it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from native.agreement import (
    HYBRID_PIECE_LENGTHS,
    PIECE_LENGTHS,
    RANDOM,
    SIZES,
    STARTS,
    file_of,
    leaves_of,
    pairs_of,
    pieces_of,
)
from native.building import NATIVE, build_extension, lacking

if TYPE_CHECKING:
    from types import ModuleType

ROOT = NATIVE.parents[3]
FAMILIES = ("sha-ni", "avx2", "avx512", "arm-sha", "wide", "plain")


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    if why := lacking("gcc"):
        pytest.skip(why)
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("this Python has no headers")
    path = build_extension(tmp_path_factory.mktemp("extension"), "gcc")
    loader = importlib.machinery.ExtensionFileLoader("_kernel", str(path))
    spec = importlib.util.spec_from_loader("_kernel", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("family", FAMILIES)
@given(
    size=SIZES,
    start=STARTS,
    piece_length=PIECE_LENGTHS,
    hybrid_length=HYBRID_PIECE_LENGTHS,
    from_file=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_it_gives_hashlibs_digests(
    extension: ModuleType,
    family: str,
    size: int,
    start: int,
    piece_length: int,
    hybrid_length: int,
    from_file: bool,
) -> None:
    if family not in extension.kernels():
        pytest.skip(f"this CPU has no {family}")
    extension.use(family)
    data = memoryview(RANDOM)[start : start + size]
    pieces, leaves, hybrid = pieces_of(data, piece_length), leaves_of(data), pieces_of(data, hybrid_length)
    if from_file:
        with file_of(RANDOM) as fd:
            assert extension.file_pieces(fd, start, start + size, piece_length) == pieces
            assert extension.file_leaves(fd, start, start + size) == leaves
            assert extension.file_hybrid(fd, start, start + size, hybrid_length) == (hybrid, leaves)
    else:
        assert extension.pieces(data, piece_length) == pieces
        assert extension.leaves(data) == leaves
        assert extension.hybrid(data, hybrid_length) == (hybrid, leaves)
    pairs = leaves[: len(leaves) // 64 * 64]
    assert extension.pairs(pairs) == pairs_of(pairs)


def test_it_can_run_what_needs_no_special_cpu(extension: ModuleType) -> None:
    assert extension.kernels()[-2:] == ["wide", "plain"]
    for family in ("wide", "plain"):
        extension.use(family)
        assert all(said.startswith(f"{family} x") for said in extension.in_use())


@pytest.mark.parametrize("name", ["sse9", "", "auto\0", "\udc80"])
def test_an_unknown_kernel_is_refused_and_nothing_changes(extension: ModuleType, name: str) -> None:
    extension.use("plain")
    with pytest.raises(ValueError, match=r"kernel '.*' is unknown|null character|surrogates"):
        extension.use(name)
    assert extension.in_use() == ("plain x1", "plain x1")


@pytest.mark.parametrize(
    "arguments",
    ["pieces()", "pieces(b'')", "pieces(b'', 'x')", "leaves(1)", "leaves(b'', 1)", "hybrid(b'')", "pairs('x')",
     "file_pieces()", "file_pieces('x', 0, 1, 1)", "file_leaves(0, 0)", "file_hybrid(0, 0, 1)", "use()", "use(1)",
     "leaves_of_files(b'', 1)", "leaves_of_files(b'a', ['a'])", "update_many([1], [b''])", "update_many(1, [])",
     "Sha1(1)", "Sha1().update('x')", "Sha1().update()", "Sha1(x=1)"],
)  # fmt: skip
def test_wrong_arguments_are_type_errors(extension: ModuleType, arguments: str) -> None:
    with pytest.raises(TypeError):
        eval(f"extension.{arguments}", {"extension": extension})


def test_a_pipe_is_no_file(extension: ModuleType) -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(ValueError, match="no regular file"):
            extension.file_leaves(reading, 0, 1)
    finally:
        os.close(reading)
        os.close(writing)


def test_refused_calls_leak_no_buffer(extension: ModuleType) -> None:
    """A buffer that is still exported cannot be resized."""
    data = bytearray(100)
    stream = extension.Sha1()
    for call in (
        lambda: extension.pieces(data, 0),
        lambda: extension.hybrid(data, 5),
        lambda: extension.pairs(data),
        lambda: extension.leaves_of_files(data, [1]),
        lambda: extension.update_many([stream, stream], [data, data]),
        lambda: extension.update_many([stream, 1], [data, data]),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()
        data.append(0)
    stream.update(data)
    extension.leaves(data)
    data.append(0)


def test_memory_that_cannot_be_had_is_a_memory_error(extension: ModuleType, tmp_path: Path) -> None:
    """A sparse file of 2^50 bytes, in pieces of one byte each: 20 PiB of digests."""
    with (tmp_path / "sparse").open("wb") as file:
        try:
            file.truncate(1 << 43)
        except OSError:
            pytest.skip("this file system has no files of 8 TiB")
        fd = os.open(tmp_path / "sparse", os.O_RDONLY)
        try:
            with pytest.raises(MemoryError):
                extension.file_pieces(fd, 0, 1 << 43, 1)
        finally:
            os.close(fd)


def test_without_a_compiler_the_package_is_built_and_says_so_in_a_line_for_each(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", "77", reason="setuptools is not installed")
    shutil.copytree(NATIVE, tmp_path / NATIVE.relative_to(ROOT))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "src" / "s3torrent" / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=tmp_path, env={**os.environ, "CC": "/nonexistent/cc"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("s3torrent:")]
    assert len(said) == 2
    assert said[0].startswith("s3torrent: built without the C hashing kernel, hashlib does its work (")
    assert said[1].startswith(
        "s3torrent: built without the C reader of many files, they are read one by one ("
    )
    assert not list(tmp_path.rglob("*.so"))
