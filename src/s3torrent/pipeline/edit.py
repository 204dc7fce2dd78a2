"""Torrents that lie somewhere, edited in place: read, changed, written over exactly what was read."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.errors import (
    ForeignTorrent,
    MetainfoError,
    S3TorrentError,
    SourceError,
    UsageError,
    WriteConflict,
)
from s3torrent.metainfo import bencode, infohash
from s3torrent.metainfo.edit import EDITED, edit, kept, restored
from s3torrent.metainfo.magnet import magnet
from s3torrent.metainfo.parse import MAX_BYTES, parse
from s3torrent.pipeline.outcome import MOST_LINK
from s3torrent.pipeline.publish import CONTENT_TYPE, is_ours
from s3torrent.status.base import COMPLETED
from s3torrent.types import TORRENT_SUFFIX, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.metainfo.edit import Edit
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.status.base import StatusStore
    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectHead


@dataclass(frozen=True, slots=True)
class Edited:
    """A torrent as it lies there (``head``, ``before``) and as it is to be."""

    head: ObjectHead
    before: Metainfo
    after: Metainfo

    @property
    def ref(self) -> ObjectRef:
        return self.head.version.ref

    @property
    def changed(self) -> bool:
        return self.after is not self.before

    def undo_line(self) -> str:
        """One line of an undo file (docs/json.md)."""
        before, after = self.before.encode(), self.after.encode()
        told = {
            "torrent": str(self.ref),
            "sha256Before": hashlib.sha256(before).hexdigest(),
            "sha256After": hashlib.sha256(after).hexdigest(),
            "before": b64encode(bencode.encode(kept(self.before))).decode(),
        }
        return json.dumps(told) + "\n"


@dataclass(frozen=True, slots=True)
class Undo:
    """A line of an undo file, read."""

    torrent: str
    sha256_before: str
    sha256_after: str
    before: dict[bytes, Any]

    @classmethod
    def of(cls, line: str | bytes, name: str = "a line of the undo file") -> Undo:
        """Raises UsageError, which calls it ``name``, for what is no such line."""
        try:
            told = json.loads(line if isinstance(line, str) else line.decode())
            torrent, *sums = (told[key] for key in ("torrent", "sha256Before", "sha256After"))
            before = bencode.decode(b64decode(told["before"], validate=True))
            "".join((torrent, *sums)).encode()  # neither anything but text, nor half a character
            undo = cls(torrent, sums[0], sums[1], before)
        except (ValueError, KeyError, TypeError, RecursionError, MetainfoError):
            before = None
        if not isinstance(before, dict) or not set(before) <= set(EDITED):
            raise UsageError(f"{name} is none that edit has written", hint="give the file of --undo")
        return undo


class Editor:
    """``status``: the magnet links of its items follow. ``foreign``: also what s3torrent did not make."""

    def __init__(
        self, store: ObjectStore, status: StatusStore | None = None, *, foreign: bool = True
    ) -> None:
        self._store, self._status, self._foreign = store, status, foreign

    def edited(self, ref: ObjectRef, wish: Callable[[Metainfo], Edit]) -> Edited:
        """What it would be. Raises SourceError, MetainfoError that names it, ForeignTorrent, UrlError."""
        head, before = self._read(ref)
        return Edited(head, before, edit(before, wish(before)))

    def undone(self, undo: Undo, ref: ObjectRef) -> Edited:
        """As it was before. Raises also WriteConflict where it is no longer what the edit had written."""
        head, before = self._read(ref)
        found = hashlib.sha256(before.encode()).hexdigest()
        if found == undo.sha256_before:
            return Edited(head, before, before)
        after = restored(before, undo.before)
        if found != undo.sha256_after or hashlib.sha256(after.encode()).hexdigest() != undo.sha256_before:
            raise WriteConflict(
                f"{ref} was changed again after that edit; left as it is", hint="edit it by hand"
            )
        return Edited(head, before, after)

    def require_table(self) -> None:
        """Raises StatusError or SourceError where the status table cannot be asked."""
        if self._status:
            self._status.get("s3://")  # nobody's

    def write(self, edited: Edited) -> None:
        """With the headers and tags that it has. Raises WriteConflict where it was replaced since.

        What is raised was not written: where the answer was lost, what lies there is looked at; where that
        cannot be, the hint says so.
        """
        body = edited.after.encode()
        try:
            self._store.put(
                edited.ref,
                body,
                replaces=edited.head.version,
                content_type=CONTENT_TYPE,
                metadata=edited.head.metadata,
                like=edited.head,
            )
        except SourceError as error:
            if isinstance(error, WriteConflict):  # no event takes it up again
                error.hint = "run the same command again: it edits what lies there now"
            if not self._lies_there(edited.ref, body, error):
                raise

    def follow(self, edited: Edited, *, dry_run: bool = False) -> bool:
        """Have the status item tell of the torrent as it is to be; whether it told otherwise.

        Raises StatusError or SourceError where the table cannot be asked, or not be written to.
        """
        status, ref, after = self._status, edited.ref, edited.after
        if not status or not ref.key.endswith(TORRENT_SUFFIX):
            return False
        link = magnet(after)
        where = {
            "status": COMPLETED,
            "torrentKey": ref.key,
            "infoHashV1": infohash.v1_hex(after),
            "infoHashV2": infohash.v2_hex(after),
        }
        told = {"magnet": link if len(link) <= MOST_LINK else None, "torrentSize": len(after.encode())}
        for suffix in ("", "/"):  # of an object, or of a folder
            job_id = str(ObjectRef(ref.bucket, ref.key.removesuffix(TORRENT_SUFFIX) + suffix))
            item = status.get(job_id)
            if item and all(item.get(name) == value for name, value in where.items()):
                if all(item.get(name) == value for name, value in told.items()):
                    return False
                return dry_run or status.amend(job_id, told, where=where)
        return False

    def _lies_there(self, ref: ObjectRef, body: bytes, error: SourceError) -> bool:
        """Whether a write that ended in ``error`` was done all the same."""
        try:
            version = self._store.head(ref).version
            if version.size != len(body):
                return False
            return b"".join(bytes(part) for part in self._store.read(version, 0, version.size)) == body
        except S3TorrentError:
            error.hint = "whether it was changed is not known: run the same command again, which looks"
            return False

    def _read(self, ref: ObjectRef) -> tuple[ObjectHead, Metainfo]:
        head = self._store.head(ref)
        source = ObjectRef(ref.bucket, ref.key.removesuffix(TORRENT_SUFFIX))
        folder = ObjectRef(ref.bucket, f"{source.key}/")
        if not self._foreign and not (is_ours(head, source) or is_ours(head, folder)):
            raise ForeignTorrent(f"{ref} was not made by s3torrent; left as it is")
        version = head.version
        if version.size > MAX_BYTES:
            raise MetainfoError(
                f"{ref} is no torrent: {version.size:,} bytes; expected at most {MAX_BYTES:,}"
            )
        body = b"".join(bytes(chunk) for chunk in self._store.read(version, 0, version.size))
        try:
            return head, parse(body)
        except MetainfoError as error:
            error.message = f"{ref} is not a valid torrent: {error.message}"
            raise
