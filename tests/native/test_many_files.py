"""The C reader of many files: what it reads is what lies there, and at whatever is odd it stops before it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from native.building import SANITIZED, STRICT, lacking, run
from s3torrent.store import local_many
from s3torrent.store.local import LocalStore
from s3torrent.store.local_file import FileVersion
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable


HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src" / "s3torrent" / "store" / "native" / "files.c"
STORE = LocalStore()
_files = local_many._files
pytestmark = pytest.mark.skipif(
    _files is None, reason="the C reader is not built: no compiler, or no headers"
)


def version(path: Path) -> FileVersion:
    return STORE.head(ObjectRef("", str(path))).version  # type: ignore[return-value]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Of 0 to 99 KB; one has a name that is not ASCII, one no UTF-8."""
    random = Random(7)
    names = [b"a", b"b", "ü".encode(), b"\xff", *[b"%d" % number for number in range(40)]]
    paths = [Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)) for name in names]
    for number, path in enumerate(paths):
        path.write_bytes(random.randbytes(number * 2300))
    return paths


@pytest.mark.parametrize("seed", range(20))
def test_any_parts_of_any_files(files: list[Path], seed: int) -> None:
    """Each in its place, whatever the order, and no byte beside it."""
    random = Random(seed)
    parts, expected, at = [], bytearray(), 0
    for path in random.choices(files, k=100):
        content = path.read_bytes()
        start = random.randint(0, len(content))
        length = random.randint(0, len(content) - start)
        gap = random.randint(0, 3)
        parts.append((version(path), start, at + gap, length))
        expected += bytes(gap) + content[start : start + length]
        at += gap + length
    buffer = memoryview(bytearray(at))
    random.shuffle(parts)
    assert _files.read(parts, buffer) == len(parts)
    assert buffer == expected


def make(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


ODD: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a dead link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "shorter": lambda path: os.truncate(path, 1),
    "longer": lambda path: os.truncate(path, 1 << 20),
    "another time": lambda path: os.utime(path, ns=(0, path.stat().st_mtime_ns + 1)),
    "another inode": lambda path: (path.rename(f"{path}-old"), make_like(path)),
}


def make_like(path: Path) -> None:
    status = Path(f"{path}-old").stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [0, 5, 9])
def test_it_stops_before_the_first_that_is_odd(files: list[Path], odd: str, place: int) -> None:
    parts = [(version(path), 0, 0, 10) for path in files[10:20]]
    ODD[odd](files[10 + place])
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert _files.read(parts, bytearray(10)) == place
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    "odd",
    [
        object(),
        SimpleNamespace(path="a\0b", size=1, modified_ns=0, inode=0),
        SimpleNamespace(path=b"bytes", size=1, modified_ns=0, inode=0),
        SimpleNamespace(path="a", size=1 << 70, modified_ns=0, inode=0),
        SimpleNamespace(path="a", size=1, modified_ns="0", inode=0),
        SimpleNamespace(path="a", size=1, modified_ns=0, inode=-1),
        SimpleNamespace(path="\udfff\ud800", size=1, modified_ns=0, inode=0),
    ],
    ids=["no version", "NUL", "bytes", "size", "time", "inode", "surrogates"],
)
def test_it_stops_before_a_version_it_does_not_know(files: list[Path], odd: object) -> None:
    good = (version(files[9]), 0, 0, 10)
    assert _files.read([good, (odd, 0, 0, 1), good], bytearray(10)) == 1


def test_past_a_file_s_end_there_is_nothing(files: list[Path]) -> None:
    size = files[9].stat().st_size
    assert _files.read([(version(files[9]), size - 5, 0, 6)], bytearray(6)) == 0


@pytest.mark.parametrize(("place", "length"), [(0, 11), (10, 1), (-1, 2), (0, -1), (2**62, 2**62), (11, 0)])
def test_nothing_is_written_outside_the_buffer(files: list[Path], place: int, length: int) -> None:
    with pytest.raises(ValueError, match="outside the buffer"):
        _files.read([(version(files[9]), 0, place, length)], bytearray(10))
    with pytest.raises(ValueError, match="outside the buffer"):
        _files.read([(version(files[9]), -1, 0, 1)], bytearray(10))


@pytest.mark.parametrize(
    "wrong", [(), ([],), ([1], bytearray(1)), ([(1, 2)], bytearray(1)), ([], b"read-only")]
)
def test_a_wrong_call_is_a_type_error(wrong: Any) -> None:
    with pytest.raises((TypeError, BufferError)):
        _files.read(*wrong)
    with pytest.raises(TypeError):
        _files.stats(*wrong[:1])


