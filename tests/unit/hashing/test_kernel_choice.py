"""Which kernel runs: the quickest one, or the one that S3TORRENT_KERNEL names."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from s3torrent.errors import ConfigError
from s3torrent.hashing import kernel

ABSENT = next(name for name in kernel.FAMILIES if name not in kernel.usable())
HERE = ", ".join(("auto", "hashlib", *kernel.usable()))


def program(*arguments: str, kernel_name: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != kernel.VARIABLE}
    if kernel_name is not None:
        environment[kernel.VARIABLE] = kernel_name
    code = "from s3torrent.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment, timeout=60
    )


@pytest.fixture(autouse=True)
def automatic():
    yield
    kernel.choose(kernel.AUTO)


@pytest.mark.parametrize("name", kernel.usable())
def test_a_named_kernel_is_the_one_that_runs(name: str) -> None:
    kernel.choose(name)
    said = kernel.running()
    assert said.startswith(f"sha1 {name} x")
    assert f", sha256 {name} x" in said


def test_hashlib_can_be_forced() -> None:
    kernel.choose("hashlib")
    assert kernel.running() == "hashlib"
    assert kernel.streams_at_once() == 1


@pytest.mark.parametrize("name", ["", "  ", "auto"])
def test_by_itself_it_runs_one_that_this_cpu_has(name: str) -> None:
    kernel.choose("hashlib")
    kernel.choose(name)
    if kernel.usable():
        assert kernel.running().split()[1] in kernel.usable()
        assert kernel.streams_at_once() == int(kernel.running().split(",")[0].rpartition("x")[2])
    else:
        assert kernel.running() == "hashlib"


@pytest.mark.parametrize("name", ["sse9", "SHA-NI", "plain", "auto\0", "\udc80", "a\nb"])
def test_an_unknown_name_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kernel.choose(name)
    assert caught.value.message == f"S3TORRENT_KERNEL is {name!r}; expected one of {HERE}"
    assert caught.value.hint
    caught.value.message.encode()


def test_a_kernel_for_another_cpu_is_told_as_such() -> None:
    with pytest.raises(ConfigError, match=f"S3TORRENT_KERNEL is '{ABSENT}', .*; expected one of {HERE}"):
        kernel.choose(ABSENT)


def test_a_refused_name_changes_nothing() -> None:
    kernel.choose("hashlib")
    with pytest.raises(ConfigError):
        kernel.choose("sse9")
    assert kernel.running() == "hashlib"


@pytest.mark.parametrize("name", ["hashlib", *kernel.usable()])
def test_version_says_which_kernel_runs(name: str) -> None:
    kernel.choose(name)
    said = program("--version", kernel_name=name)
    assert said.returncode == 0, said.stderr
    first = kernel.running().split(",")[0].rpartition(" x")[0]  # how many lanes is a measurement
    assert said.stdout.startswith("s3torrent 0.")
    assert f"(hashing: {first}" in said.stdout


@pytest.mark.parametrize("arguments", [["--version"], ["inspect", "x.torrent"], ["create", "x"]])
def test_a_wrong_name_ends_any_command_with_exit_2_and_one_line(arguments: list[str]) -> None:
    said = program(*arguments, kernel_name="sse9")
    assert said.returncode == 2
    assert said.stdout == ""
    assert said.stderr.splitlines() == [
        f"error: S3TORRENT_KERNEL is 'sse9'; expected one of {HERE}",
        "hint: unset S3TORRENT_KERNEL: the quickest is found by itself",
    ]


def test_without_the_extension_hashlib_does_the_work() -> None:
    code = (
        "import sys; sys.modules['s3torrent.hashing._kernel'] = None\n"
        "from s3torrent.hashing import kernel\n"
        "print(kernel.running(), kernel.usable(), kernel.leaf_digests(b'abc').hex()[:8])\n"
        "kernel.choose('sha-ni')"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert said.stdout == "hashlib () ba7816bf\n"
    assert "the C kernel is not built here; expected one of auto, hashlib" in said.stderr
