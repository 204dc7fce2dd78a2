"""A folder that gets a torrent of its own, made anew whenever it has been quiet for a while.

Whatever happens in the folder stirs it up: a reservation of its status item, as long as the quiet is to last,
and a message that comes back by then. One message is under way for a folder at most. When it is read, the
newest object tells whether it is quiet: if not, the message is sent once more.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from s3torrent.engine.base import TooMuchForOne
from s3torrent.errors import (
    HeldByAnother,
    LeaseLost,
    MetainfoError,
    NoSuchObject,
    NotTorrentable,
    TooLarge,
)
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from s3torrent.pipeline.checkpoint import telling_progress
from s3torrent.pipeline.outcome import Outcome, describe, version_of
from s3torrent.pipeline.prefix import build_prefix, prefix_content
from s3torrent.pipeline.publish import Standing, find_torrent, foreign, publish, standing
from s3torrent.pipeline.telling import Phases, telling, told
from s3torrent.pipeline.watch import watch
from s3torrent.status.base import (
    COMPLETED,
    PENDING,
    SKIPPED,
    UPLOADING_TORRENT,
    Claimed,
    Done,
    HeldUntil,
    Job,
)
from s3torrent.types import ObjectRef, ObjectVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from s3torrent.engine.base import Content
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.pipeline.lease import Lease
    from s3torrent.pipeline.make import Maker
    from s3torrent.store.base import BucketReader
    from s3torrent.types import ObjectHead

MAX_TORRENT_BYTES = 64 << 20
MOST_SIMILAR = 10
SPARE_SECONDS = 1.0
LONGEST_WAIT = 900.0
"""No message of SQS waits longer."""


class Remind(Protocol):
    def __call__(self, folder: ObjectRef, seconds: float) -> None:
        """Let the folder be taken up again in so many seconds, or sooner."""
        ...


@dataclass(frozen=True)
class Folders:
    """``maker``: with what an object's torrent is made; ``lister``: the same store. ``quiet`` in seconds."""

    maker: Maker
    lister: BucketReader
    quiet: float
    clock: Callable[[], datetime]

    def stir(self, folder: ObjectRef, remind: Remind) -> bool:
        """Something changed in it. False where a message is under way already."""
        owner = f"folder/{secrets.token_hex(6)}"  # nobody prolongs it, not even the same worker
        seconds = min(self.quiet + SPARE_SECONDS, LONGEST_WAIT)
        try:
            self.maker.status.reserve(str(folder), owner=owner, lease_seconds=seconds)
        except HeldByAnother:
            return False
        try:
            remind(folder, seconds)
        except Exception:  # whoever tries next is to send it
            self.maker.status.release(str(folder), owner=owner)
            raise
        return True

    def take(self, folder: ObjectRef, remind: Remind, deadline: float = math.inf) -> Outcome:
        """Its torrent, if it is quiet; raises as ``Maker.make`` does."""
        job_id = str(folder)
        try:
            content = prefix_content(
                folder,
                self.lister,
                version=self.maker.policy.version,
                control_prefix=self.maker.control_prefix,
            )
        except (NotTorrentable, NoSuchObject) as error:
            what = {"bucket": folder.bucket, "key": folder.key, "reason": error.message}
            self.maker.status.note(job_id, SKIPPED, what | {"error": error.as_dict()})
            return Outcome(job_id, SKIPPED, error.message, attributes=error.as_dict())
        source = _state(folder, content)
        with telling(lambda _: version_of(source)):
            return self._pinned(source, content, remind, deadline)

    def _pinned(self, source: ObjectVersion, content: Content, remind: Remind, deadline: float) -> Outcome:
        folder, job_id, known = source.ref, str(source.ref), version_of(source)
        left = (source.last_modified + timedelta(seconds=self.quiet) - self.clock()).total_seconds()
        if left > 0:
            remind(folder, min(left + SPARE_SECONDS, LONGEST_WAIT))
            return Outcome(job_id, PENDING, f"not quiet yet, for {left:.0f} s more", attributes=known)
        job = Job(job_id, source, self.maker.policy.policy_id, self.maker.engine.name)
        torrent = find_torrent(self.maker.store, folder, guess=True)
        current = standing(torrent, source, job.policy_id) is Standing.CURRENT
        claim = self.maker.status.claim(
            job, owner=self.maker.owner, lease_seconds=self.maker.lease_seconds, redo=not current
        )
        match claim:
            case Done():
                return Outcome(job_id, COMPLETED, "done before", attributes=claim.item.attributes)
            case HeldUntil():
                raise HeldByAnother(
                    f"{folder} is held by {claim.owner} until {claim.at:%H:%M:%S} UTC", until=claim.at
                )
            case Claimed():
                return self._complete(self.maker.lease(claim, source, deadline), content, torrent)
        return Outcome(job_id, SKIPPED, "a newer state than this was taken up", attributes=known)

    def _complete(self, lease: Lease, content: Content, torrent: ObjectHead | None) -> Outcome:
        job_id, status = lease.claim.job_id, self.maker.status
        try:
            attributes = self._build(lease, content, torrent)
            status.finish(lease.claim, COMPLETED, attributes)
        except (NotTorrentable, TooMuchForOne) as error:
            what = error if isinstance(error, NotTorrentable) else _too_large(lease.source)
            status.finish(lease.claim, SKIPPED, {"reason": what.message, "error": what.as_dict()})
            known = version_of(lease.source) | told(error) | what.as_dict()
            return Outcome(job_id, SKIPPED, what.message, attributes=known)
        except LeaseLost:
            raise
        except Exception as error:
            self.maker.fail(lease.claim, error)
            raise
        return Outcome(job_id, COMPLETED, made=True, attributes=attributes)

    def _build(self, lease: Lease, content: Content, torrent: ObjectHead | None) -> dict[str, object]:
        maker, source = self.maker, lease.source
        if standing(torrent, source, maker.policy.policy_id) is Standing.FOREIGN:
            raise foreign(source.ref)
        before = self._before(torrent)
        memory = maker.checkpoint(lease, look=lease.claim.attempt > 1)
        phases = Phases(maker.monotonic)
        with phases.telling():
            with telling_progress(memory):
                built = build_prefix(
                    source.ref, content, maker.policy, maker.engine,
                    store=self.lister, progress=lease.progress, memory=memory,
                )  # fmt: skip
            phases.hashed(built.bytes_read)
            metainfo = _linked(built.metainfo, before)
            body = metainfo.encode()
            lease.progress(metainfo.size, UPLOADING_TORRENT)
            checks = maker.check_seeds(metainfo)
            publish(maker.store, source, maker.policy.policy_id, body, torrent)
            watch(maker.store, source, maker.policy.policy_id, body, maker.watch_prefix)
            if memory:
                memory.clear()
        attributes = describe(source, metainfo, len(body), bytes_read=built.bytes_read)
        more = {"reason": built.piece_length_reason, "webSeedChecks": checks, **phases.as_dict()}
        return attributes | more

    def _before(self, torrent: ObjectHead | None) -> Metainfo | None:
        """The torrent that this one replaces, where it can be read."""
        if torrent is None:
            return None
        try:
            return parse(self.maker.store.get(torrent.version.ref, MAX_TORRENT_BYTES))
        except (MetainfoError, TooLarge, NoSuchObject):
            return None


