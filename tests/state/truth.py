"""What must be true of a world: at each write, at each COMPLETED, and at rest. Nothing of ``publish`` is used."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from s3torrent.pipeline.build import build_object
from s3torrent.status.base import COMPLETED, DELETED, FAILED, SKIPPED
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.status.base import Job, StatusItem
    from s3torrent.types import ObjectHead
    from state.worker import Worker
    from state.world import World


def source_of(ref: ObjectRef) -> ObjectRef | None:
    """The object whose torrent lies, or would lie, at ``ref``."""
    return ObjectRef(ref.bucket, ref.key.removesuffix(".torrent")) if ref.key.endswith(".torrent") else None


def is_users(torrent: ObjectHead, source: ObjectRef) -> bool:
    """Whether none of our programs put it there: it does not bear the mark of this very key."""
    return torrent.metadata.get("s3torrent-source") != sha256(str(source).encode()).hexdigest()


def check_write(world: World, worker: Worker, ref: ObjectRef, before: ObjectHead | None) -> None:
    source = source_of(ref)
    assert source is None or source in worker.looked, f"wrote {ref} without a last look at its object"
    if source is None:
        assert ref.key.startswith(world.checkpoints or "nothing of ours"), f"wrote to {ref}"
    else:
        assert before is None or not is_users(before, source), f"wrote over somebody's {ref}"


def check_removal(world: World, ref: ObjectRef, before: ObjectHead) -> None:
    source = source_of(ref)
    if source is None:
        assert ref.key.startswith(world.checkpoints or "nothing of ours"), f"removed {ref}"
    else:
        assert world.remove, f"removed {ref} although torrents are to be kept"
        assert not is_users(before, source), f"removed somebody's {ref}"


def check_upload(ref: ObjectRef, before: ObjectHead | None, expected: str | None) -> None:
    """``expected``: the ETag of what it was to replace, None for nothing."""
    found = before.version.etag if before else None
    assert found == expected, f"uploaded over another {ref} than was seen"


def check_claim(world: World, worker: Worker, job: Job, before: StatusItem | None) -> None:
    """By the worker's own clock nobody else was at this very work, nor about to bring it."""
    now = world.now + timedelta(seconds=worker.skew)
    version = job.version
    if before and (end := before.worked_on_until) and end > now:
        told = tuple(before.get(name) for name in ("versionId", "etag", "policyId"))
        assert told != (version.version_id, version.etag, job.policy_id), f"{job.job_id} is at work twice"
    owner, until = world.reserved.get(job.job_id, (worker.name, now))
    assert owner == worker.name or until <= now, f"{job.job_id} was reserved by {owner}"


def check_fenced(worker: Worker, before: StatusItem | None) -> None:
    """What was written was the worker's own."""
    owner = before.get("leaseOwner") if before else None
    assert owner == worker.name, f"{worker.name} wrote to an item of {owner}"


def check_completed(world: World, worker: Worker, job_id: str) -> None:
    """At the moment of completion the torrent beside the object is the one that the item tells of."""
    source = ObjectRef(*_split(job_id))
    item: Any = world.status.get(job_id)
    torrent = world.lying(source.torrent)
    if world.touched[source] != worker.began.get(source, 0):
        return
    assert torrent is not None, f"{job_id} is COMPLETED without a torrent"
    assert not is_users(torrent, source), f"{job_id} is COMPLETED beside somebody's torrent"
    told = (item.get("versionId") or "", item.get("etag"), item.get("policyId"))
    found = tuple(torrent.metadata[f"s3torrent-{name}"] for name in ("version", "etag", "policy"))
    # Two versions of the same bytes in the same second have the same torrent.
    assert told[1:] == found[1:], f"{job_id} is COMPLETED for {told}, beside a torrent of {found}"
    told_hash = item.get("infoHashV1")
    assert told_hash == _hash_of(world, source), f"{job_id} tells another info-hash than its torrent's"


def check_told(world: World) -> None:
    """Before anybody redrives: whatever has no right torrent is in the table as such, or in the dead letters."""
    dead = "".join(message.body for message in world.queue.dead)
    for ref in {key[0] for key in world.history} - world.meddled:
        item = world.status.get(str(ref))
        head = world.lying(ref)
        if head and not _is_right(world, ref, head):
            told = item is not None and item.status in (FAILED, SKIPPED)
            assert told or dead, f"{ref} has no right torrent, and nothing says so: {item}"


def check_object(world: World, ref: ObjectRef) -> None:
    head, torrent = world.lying(ref), world.lying(ref.torrent)
    item: Any = world.status.get(str(ref))
    status = item.status if item else None
    theirs = torrent is not None and is_users(torrent, ref)
    if head is None:
        if any(key[0] == ref for key in world.history):
            # Who asks in person for what is not there is told so, over the deletion.
            assert status == DELETED or (status == SKIPPED and ref in world.asked), (
                f"{ref} was deleted, and is {status}"
            )
        if world.remove and torrent and not theirs:
            assert ref in world.orphans, f"the torrent of {ref}, deleted, is still there"
        return
    assert item is not None, f"{ref} has no status item"
    if theirs or head.version.size == 0:
        # Of an empty object the very first thing seen is told; a foreign torrent is looked at first.
        reasons = [
            reason
            for reason, true in (("ForeignTorrent", theirs), ("EmptyContent", not head.version.size))
            if true
        ]
        assert (status, item.get("error", {}).get("type") in reasons) == (SKIPPED, True), f"{ref} is {item}"
        return
    assert status == COMPLETED, f"{ref} is {status}: {item.get('reason')}"
    told, found = (item.get("versionId"), item.get("etag")), (head.version.version_id, head.version.etag)
    assert told == found, f"{ref} is COMPLETED for {told}, and {found} lies there"
    assert torrent is not None, f"{ref} is COMPLETED and has no torrent"
    assert _is_right(world, ref, head), f"the torrent of {ref} is not the right one"
    assert item.get("infoHashV1") == _hash_of(world, ref), f"{ref}: the item tells another info-hash"


def _is_right(world: World, ref: ObjectRef, head: ObjectHead) -> bool:
    """Whether the torrent is that of one plain reading. Without versions the same bytes uploaded once more are
    the same work to us: the torrent of any such upload is right.
    """
    if world.lying(ref.torrent) is None or not head.version.size:
        return False
    body = world.store.get(ref, 1 << 20)
    torrent = world.store.get(ref.torrent, 1 << 20)
    same = world.history[ref, head.version.version_id, head.version.etag]
    return any(torrent == _right(one, body, world.policy) for one in same)


def _right(head: ObjectHead, body: bytes, policy: TorrentPolicy) -> bytes:
    told = tuple(sorted(head.metadata.items()))
    return _plain_reading(head.version.ref, head.version.last_modified, told, body, policy)


@lru_cache(maxsize=4096)
def _plain_reading(
    ref: ObjectRef, last_modified: Any, metadata: Any, body: bytes, policy: TorrentPolicy
) -> bytes:
    store = MemoryStore(now=lambda: last_modified)
    store.create_bucket(ref.bucket)
    store.upload(ref, body, metadata=dict(metadata))
    built = build_object(store.head(ref), policy, NativeEngine(1), store, lambda *_: None)
    return built.metainfo.encode()


def _hash_of(world: World, ref: ObjectRef) -> str:
    v1 = infohash.v1(parse(world.store.get(ref.torrent, 1 << 20)))
    assert v1
    return v1.hex()


def _split(job_id: str) -> tuple[str, str]:
    bucket, _, key = job_id.removeprefix("s3://").partition("/")
    return bucket, key
