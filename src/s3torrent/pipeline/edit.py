"""Torrents that lie somewhere, edited in place: read, changed, written over exactly what was read."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.errors import ForeignTorrent, MetainfoError, UsageError, WriteConflict
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
    def of(cls, line: str) -> Undo:
        """Raises UsageError for what is no such line."""
        try:
            told = json.loads(line)
            before = bencode.decode(b64decode(told["before"], validate=True))
            undo = cls(str(told["torrent"]), str(told["sha256Before"]), str(told["sha256After"]), before)
        except (ValueError, KeyError, TypeError, MetainfoError):
            before = None
        if not isinstance(before, dict) or not set(before) <= set(EDITED):
            raise UsageError(
                "a line of the undo file is none that edit has written", hint="give the file of --undo"
            )
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

    def write(self, edited: Edited) -> None:
        """Raises WriteConflict where it was replaced since it was read."""
        self._store.put(
            edited.ref,
            edited.after.encode(),
            replaces=edited.head.version,
            content_type=CONTENT_TYPE,
            metadata=edited.head.metadata,
        )
        if self._status and edited.ref.key.endswith(TORRENT_SUFFIX):
            self._tell(self._status, edited.after, edited.ref)

    def _tell(self, status: StatusStore, after: Metainfo, ref: ObjectRef) -> None:
        """The item of the object, where it tells of this very torrent."""
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
            if status.amend(job_id, told, where=where):
                return

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