def test_statuses_are_those_of_stat(files: list[Path], tmp_path: Path) -> None:
    """Of what a link leads to, of folders and pipes too; a missing one ends the list."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(files[7])
    (tmp_path / "loop").symlink_to("loop")
    names = sorted({path.name for path in tmp_path.iterdir()} - {"loop"})
    told = [(tmp_path / name).stat() for name in names]
    expected = [(one.st_mode, one.st_size, one.st_mtime_ns, one.st_ino, one.st_dev) for one in told]
    assert local_many.statuses(str(tmp_path), names) == expected == _files.stats(str(tmp_path), names)
    assert _files.stats(str(tmp_path), [*names[:3], "loop", *names]) == expected[:3]
    assert _files.stats(str(tmp_path), ["a\0b"]) == _files.stats(str(tmp_path / "none"), names) == []


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Where the extension lies, built with AddressSanitizer and UBSan, and what a Python needs to load it."""
    if why := lacking("gcc"):
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("files")
    include = f"-I{sysconfig.get_path('include')}"
    run("gcc", *STRICT, *SANITIZED, "-fPIC", "-shared", include, SOURCE, "-o", folder / "_files.abi3.so")
    libraries = [run("gcc", f"-print-file-name={name}").strip() for name in ("libasan.so", "libubsan.so")]
    return folder, {"LD_PRELOAD": " ".join(libraries), "ASAN_OPTIONS": "detect_leaks=0"}


def test_the_sanitizers_say_nothing(sanitized: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    """Over all the tests of this file but this one and the slow ones."""
    folder, environment = sanitized
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import _files, pytest;"
        "from s3torrent.store import local_many; local_many._files = _files;"
        f"sys.exit(pytest.main(['-q', '-x', '-p', 'no:cacheprovider', '-n0', {str(Path(__file__))!r},"
        f" '-k', 'any_parts or stops or past or outside or wrong or statuses', '--basetemp', {str(tmp_path / 'x')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HERE.parents[1],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout


@pytest.fixture(scope="module")
def meddler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if why := lacking("gcc"):
        pytest.skip(why)
    target = tmp_path_factory.mktemp("meddler") / "meddler.so"
    run("gcc", *STRICT, "-O2", "-fPIC", "-shared", HERE / "meddler.c", "-o", target, "-ldl")
    return target


@pytest.mark.parametrize("torrent_version", ["v1", "v2", "hybrid"])
@pytest.mark.parametrize(
    ("command", "said", "code"),
    [
        ("truncate -s 5 {}", "is another file now: 5 bytes", 4),
        ("rm {}", "does not exist", 4),
        ("cp -p {0} {0}.new && mv {0}.new {0}", "is another file now", 4),
        ("printf other | dd of={} conv=notrunc status=none", "is another file now", 4),
        ("rm {0} && mkfifo {0}", "is a pipe", 2),
    ],
)
def test_a_file_that_changes_under_the_reading(
    meddler: Path, tmp_path: Path, torrent_version: str, command: str, said: str, code: int
) -> None:
    """The process as it is, with the change between its looking at the file and its first byte."""
    content = tmp_path / "content"
    content.mkdir()
    for number in range(50):
        (content / f"{number:02}").write_bytes(bytes([number]) * 3000)
    target = tmp_path / "out.torrent"
    environment = {
        **os.environ,
        "LD_PRELOAD": str(meddler),
        "MEDDLE_NAME": "25",
        "MEDDLE_COMMAND": command.format(content / "25"),
    }
    create = ["create", content, "-o", target, "--torrent-version", torrent_version]
    done = subprocess.run(
        [Path(sys.executable).with_name("s3torrent"), *create],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert f"{content / '25'}" in done.stderr
    assert said in done.stderr
    assert not target.exists()


@pytest.mark.parametrize("year", [1600, 2300, 3000])
def test_a_file_of_a_time_that_64_bits_do_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    """It is left to Python, by which a folder is read as without this extension."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode() * 2000)
    seconds = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    os.utime(tmp_path / "b", (seconds, seconds))
    walked = STORE.walk(tmp_path)
    assert isinstance(walked[1][1], FileVersion)
    assert walked[1][1].modified_ns == (tmp_path / "b").stat().st_mtime_ns
    buffer = memoryview(bytearray(6000))
    STORE.read_parts([(found, 0, 2000 * place, 2000) for place, (_, found) in enumerate(walked)], buffer)
    assert bytes(buffer) == b"a" * 2000 + b"b" * 2000 + b"c" * 2000
    monkeypatch.setattr(local_many, "_files", None)
    assert STORE.walk(tmp_path) == walked
