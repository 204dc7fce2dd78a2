"""Files and directories as objects, with all that may lie in a directory."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import socket
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from s3torrent.errors import (
    AccessDenied,
    BadName,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    PathConflict,
    SourceError,
    WriteConflict,
)
from s3torrent.store import local
from s3torrent.store.base import READ_CHUNK
from s3torrent.store.local import LocalStore
from s3torrent.store.local_file import FileVersion, typed
from s3torrent.types import ObjectRef, ObjectVersion

STORE = LocalStore()
SIZE = 2 * READ_CHUNK + 5


def ref(path: Path) -> ObjectRef:
    return ObjectRef("", str(path))


def put(path: Path, body: bytes) -> None:
    STORE.put(ref(path), body, replaces=None, content_type="application/x-bittorrent", metadata={})


class TestHead:
    def test_time_is_the_modification_time(self, tmp_path: Path):
        """In whole seconds, cut, not rounded."""
        (tmp_path / "a").write_bytes(b"x")
        os.utime(tmp_path / "a", ns=(0, 1_700_000_000_999_999_999))
        assert STORE.head(ref(tmp_path / "a")).version.last_modified.timestamp() == 1_700_000_000

    def test_a_directory(self, tmp_path: Path):
        """BadName says what it is."""
        with pytest.raises(BadName, match="is a directory, expected a regular file"):
            STORE.head(ref(tmp_path))

    def test_a_pipe(self, tmp_path: Path):
        """Never opened, so nothing hangs."""
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(BadName, match="is a pipe"):
            STORE.head(ref(tmp_path / "pipe"))

    @pytest.mark.parametrize("name", ["a/b", "nul\0", "n" * 300])
    def test_a_path_that_cannot_be(self, tmp_path: Path, name: str):
        """Below a file, with a NUL, too long: an error of ours."""
        (tmp_path / "a").write_bytes(b"x")
        with pytest.raises(SourceError):
            STORE.head(ref(tmp_path / name))

    def test_a_version_says_what_any_other_says(self, tmp_path: Path):
        """Though it is worked out when asked for: every field is there, and tells versions apart."""
        (tmp_path / "a").write_bytes(b"content")
        os.utime(tmp_path / "a", ns=(0, 1_700_000_000_123_456_789))
        version = STORE.head(ref(tmp_path / "a")).version
        inode = (tmp_path / "a").stat().st_ino
        assert {field.name: getattr(version, field.name) for field in fields(ObjectVersion)} == {
            "ref": ref(tmp_path / "a"),
            "version_id": None,
            "etag": f"7-{1_700_000_000_123_456_789:x}-{inode:x}",
            "size": 7,
            "last_modified": datetime.fromtimestamp(1_700_000_000, UTC),
            "sha1": None,
            "sha1_told": False,
        }
        assert version == STORE.head(ref(tmp_path / "a")).version
        os.utime(tmp_path / "a", ns=(0, 1_700_000_000_123_456_788))
        assert version != STORE.head(ref(tmp_path / "a")).version


class TestRead:
    def test_changed_while_read(self, tmp_path: Path):
        """Written to in the middle: ObjectChanged at the end at the latest."""
        path = tmp_path / "a"
        path.write_bytes(bytes(SIZE))
        chunks = STORE.read(STORE.head(ref(path)).version, 0, SIZE)
        next(chunks)
        with path.open("r+b") as file:
            file.write(b"x")
        os.utime(path, ns=(0, 1))
        with pytest.raises(ObjectChanged, match="is another file now"):
            list(chunks)

    def test_truncated_while_read(self, tmp_path: Path):
        """ObjectChanged tells where it ended."""
        path = tmp_path / "a"
        path.write_bytes(bytes(SIZE))
        chunks = STORE.read(STORE.head(ref(path)).version, 0, SIZE)
        next(chunks)
        os.truncate(path, READ_CHUNK)
        with pytest.raises(ObjectChanged, match=f"ends at byte {READ_CHUNK}; expected {SIZE}"):
            list(chunks)

    def test_replaced_while_read(self, tmp_path: Path):
        """The file that was opened is whole, but it is not the file any more."""
        path = tmp_path / "a"
        path.write_bytes(bytes(SIZE))
        chunks = STORE.read(STORE.head(ref(path)).version, 0, SIZE)
        next(chunks)
        (tmp_path / "b").write_bytes(bytes(SIZE))
        (tmp_path / "b").replace(path)
        with pytest.raises(ObjectChanged):
            list(chunks)

    def test_deleted_while_read(self, tmp_path: Path):
        """ObjectGone."""
        path = tmp_path / "a"
        path.write_bytes(bytes(SIZE))
        chunks = STORE.read(STORE.head(ref(path)).version, 0, SIZE)
        next(chunks)
        path.unlink()
        with pytest.raises(ObjectGone):
            list(chunks)

    def test_a_pipe_in_its_place_does_not_hang(self, tmp_path: Path):
        """What was a file when pinned is a pipe when opened."""
        path = tmp_path / "a"
        path.write_bytes(b"x")
        version = STORE.head(ref(path)).version
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(BadName, match="is a pipe"):
            list(STORE.read(version, 0, 1))

    def test_no_descriptor_is_left_open(self, tmp_path: Path):
        """Neither by a whole read nor by an abandoned or a failed one."""
        path = tmp_path / "a"
        path.write_bytes(bytes(SIZE))
        version = STORE.head(ref(path)).version
        before = len(list(Path("/proc/self/fd").iterdir()))
        list(STORE.read(version, 0, SIZE))
        next(STORE.read(version, 0, SIZE))
        os.truncate(path, 1)
        with pytest.raises(ObjectChanged):
            list(STORE.read(version, 0, SIZE))
        assert len(list(Path("/proc/self/fd").iterdir())) == before


class TestReadInto:
    @pytest.mark.parametrize(("start", "length"), [(0, SIZE), (0, 1), (READ_CHUNK - 1, 2), (SIZE - 1, 1)])
    def test_any_part(self, tmp_path: Path, start: int, length: int):
        """All of it, wherever in the buffer."""
        data = Random(0).randbytes(SIZE)
        (tmp_path / "a").write_bytes(data)
        buffer = STORE.buffer(length + 100)
        STORE.read_into(STORE.head(ref(tmp_path / "a")).version, start, buffer[33 : 33 + length])
        assert bytes(buffer) == bytes(33) + data[start : start + length] + bytes(67)

    def test_a_version_of_another_make(self, tmp_path: Path):
        """Whoever tells ref and ETag tells enough."""
        (tmp_path / "a").write_bytes(b"content")
        told = STORE.head(ref(tmp_path / "a")).version
        plain = ObjectVersion(told.ref, None, told.etag, told.size, told.last_modified)
        buffer = STORE.buffer(7)
        STORE.read_into(plain, 0, buffer)
        with STORE.opened(plain, 0, 7) as handle:
            assert os.pread(handle, 7, 0) == bytes(buffer) == b"content"
        (tmp_path / "a").write_bytes(b"content longer")
        with pytest.raises(ObjectChanged, match="14 bytes"):
            STORE.read_into(plain, 0, buffer)


class TestOpened:
    def test_what_is_raised_inside_is_not_taken_for_the_file_s(self, tmp_path: Path):
        """A defect stays one: only what the system and the end of the file say is put into words."""
        (tmp_path / "a").write_bytes(b"content")
        with (
            pytest.raises(ValueError, match="a defect"),
            STORE.opened(STORE.head(ref(tmp_path / "a")).version, 0, 7),
        ):
            raise ValueError("a defect")

    def test_a_pipe_in_its_place_does_not_hang(self, tmp_path: Path):
        """As with read."""
        (tmp_path / "a").write_bytes(b"x")
        version = STORE.head(ref(tmp_path / "a")).version
        (tmp_path / "a").unlink()
        os.mkfifo(tmp_path / "a")
        with pytest.raises(BadName, match="is a pipe"), STORE.opened(version, 0, 1):
            raise AssertionError
        with pytest.raises(BadName, match="is a pipe"):
            STORE.read_into(version, 0, STORE.buffer(1))


def test_a_buffer_begins_a_page():
    """Elsewhere in a page some processors copy several times slower."""
    for size in (1, 4096, 1 << 20, 16 << 20):
        buffer = STORE.buffer(size)
        assert ctypes.addressof(ctypes.c_char.from_buffer(buffer)) % mmap.PAGESIZE == 0
        assert (len(buffer), any(buffer[:4096])) == (size, False)


class TestPut:
    def test_leaves_no_other_file(self, tmp_path: Path):
        """Whether it wrote or not."""
        put(tmp_path / "a.torrent", b"one")
        with pytest.raises(WriteConflict):
            put(tmp_path / "a.torrent", b"two")
        assert [path.name for path in tmp_path.iterdir()] == ["a.torrent"]

    def test_the_file_has_the_users_usual_mode(self, tmp_path: Path):
        """Not the 0600 of a temporary file."""
        (tmp_path / "usual").write_bytes(b"x")
        put(tmp_path / "a.torrent", b"one")
        assert (tmp_path / "a.torrent").stat().st_mode == (tmp_path / "usual").stat().st_mode

    @pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
    def test_a_file_system_without_hard_links(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ):
        """It still writes only where nothing is."""

        def refuse(self: Path, target: Path) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "hardlink_to", refuse)
        put(tmp_path / "a.torrent", b"one")
        with pytest.raises(WriteConflict):
            put(tmp_path / "a.torrent", b"two")
        assert (tmp_path / "a.torrent").read_bytes() == b"one"
        assert len(list(tmp_path.iterdir())) == 1

    def test_a_relative_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """Beside the working directory's own files."""
        monkeypatch.chdir(tmp_path)
        STORE.put(ObjectRef("", "a.torrent"), b"one", replaces=None, content_type="x", metadata={})
        assert (tmp_path / "a.torrent").read_bytes() == b"one"

    def test_comparing_and_replacing_is_one_step_for_other_writers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        """The directory is locked when the old file is compared, and free again afterwards."""
        locked: list[bool] = []

        def is_locked() -> bool:
            handle = os.open(tmp_path, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(handle)
            return False

        def compare(*args: object) -> None:
            locked.append(is_locked())
            require_unchanged(*args)

        require_unchanged = local._require_unchanged
        monkeypatch.setattr(local, "_require_unchanged", compare)
        put(tmp_path / "a.torrent", b"one")
        version = STORE.head(ref(tmp_path / "a.torrent")).version
        STORE.put(version.ref, b"two", replaces=version, content_type="x", metadata={})
        assert locked == [True]
        assert not is_locked()


class TestTyped:
    @pytest.mark.parametrize(
        ("number", "expected"),
        [
            (errno.ENOENT, NoSuchObject),
            (errno.ENOTDIR, NoSuchObject),
            (errno.EACCES, AccessDenied),
            (errno.EPERM, AccessDenied),
            (errno.ELOOP, PathConflict),
            (errno.EIO, SourceError),
            (errno.ENOSPC, SourceError),
        ],
        ids=lambda value: errno.errorcode[value] if isinstance(value, int) else value.__name__,
    )
    def test_an_error_of_the_system_names_the_path(self, number: int, expected: type):
        """Exactly that type."""
        with (
            pytest.raises((SourceError, PathConflict), match="some/path") as caught,
            typed(Path("some/path")),
        ):
            raise OSError(number, os.strerror(number))
        assert type(caught.value) is expected


class TestWalk:
    def test_every_file_below_with_its_components(self, tmp_path: Path):
        """Sorted by path bytes; empty files are files, empty directories are nothing."""
        for name in ("b.txt", "é/日本.bin", "é/z/deep", "a/x", "a.b", ".hidden"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(name.encode() if name != "a/x" else b"")
        (tmp_path / "empty").mkdir()
        found = LocalStore().walk(tmp_path)
        assert [components for components, _ in found] == [
            (".hidden",),
            ("a", "x"),
            ("a.b",),
            ("b.txt",),
            ("é", "z", "deep"),
            ("é", "日本.bin"),
        ]
        for components, version in found:
            path = tmp_path.joinpath(*components)
            assert version == STORE.head(ref(path)).version

    def test_an_empty_directory_has_no_files(self, tmp_path: Path):
        """The empty list."""
        assert STORE.walk(tmp_path) == []

    def test_links_are_followed(self, tmp_path: Path):
        """To files and to directories, also to one directory twice."""
        (tmp_path / "real").mkdir()
        (tmp_path / "real/f").write_bytes(b"x")
        root = tmp_path / "root"
        root.mkdir()
        for name in ("one", "two"):
            (root / name).symlink_to(tmp_path / "real")
        (root / "file").symlink_to(tmp_path / "real/f")
        assert [components for components, _ in STORE.walk(root)] == [("file",), ("one", "f"), ("two", "f")]

    @pytest.mark.parametrize("target", [".", "..", "../.."])
    def test_a_link_to_a_directory_above(self, tmp_path: Path, target: str):
        """PathConflict names the link."""
        (tmp_path / "root/a").mkdir(parents=True)
        (tmp_path / "root/a/loop").symlink_to(target)
        with pytest.raises(PathConflict, match=r"loop.* leads back to a directory that holds it"):
            STORE.walk(tmp_path / "root")

    def test_a_link_to_itself(self, tmp_path: Path):
        """PathConflict names the link."""
        (tmp_path / "self").symlink_to("self")
        with pytest.raises(PathConflict, match="self is a symbolic link"):
            STORE.walk(tmp_path)

    def test_a_link_that_leads_nowhere(self, tmp_path: Path):
        """NoSuchObject names the link; a file is never silently left out."""
        (tmp_path / "dangling").symlink_to("nowhere")
        with pytest.raises(NoSuchObject, match="dangling"):
            STORE.walk(tmp_path)

    def test_a_name_that_is_not_utf8(self, tmp_path: Path):
        """BadName shows its bytes."""
        (tmp_path / os.fsdecode(b"caf\xe9")).touch()
        with pytest.raises(BadName, match=r"b'caf\\xe9', expected a name in UTF-8"):
            STORE.walk(tmp_path)

    def test_a_pipe_and_a_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """BadName names each and says what it is."""
        os.mkfifo(tmp_path / "p")
        with pytest.raises(BadName, match="p is a pipe"):
            STORE.walk(tmp_path)
        (tmp_path / "p").unlink()
        monkeypatch.chdir(tmp_path)  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("s")
            with pytest.raises(BadName, match="s is a socket"):
                STORE.walk(tmp_path)

    def test_a_device(self):
        """BadName too."""
        with pytest.raises(BadName, match="is a device"):
            STORE.head(ObjectRef("", os.devnull))

    def test_a_root_that_is_no_directory(self, tmp_path: Path):
        """A file, or nothing at all."""
        (tmp_path / "f").write_bytes(b"x")
        with pytest.raises(NoSuchObject, match="f is not a directory"):
            STORE.walk(tmp_path / "f")
        with pytest.raises(NoSuchObject, match="missing does not exist"):
            STORE.walk(tmp_path / "missing")

    def test_a_deep_tree(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """Deeper than Python's recursion would go in one piece, as deep as a path may be."""
        depth = 1050
        monkeypatch.chdir(tmp_path)
        for _ in range(depth):
            os.mkdir("d")  # noqa: PTH102
            os.chdir("d")
        Path("f").touch()
        try:
            assert [len(components) for components, _ in STORE.walk(tmp_path)] == [depth + 1]
        finally:  # pytest's own clean-up does recurse
            Path("f").unlink()
            for _ in range(depth):
                os.chdir("..")
                os.rmdir("d")  # noqa: PTH106


@pytest.mark.parametrize("seconds", [-(10**13), 10**13])
def test_a_time_that_no_calendar_has(tmp_path: Path, seconds: int):
    """Is told as the nearest that one has."""
    (tmp_path / "a").write_bytes(b"x")
    found = FileVersion(str(tmp_path / "a"), 1, seconds * 10**9, 1)
    assert found.last_modified.year in (1, 9999)
