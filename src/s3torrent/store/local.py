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
from s3torrent.store.local_file import typed, version_of
from s3torrent.store.local_walk import walk
from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EMLINK})


STILL = "wait until nobody writes to it, then try again"


class LocalStore:
    """A file has no versions, content type or metadata; its ETag is size, modification time and inode."""

    walk = staticmethod(walk)

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        if version_id is not None:
            raise NoSuchObject(f"{ref} (version {version_id}) does not exist: files have no versions")
        path = Path(ref.key)
        with typed(path):
            return ObjectHead(version_of(path, path.stat(), ref))

    def read(self, version: ObjectVersion, start: int, end: int) -> Iterator[memoryview | bytes]:
        """The file is compared with ``version`` before the first byte and after the last one."""
        if start >= end:
            return
        path = Path(version.ref.key)
        with typed(path, absent=ObjectGone):
            handle = os.open(
                path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
            )  # a pipe there must not hang us
        try:
            _require_same(version, os.fstat(handle))
            buffer = memoryview(bytearray(min(READ_CHUNK, end - start)))
            position = start
            while position < end:
                with typed(path):
                    length = os.preadv(handle, [buffer[: end - position]], position)
                if not length:
                    raise ObjectChanged(
                        f"{path} ends at byte {position}; expected {version.size} bytes", hint=STILL
                    )
                position += length
                yield buffer[:length]
            with typed(path, absent=ObjectGone):
                _require_same(version, path.stat())
        finally:
            os.close(handle)

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
    ) -> ObjectHead:
        """Written beside the target, then linked or renamed onto it.

        "Only over exactly ``replaces``" holds among writers of this class: they lock the directory.
        """
        require_ascii(ref, metadata)
        path = Path(ref.key)
        with typed(path.parent), _written_beside(path, body) as temporary:
            written = version_of(path, temporary.stat(), ref)
            if replaces is None:
                _link(temporary, path)
            else:
                with _locked(path.parent):
                    _require_unchanged(replaces, path)
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
        _require_same(replaces, path.stat())
    except (FileNotFoundError, ObjectChanged) as error:
        raise WriteConflict(f"{path} was changed by another writer: {error}") from error


def _require_same(version: ObjectVersion, status: os.stat_result) -> None:
    now = version_of(Path(version.ref.key), status, version.ref)
    if now.etag != version.etag:
        found = f"{now.size} bytes of {now.last_modified:%Y-%m-%d %H:%M:%SZ}"
        expected = f"{version.size} bytes of {version.last_modified:%Y-%m-%d %H:%M:%SZ}"
        raise ObjectChanged(f"{version.ref} is another file now: {found}; expected {expected}", hint=STILL)
