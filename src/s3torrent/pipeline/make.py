"""One wish for a torrent, from the pinned object to the published .torrent and its status item.

The order of the steps is the promise: pin the version, look at what lies at KEY.torrent, claim, build,
look again, publish, and only then say COMPLETED. A process killed between any two of them is taken over
by the next try, which finds what the dead one left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3torrent.engine.base import TooMuchForOne
from s3torrent.errors import (
    AccessDenied,
    CataloguePage,
    HeldByAnother,
    LeaseLost,
    MetainfoError,
    NoSuchObject,
    NotTorrentable,
    ObjectGone,
    OutOfTime,
    S3TorrentError,
    WriteConflict,
    described,
)
from s3torrent.metainfo.parse import parse
from s3torrent.pipeline.build import build_object, require_current
from s3torrent.pipeline.checkpoint import Checkpoint, telling_progress
from s3torrent.pipeline.content import MAX_KEY_BYTES, check_torrent_key, name_of
from s3torrent.pipeline.gone import gone, leave
from s3torrent.pipeline.lease import Lease
from s3torrent.pipeline.outcome import Outcome, describe, not_current, unchecked, version_of
from s3torrent.pipeline.publish import Standing, find_torrent, foreign, publish, standing
from s3torrent.pipeline.spread import OWNER, hand_over
from s3torrent.pipeline.telling import Phases, noted, telling, told
from s3torrent.pipeline.watch import watch
from s3torrent.status.base import (
    COMPLETED,
    CREATING_TORRENT,
    FAILED,
    PENDING,
    SKIPPED,
    UPLOADING_TORRENT,
    Claimed,
    Done,
    HeldUntil,
    Job,
    Superseded,
)
from s3torrent.types import CATALOG_MARK, DIRECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3torrent.engine.base import Engine
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.pipeline.checkpoint import Memory
    from s3torrent.pipeline.outcome import SeedChecks
    from s3torrent.pipeline.spread import StateMachine
    from s3torrent.status.base import ClaimResult, StatusStore
    from s3torrent.store.base import ObjectStore
    from s3torrent.types import ObjectHead, ObjectVersion, TorrentRequest

MAX_TORRENT_BYTES = 64 << 20


@dataclass(frozen=True)
class Maker:
    """The tools of ``make``, built once at the edge. ``monotonic`` in seconds; ``owner`` is this worker."""

    store: ObjectStore
    status: StatusStore
    engine: Engine
    policy: TorrentPolicy
    owner: str
    lease_seconds: float
    monotonic: Callable[[], float]
    watch_prefix: str = ""
    remove_torrents: bool = False
    control_prefix: str = ""
    checkpoint_seconds: float = 20.0
    state_machine: StateMachine | None = None
    check_seeds: SeedChecks = unchecked

    def make(self, request: TorrentRequest, deadline: float = math.inf, *, anew: bool = False) -> Outcome:
        """Raises what may be retried or must be seen: SourceError, EngineError, StatusError. NotTorrentable
        and a vanished object end as SKIPPED. Whatever is raised is in the status item, too, where one could
        be written. Past ``deadline`` (of ``monotonic``) hashing ends with OutOfTime. ``anew``: also
        where item and torrent say that it is done.
        """
        try:
            check_torrent_key(request.ref)
            # The event is a hint that the key changed; what lies there now is what gets the torrent.
            head = self.store.head(request.ref)
            torrent = find_torrent(self.store, request.ref, guess=True)
        except S3TorrentError as error:
            return self._unseen(request, error)
        with telling(lambda _: version_of(head.version)):
            return self._pinned(request, head, torrent, deadline, anew=anew)

    def _pinned(
        self,
        request: TorrentRequest,
        head: ObjectHead,
        torrent: ObjectHead | None,
        deadline: float,
        *,
        anew: bool,
    ) -> Outcome:
        job_id, source = str(request.ref), head.version
        if request.event == DIRECT and request.version_id not in (None, source.version_id or "null"):
            return not_current(request, source)
        claim, torrent = self._claim(request, source, torrent, redo=anew)
        known = version_of(source)
        match claim:
            case Done():
                return Outcome(job_id, COMPLETED, "done before", attributes=claim.item.attributes)
            case Superseded():
                return Outcome(job_id, SKIPPED, "an older event than the one taken up last", attributes=known)
            case HeldUntil() if claim.owner.startswith(OWNER):
                return Outcome(job_id, CREATING_TORRENT, "the state machine is at it", attributes=known)
            case HeldUntil():
                raise HeldByAnother(
                    f"{source} is being worked on by {claim.owner} until {claim.at:%H:%M:%S} UTC",
                    until=claim.at,
                )
            case Claimed():
                return self.complete(self.lease(claim, source, deadline), head, torrent, anew=anew)

    def _unseen(self, request: TorrentRequest, error: S3TorrentError) -> Outcome:
        """No version could be pinned. Returns what is final, raises what is not."""
        # Without s3:ListBucket a missing object is a 403: the event is believed, but nothing removed on it.
        believed = isinstance(error, AccessDenied) and request.tells_of_absence and not self.remove_torrents
        if believed or (isinstance(error, NoSuchObject) and request.tells_of_removal):
            return gone(self.store, self.status, request, remove=self.remove_torrents)
        if isinstance(error, NotTorrentable | NoSuchObject):
            if len(request.ref.key.encode()) <= MAX_KEY_BYTES:  # a longer one is no key, and no job id
                self._note(request, SKIPPED, error)
            if isinstance(error, NoSuchObject):
                # A worker that was slow may have published after the deletion was told.
                late = find_torrent(self.store, request.ref) if self.remove_torrents else None
                leave(self.store, request.ref, late)
            return Outcome(str(request.ref), SKIPPED, error.message, attributes=error.as_dict())
        with noted(error):
            self._note(request, FAILED, error)
        raise error

    def _claim(
        self, request: TorrentRequest, source: ObjectVersion, torrent: ObjectHead | None, *, redo: bool
    ) -> tuple[ClaimResult, ObjectHead | None]:
        """The claim, and what lies at KEY.torrent as it was seen last."""
        job = Job(str(request.ref), source, self.policy.policy_id, self.engine.name, request.sequencer)
        tools: dict[str, Any] = {"owner": self._owner(source), "lease_seconds": self.lease_seconds}
        claim = self.status.claim(job, **tools, redo=redo)
        if isinstance(claim, Done) and not self._is_current(torrent, source):
            # Finished since we looked, by a recorder perhaps; or its torrent was lost: look again.
            torrent = find_torrent(self.store, request.ref, guess=True)
            if not self._is_current(torrent, source):
                claim = self.status.claim(job, **tools, redo=True)
        return claim, torrent

    def _owner(self, source: ObjectVersion) -> str:
        """What may be handed over is held in the state machine's name from the first: its events can go."""
        most = getattr(self.engine, "most", math.inf)
        return f"{OWNER}{self.owner}" if source.size >= most else self.owner

    def _is_current(self, torrent: ObjectHead | None, source: ObjectVersion) -> bool:
        return standing(torrent, source, self.policy.policy_id) is Standing.CURRENT

    def lease(self, claim: Claimed, source: ObjectVersion, deadline: float = math.inf) -> Lease:
        return Lease(
            self.status,
            claim,
            source,
            seconds=self.lease_seconds,
            deadline=deadline,
            monotonic=self.monotonic,
        )

    def complete(
        self,
        lease: Lease,
        head: ObjectHead,
        torrent: ObjectHead | None,
        memory: Memory | None = None,
        *,
        anew: bool = False,
    ) -> Outcome:
        """The claimed work, to its end. ``memory``: what is hashed already; else what a try has kept."""
        source = lease.source
        found = standing(torrent, source, self.policy.policy_id)
        attributes = None
        try:
            if CATALOG_MARK in head.metadata:
                raise CataloguePage(f"{source.ref} is a file of a catalogue that s3torrent has written")
            if found is Standing.FOREIGN:
                raise foreign(source.ref)
            if found is Standing.CURRENT and torrent and not anew:
                attributes = self._published(source, torrent)
            made = attributes is None
            if attributes is None:
                memory = memory or self.checkpoint(lease, look=lease.claim.attempt > 1)
                attributes = self._build(lease, head, torrent, memory)
            self.status.finish(lease.claim, COMPLETED, attributes)
        except TooMuchForOne:
            return hand_over(self, lease)
        except (NotTorrentable, ObjectGone) as error:
            self.status.finish(lease.claim, SKIPPED, {"reason": error.message, "error": error.as_dict()})
            known = version_of(source) | told(error) | error.as_dict()
            return Outcome(lease.claim.job_id, SKIPPED, error.message, attributes=known)
        except LeaseLost:
            raise
        except Exception as error:
            self.fail(lease.claim, error)
            raise
        return Outcome(lease.claim.job_id, COMPLETED, made=made, attributes=attributes)

    def _published(self, source: ObjectVersion, torrent: ObjectHead) -> dict[str, Any] | None:
        """What the torrent says that an earlier try has published; None where it cannot be that one, whatever
        its marks say. It and its object were seen before the claim: they may be others by now, and an item
        must not tell of the one what is true of the other.
        """
        body = self.store.get(torrent.version.ref, MAX_TORRENT_BYTES)
        now = find_torrent(self.store, source.ref, guess=True)
        if now is None or now.version.etag != torrent.version.etag:
            raise WriteConflict(f"{source.ref.torrent} was replaced or deleted while it was looked at")
        require_current(self.store, source)
        try:
            metainfo = parse(body)
        except MetainfoError:
            return None
        if (metainfo.name, metainfo.size) != (name_of(source.ref), source.size):
            return None
        watch(self.store, source, self.policy.policy_id, body, self.watch_prefix)
        return describe(source, metainfo, len(body), bytes_read=0)

    def _build(
        self, lease: Lease, head: ObjectHead, torrent: ObjectHead | None, memory: Memory | None
    ) -> dict[str, Any]:
        source, phases = head.version, Phases(self.monotonic)
        with phases.telling():
            with telling_progress(memory):
                built = build_object(
                    head, self.policy, self.engine, self.store, lease.progress, memory=memory
                )
            body = built.metainfo.encode()
            phases.hashed(built.bytes_read)
            lease.progress(built.metainfo.size, UPLOADING_TORRENT)
            checks = self.check_seeds(built.metainfo)
            publish(self.store, source, self.policy.policy_id, body, torrent)
            watch(self.store, source, self.policy.policy_id, body, self.watch_prefix)
            if memory:
                memory.clear()
        attributes = describe(source, built.metainfo, len(body), bytes_read=built.bytes_read)
        more = {"reason": built.piece_length_reason, "webSeedChecks": checks, **phases.as_dict()}
        return attributes | more

    def checkpoint(self, lease: Lease, *, look: bool, part: str = "") -> Checkpoint | None:
        """None where no control prefix is set. ``look``: whether one may be there already."""
        if not self.control_prefix:
            return None
        return Checkpoint(
            self.store,
            self.control_prefix,
            lease.source,
            self.policy.policy_id,
            seal=lease.claim.seal,
            monotonic=self.monotonic,
            every=self.checkpoint_seconds,
            look=look,
            part=part,
        )

    def _note(self, request: TorrentRequest, status: str, error: S3TorrentError) -> None:
        """A status without a claim, because no version could be pinned."""
        attributes = {
            "bucket": request.ref.bucket,
            "key": request.ref.key,
            "reason": error.message,
            "error": error.as_dict(),
        }
        self.status.note(str(request.ref), status, attributes, sequencer=request.sequencer)

    def fail(self, claim: Claimed, error: Exception) -> None:
        """FAILED with the reason; PENDING where time was up, and the next try goes on from there."""
        handed_back = isinstance(error, OutOfTime) and error.progressed
        what = described(error)
        with noted(error):
            status = PENDING if handed_back else FAILED
            self.status.finish(claim, status, {"reason": what["message"], "error": what})