def _state(folder: ObjectRef, content: Content) -> ObjectVersion:
    """The folder as one version: it is another one when any of its objects is."""
    digest = hashlib.sha256()
    for file in content.files:
        version = file.version
        told = f"{version.ref.key}\0{version.etag}\0{version.size}\n"
        digest.update(told.encode("utf-8", "surrogatepass"))
    newest = max(file.version.last_modified for file in content.files)
    return ObjectVersion(folder, None, digest.hexdigest()[:32], content.size, newest)


def _linked(metainfo: Metainfo, before: Metainfo | None) -> Metainfo:
    """With ``similar`` beside the info dict (BEP 38): the torrent before, and those before that one."""
    if before is None:
        return metainfo
    own = {infohash.v1(metainfo), (infohash.v2(metainfo) or b"")[:20]}
    last = infohash.v1(before) or (infohash.v2(before) or b"")[:20]
    listed = before.top.get(b"similar", [])
    earlier = (
        [one for one in listed if isinstance(one, bytes) and len(one) == 20]
        if isinstance(listed, list)
        else []
    )
    similar = [one for one in dict.fromkeys([last, *earlier]) if one and one not in own][:MOST_SIMILAR]
    return replace(metainfo, top={**metainfo.top, b"similar": similar}) if similar else metainfo


def _too_large(source: ObjectVersion) -> TooLarge:
    return TooLarge(
        f"{source.ref} holds {source.size:,} bytes, more than one run of the function is to read",
        hint="make it on a larger machine: s3torrent create s3://BUCKET/PREFIX/",
    )
