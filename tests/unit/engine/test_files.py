"""Files of this machine under a running create: whatever happens to one of them has its name, and no torrent."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine import file_hasher, ranges
from s3torrent.engine import files as engine_files
from s3torrent.engine.files import FileWork
from s3torrent.engine.native import NativeEngine
from s3torrent.errors import BadName, ObjectChanged, ObjectGone, S3TorrentError, SourceError
from s3torrent.hashing import kernel
from s3torrent.hashing.layout import Layout
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.content import tree_content
from s3torrent.store import local_many
from s3torrent.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.engine.base import Content

STORE = LocalStore()
PIECE = 16384
VERSIONS = ["v1", "v2", "hybrid"]
SMALL, LARGE = "small/0150", "large"
"""A file that is read into the buffer among others, and one that the kernel reads by itself."""


@pytest.fixture(params=[kernel.AUTO, kernel.HASHLIB])
def _kernel(request: pytest.FixtureRequest) -> Iterator[None]:
    kernel.choose(request.param)
    yield
    kernel.choose(kernel.AUTO)


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Content:
    """300 files of 1 KB, and one of 2 MB, in ranges of 64 KiB."""
    for name, value in {"LARGE": 1 << 20, "USUAL_RANGE": 4 * PIECE, "LEAST_RANGE": 1, "LANES": 4}.items():
        monkeypatch.setattr(engine_files, name, value)
    root = tmp_path / "content"
    (root / "small").mkdir(parents=True)
    for number in range(300):
        (root / f"small/{number:04}").write_bytes(bytes([number % 251]) * 1000)
    (root / LARGE).write_bytes(bytes(range(250)) * 8000)
    return tree_content("content", STORE.walk(root))


def create(content: Content, version: str, threads: int) -> object:
    policy = TorrentPolicy(version=version, piece_length=PIECE)
    return NativeEngine(threads).build(content, policy, STORE, lambda _: None).metainfo


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    """By one of the same size and time: only the inode tells."""
    other, status = path.with_name("other"), path.stat()
    other.write_bytes(bytes(status.st_size))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def write_over(path: Path) -> None:
    """In place, of the same size: only the time tells."""
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, ns=(0, 1))


FAULTS: dict[str, tuple[Callable[[Path], None], type[S3TorrentError]]] = {
    "truncated": (truncate, ObjectChanged),
    "replaced": (replace, ObjectChanged),
    "written over": (write_over, ObjectChanged),
    "removed": (Path.unlink, ObjectGone),
}


def strike(monkeypatch: pytest.MonkeyPatch, path: Path, fault: Callable[[Path], None]) -> list[bool]:
    """Have ``fault`` happen to ``path`` once it is open, before its first byte is read; tells if it has.

    Without the C reader, under which tests/native/test_many_files.py does the same.
    """
    monkeypatch.setattr(local_many, "_files", None)
    struck: list[bool] = []
    target = path.stat().st_ino
    once = threading.Lock()

    def meddled(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(handle: int, *arguments: Any) -> Any:
            with once:
                if not struck and os.fstat(handle).st_ino == target:
                    struck.append(True)
                    fault(path)
            return real(handle, *arguments)

        return call

    monkeypatch.setattr(os, "preadv", meddled(os.preadv))
    for name in ("file_piece_digests", "file_leaf_digests", "file_hybrid_digests"):
        monkeypatch.setattr(file_hasher, name, meddled(getattr(file_hasher, name)))
    return struck


@pytest.mark.usefixtures("_kernel")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("file", [SMALL, LARGE])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_changes_while_it_is_read(
    content: Content,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    version: str,
    file: str,
    threads: int,
) -> None:
    path = tmp_path / "content" / file
    happen, expected = FAULTS[fault]
    struck = strike(monkeypatch, path, happen)
    with pytest.raises(expected, match=file) as caught:
        create(content, version, threads)
    assert type(caught.value) is expected
    assert struck


@pytest.mark.parametrize("file", [SMALL, LARGE])
@pytest.mark.parametrize(
    ("happen", "expected"),
    [
        (truncate, ObjectChanged),
        (replace, ObjectChanged),
        (write_over, ObjectChanged),
        (Path.unlink, ObjectGone),
        (lambda path: (path.unlink(), os.mkfifo(path)), BadName),
        (lambda path: (path.unlink(), path.mkdir()), BadName),
    ],
    ids=["truncated", "replaced", "written over", "removed", "a pipe", "a folder"],
)
def test_a_file_that_changed_before_it_is_read(
    content: Content,
    tmp_path: Path,
    happen: Callable[[Path], object],
    expected: type[S3TorrentError],
    file: str,
) -> None:
    happen(tmp_path / "content" / file)
    with pytest.raises(expected, match=file):
        create(content, "v1", 2)


@pytest.mark.parametrize("file", [SMALL, LARGE])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_disk_that_fails(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, file: str
) -> None:
    def fail(path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    strike(monkeypatch, tmp_path / "content" / file, fail)
    with pytest.raises(SourceError, match=f"{file}: Input/output error"):
        create(content, version, 2)


def test_a_read_that_comes_in_bits_is_put_together(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may return less than was asked for: nothing is lost, nothing taken for the end. What the C
    kernel reads by itself is tried in tests/native.
    """
    monkeypatch.setattr(kernel, "_native", [False])
    whole = create(content, "hybrid", 2)
    preadv, pread = os.preadv, os.pread
    monkeypatch.setattr(os, "preadv", lambda handle, views, at: preadv(handle, [views[0][:333]], at))
    monkeypatch.setattr(os, "pread", lambda handle, length, at: pread(handle, min(length, 5000), at))
    assert create(content, "hybrid", 2) == whole


