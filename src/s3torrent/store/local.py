"""Files of this machine as objects: ``ObjectRef("", path)``."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from s3torrent.errors import NoSuchObject, ObjectChanged, ObjectGone, WriteConflict
from s3torrent.store.base import READ_CHUNK, read_whole, require_ascii
from s3torrent.store.local_file import (
    STILL,
    FileVersion,
    in_our_words,
    pages,
    require_same,
    typed,
    version_of,
)
from s3torrent.store.local_many import MOST_AT_ONCE, read_most
from s3torrent.store.local_walk import walk
from s3torrent.types import ObjectHead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from s3torrent.store.local_many import Part
    from s3torrent.types import ObjectRef, ObjectVersion

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EMLINK})
_READ_ONLY = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe in a file's place must not hang us


class LocalStore:
    """A file has no versions, content type or metadata; its ETag is size, modification time and inode."""

    walk = staticmethod(walk)
    buffer = staticmethod(pages)

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        if version_id is not None:
            raise NoSuchObject(f"{ref} (version {version_id}) does not exist: files have no versions")
        try:
            status = os.stat(ref.key)  # noqa: PTH116 - a Path for each of many files costs more than the call
        except (OSError, ValueError) as error:
            raise in_our_words(ref.key, error) from error
        return ObjectHead(version_of(ref.key, status))

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        """The file is compared with ``version`` before the first byte and after the last one."""
        if start >= end:
            return
        with self.opened(version, start, end) as handle:
            buffer = pages(min(READ_CHUNK, end - start))
            position = start
            while position < end:
                length = os.preadv(handle, [buffer[: end - position]], position)
                if not length:
                    raise _ended(version, position)
                position += length
                yield buffer[:length]

    @contextlib.contextmanager
    def opened(self, version: ObjectVersion, start: int, end: int) -> Iterator[int]:
        """A descriptor to read bytes [start, end) by, compared with ``version`` now and at the end.

        What the reading raises leaves as one of ``errors``; EOFError says that the file ended early.
        """
        path = version.ref.key
        with typed(path, absent=ObjectGone):
            handle = os.open(path, _READ_ONLY)
        try:
            require_same(version, os.fstat(handle))
            if end - start > READ_CHUNK:
                _read_ahead(handle, start, end)
            try:
                yield handle
            except OSError as error:
                raise in_our_words(path, error) from error
            with typed(path, absent=ObjectGone):
                require_same(version, os.stat(path))  # noqa: PTH116 - a Path for each of many files costs more than the call
        except EOFError:
            raise _ended(version, os.fstat(handle).st_size) from None
        finally:
            os.close(handle)

    def read_parts(self, parts: Sequence[Part], into: memoryview) -> None:
        """As ``read``, each into its place in the buffer: what makes many small files quick."""
        done = 0
        while done < len(parts):
            done += read_most(parts[done : done + MOST_AT_ONCE], into)
            for version, start, place, length in parts[done : done + 1]:
                self.read_into(version, start, into[place : place + length])
                done += 1

    def read_into(self, version: ObjectVersion, start: int, into: memoryview) -> None:
        """As ``read``, all into the buffer at once."""
        path = version.path if isinstance(version, FileVersion) else version.ref.key
        try:
            handle = os.open(path, _READ_ONLY)
            try:
                require_same(version, os.fstat(handle))
                length = os.preadv(handle, [into], start)
                while length < len(into):
                    more = os.preadv(handle, [into[length:]], start + length)
                    if not more:
                        raise _ended(version, start + length)
                    length += more
            finally:
                os.close(handle)
            require_same(version, os.stat(path))  # noqa: PTH116 - a Path for each of many files costs more than the call
        except (OSError, ValueError) as error:
            raise in_our_words(path, error, absent=ObjectGone) from error

    def get(self, ref: ObjectRef, max_bytes: int) -> bytes:
        return read_whole(self, ref, max_bytes)

    def put(
        self,
        ref: ObjectRef,
        body: bytes,
        *,
        replaces: ObjectVersion | None,
        content_type: str,  # noqa: ARG002 (a file has none)
        metadata: Mapping[str, str],
        like: ObjectHead | None = None,  # noqa: ARG002 (files and memory keep no headers)
    ) -> ObjectHead:
        """Written beside the target, then linked or renamed onto it.

        "Only over exactly ``replaces``" holds among writers of this class: they lock the directory.
        """
        require_ascii(ref, metadata)
        path = Path(ref.key)
        with typed(path.parent), _written_beside(path, body) as temporary:
            written = version_of(ref.key, temporary.stat())
            if replaces is None:
                _link(temporary, path)
            else:
                with _locked(path.parent):
                    _require_unchanged(replaces, path)
                    temporary.chmod(path.stat().st_mode & 0o7777)
                    temporary.replace(path)
        return ObjectHead(written)

    def remove(self, version: ObjectVersion) -> None:
        path = Path(version.ref.key)
        with typed(path), _locked(path.parent):
            if path.exists():
                _require_unchanged(version, path)
                path.unlink()


@contextlib.contextmanager
def _written_beside(path: Path, body: bytes) -> Iterator[Path]:
    temporary = path.parent / f".s3torrent-{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _link(temporary: Path, path: Path) -> None:
    """Put the file at ``path`` if nothing is there, in one step."""
    try:
        try:
            path.hardlink_to(temporary)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            path.touch(exist_ok=False)  # FAT has no links: take the name, empty for a moment
            temporary.replace(path)
    except FileExistsError:
        raise WriteConflict(f"{path} exists already, expected nothing there") from None


def _require_unchanged(replaces: ObjectVersion, path: Path) -> None:
    try:
        require_same(replaces, path.stat())
    except (FileNotFoundError, ObjectChanged) as error:
        raise WriteConflict(f"{path} was changed by another writer: {error}") from error


def _ended(version: ObjectVersion, position: int) -> ObjectChanged:
    return ObjectChanged(f"{version.ref} ends at byte {position}; expected {version.size} bytes", hint=STILL)


def _read_ahead(handle: int, start: int, end: int) -> None:
    """Tell the system what comes; one that does not listen is as good."""
    with contextlib.suppress(OSError, AttributeError):
        os.posix_fadvise(handle, start, end - start, os.POSIX_FADV_SEQUENTIAL)
        os.posix_fadvise(handle, start, end - start, os.POSIX_FADV_WILLNEED)
