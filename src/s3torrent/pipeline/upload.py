"""An object and its torrent from the same bytes: what ``put`` and ``record`` share.

The order of the steps is the promise: look, upload the parts, reserve the key, complete, pin the version that
appeared, claim it, publish, COMPLETED. Killed before it completes, nothing is to be seen; killed after, the
reservation runs out and the event makes the torrent.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s3torrent.engine.document import metainfo_of, piece_length_of
from s3torrent.errors import (
    AccessDenied,
    LeaseLost,
    NoSuchObject,
    ObjectChanged,
    OutputExists,
    S3TorrentError,
    UploadGone,
    WriteConflict,
)
from s3torrent.hashing.part import assemble_parts
from s3torrent.pipeline.build import require_current
from s3torrent.pipeline.content import check_torrent_key, name_of, object_content
from s3torrent.pipeline.outcome import Outcome, describe, unchecked
from s3torrent.pipeline.parts import SMALLEST_PART
from s3torrent.pipeline.publish import Standing, find_torrent, foreign, publish, standing
from s3torrent.pipeline.watch import watch
from s3torrent.status.base import COMPLETED, CREATING_TORRENT, FAILED, Claimed, Job

if TYPE_CHECKING:
    from s3torrent.engine.base import Progress
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.pipeline.outcome import SeedChecks
    from s3torrent.pipeline.sending import Sender, Sent
    from s3torrent.status.base import StatusStore
    from s3torrent.store.base import UploadStore
    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion


@dataclass(frozen=True)
class Uploader:
    """The tools, built once at the edge; ``status`` is None where no table is named."""

    store: UploadStore
    status: StatusStore | None
    policy: TorrentPolicy
    owner: str
    lease_seconds: float
    threads: int = 4
    smallest_part: int = SMALLEST_PART
    watch_prefix: str = ""
    check_seeds: SeedChecks = unchecked


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes, and what lay there before."""

    ref: ObjectRef
    replaces: ObjectVersion | None
    torrent: ObjectHead | None


def look(uploader: Uploader, ref: ObjectRef, *, force: bool) -> Target:
    """Everything that can be refused before a byte is sent.

    Raises BadName, KeyTooLong, OutputExists without ``force``, ForeignTorrent, and what a HEAD raises.
    """
    name_of(ref)
    check_torrent_key(ref)
    there: ObjectVersion | None = None
    # To a role without s3:ListBucket 403 is what is not there; the conditional write finds out.
    with suppress(NoSuchObject, AccessDenied):
        there = uploader.store.head(ref).version
    if there and not force:
        raise taken(ref)
    torrent = find_torrent(uploader.store, ref, guess=True)
    if torrent:
        seen = there or replace(torrent.version, ref=ref)
        if standing(torrent, seen, uploader.policy.policy_id) is Standing.FOREIGN:
            raise foreign(ref)
    return Target(ref, there, torrent)


def taken(ref: ObjectRef) -> OutputExists:
    return OutputExists(f"{ref} is there already", hint="name another key, or pass --force")


def conclude(
    uploader: Uploader, target: Target, sender: Sender, sent: list[Sent], progress: Progress
) -> Outcome:
    """Complete the upload and publish its torrent. Raises WriteConflict where another object appeared."""
    job_id = str(target.ref)
    trouble: S3TorrentError | None = None
    if uploader.status:
        try:
            uploader.status.reserve(job_id, owner=uploader.owner, lease_seconds=uploader.lease_seconds)
        except S3TorrentError as error:  # the object comes first
            trouble = error
    try:
        head = _complete(uploader, target, sender, sent)
    except S3TorrentError:
        if uploader.status and trouble is None:
            with suppress(S3TorrentError):
                uploader.status.release(job_id, owner=uploader.owner)
        raise
    progress(head.version.size, CREATING_TORRENT)
    return _publish(uploader, target, head, _metainfo(uploader.policy, head, sender, sent))


def _complete(uploader: Uploader, target: Target, sender: Sender, sent: list[Sent]) -> ObjectHead:
    """The object appears, and is pinned."""
    try:
        etag = sender.complete(sent, target.replaces)
    except (WriteConflict, UploadGone) as error:
        head = _head(uploader, target.ref)
        if head is None or head.version.etag != sender.expected_etag(sent):
            raise WriteConflict(
                f"{target.ref} was written by another while it was uploaded: {error.message}",
                hint="look what lies there; name another key, or pass --force",
            ) from None
        # Our own request had arrived, and its answer was lost; or another's of the same content was first.
        if sender.upload:
            with suppress(S3TorrentError):
                uploader.store.abort_upload(sender.upload)
        return head
    found = _head(uploader, target.ref)
    if found is None or found.version.etag != etag:
        raise ObjectChanged(f"{target.ref} was replaced or deleted as soon as it was uploaded")
    return found


def _head(uploader: Uploader, ref: ObjectRef) -> ObjectHead | None:
    try:
        return uploader.store.head(ref)
    except NoSuchObject:
        return None


def _metainfo(policy: TorrentPolicy, head: ObjectHead, sender: Sender, sent: list[Sent]) -> Metainfo:
    """As the function would make it of the same object."""
    if policy.engine == "transmission":  # whose info dict always has ``private``
        policy = replace(policy, write_private_zero=not policy.private)
    # As it was sent: what keeps no metadata must not cost us the torrent.
    content = object_content(replace(head, metadata=sender.metadata))
    length = piece_length_of(content, policy).piece_length
    hashes = [sender.whole[1]] if sender.whole else [one.hashes for one in sent]
    return metainfo_of(content, policy, length, assemble_parts(hashes, content.size, length, policy.version))


def _publish(uploader: Uploader, target: Target, head: ObjectHead, metainfo: Metainfo) -> Outcome:
    """The torrent goes out even where the table cannot be told; that is raised afterwards."""
    version, policy_id = head.version, uploader.policy.policy_id
    body = metainfo.encode()
    attributes = describe(version, metainfo, len(body), bytes_read=0)
    claim: object = None
    trouble: S3TorrentError | None = None
    if uploader.status:
        job = Job(str(target.ref), version, policy_id, reserved=True)
        try:
            claim = uploader.status.claim(
                job, owner=uploader.owner, lease_seconds=uploader.lease_seconds, redo=True
            )
        except S3TorrentError as error:
            trouble = error
    try:
        if isinstance(claim, Claimed):  # else nobody is told
            attributes["webSeedChecks"] = uploader.check_seeds(metainfo)
        require_current(uploader.store, version)
        publish(uploader.store, version, policy_id, body, target.torrent)
        watch(uploader.store, version, policy_id, body, uploader.watch_prefix)
    except S3TorrentError as error:
        if uploader.status and isinstance(claim, Claimed):
            with suppress(S3TorrentError):
                told = {"reason": error.message, "error": error.as_dict()}
                uploader.status.finish(claim, FAILED, told)
        raise
    if uploader.status and isinstance(claim, Claimed):
        # Who took it over meanwhile finds this torrent, and says so.
        with suppress(LeaseLost):
            uploader.status.finish(claim, COMPLETED, attributes)
    if trouble:
        raise trouble
    return Outcome(str(target.ref), COMPLETED, made=True, attributes=attributes)