@pytest.mark.parametrize("version", VERSIONS)
def test_an_error_leaves_no_thread_and_no_descriptor(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    strike(monkeypatch, tmp_path / "content" / SMALL, truncate)
    before = open_descriptors(tmp_path)
    with pytest.raises(ObjectChanged):
        create(content, version, 4)
    assert open_descriptors(tmp_path) == before
    assert not helpers()


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("files-")]


def open_descriptors(below: Path) -> list[str]:
    """Of files below a folder: other tests' threads may hold what they like."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:  # the listing's own
            continue
        if target.startswith(str(below)):
            found.append(target)
    return found


def test_progress_ends_at_the_size_and_never_goes_back(content: Content) -> None:
    """Padding is not counted: nobody waits for it to be read."""
    for version in VERSIONS:
        told: list[int] = []
        policy = TorrentPolicy(version=version, piece_length=PIECE)
        NativeEngine(3).build(content, policy, STORE, told.append)
        assert told == sorted(told)
        assert told[-1] == content.size


@pytest.mark.parametrize("threads", [1, 3])
def test_what_progress_raises_ends_the_work(content: Content, threads: int) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    policy = TorrentPolicy(piece_length=PIECE)
    with pytest.raises(KeyboardInterrupt):
        NativeEngine(threads).build(content, policy, STORE, stop)
    assert not helpers()


def test_a_defect_in_a_helping_thread_is_raised(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that goes wrong beside the calling thread is taken for a result."""
    caller, failed = threading.current_thread(), threading.Event()
    read_parts, helping = LocalStore.read_parts, FileWork.help

    def fail_beside(*arguments: Any) -> None:
        if threading.current_thread() is not caller:
            raise ZeroDivisionError
        assert failed.wait(10)
        read_parts(*arguments)

    def help_and_tell(work: FileWork[Any]) -> None:
        helping(work)
        failed.set()

    monkeypatch.setattr(LocalStore, "read_parts", fail_beside)
    monkeypatch.setattr(FileWork, "help", help_and_tell)
    with pytest.raises(ZeroDivisionError):
        create(content, "v1", 2)


@pytest.mark.parametrize("threads", [1, 2, 8, 100, 1000])
@pytest.mark.parametrize("piece", [PIECE, 1 << 20, 16 << 20, 128 << 20])
@pytest.mark.parametrize("size", [1, PIECE, 100 << 20, 4 << 30, 1 << 40])
def test_ranges_are_whole_pieces_that_are_hashed_soon(size: int, piece: int, threads: int) -> None:
    """At most 128 MiB or one piece, so that progress and Ctrl-C get through; at least two for two threads."""
    work = FileWork(Layout.of_files([size], piece, "v1"), [None], STORE, threads)
    assert work.range_length % piece == 0
    assert work.stretch % piece == 0
    assert max(work.range_length, work.stretch) <= max(engine_files.MOST_RANGE, piece)
    if threads > 1 and size > max(piece, engine_files.LEAST_RANGE):
        assert work.range_length < size


@pytest.mark.parametrize("threads", [1, 2, 6, 96, 1000])
def test_buffers_are_bounded_whatever_the_number_of_threads(threads: int) -> None:
    """96 MiB in all up to 96 threads, then 1 MiB each; also where a disk calls for more threads than cores."""
    rooms = [
        FileWork(Layout.of_files([1 << 40], piece, version), [None], STORE, threads).room
        for piece in (PIECE, 1 << 20, 3 << 20, 128 << 20)
        for version in ("v1", "v2")
    ]
    assert max(rooms) * max(threads, engine_files.WAITING_THREADS) <= max(96 << 20, threads << 20)
    assert all(room % PIECE == 0 for room in rooms)


@pytest.mark.parametrize("told", ["ru_inblock", "ru_nvcsw"])
def test_small_files_on_a_disk_or_a_network_are_read_by_many_threads(
    content: Content, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    """However few the cores: there, time is spent waiting. Blocks that were read tell, or waits."""
    whole, hired, hire = create(content, "v1", 2), [], FileWork.hire

    def watched(work: FileWork[Any], threads: int) -> None:
        hired.append(threads)
        hire(work, threads)

    monkeypatch.setattr(FileWork, "hire", watched)
    use(monkeypatch, **{told: 1000})
    assert create(content, "v1", 2) == whole
    assert hired[0] == 2
    assert set(hired[1:]) == {engine_files.WAITING_THREADS}
    assert not helpers()


def use(monkeypatch: pytest.MonkeyPatch, **more: int) -> None:
    """Each time the system is asked what a thread has used, it is that much ``more``."""
    count = itertools.count()

    def used(_: int) -> SimpleNamespace:
        step = next(count)
        return SimpleNamespace(**{name: more.get(name, 0) * step for name in ("ru_inblock", "ru_nvcsw")})

    monkeypatch.setattr(resource, "getrusage", used)


def test_the_function_never_loads_it() -> None:
    """The seam is a method that S3's store does not have."""
    from s3torrent.store.memory import MemoryStore
    from s3torrent.store.s3 import S3Store

    assert isinstance(STORE, ranges.FileReader)
    assert not isinstance(MemoryStore(), ranges.FileReader)
    assert not issubclass(S3Store, ranges.FileReader)
