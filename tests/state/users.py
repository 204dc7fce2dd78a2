"""What the users of a bucket do, and what S3 tells the queue of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.types import ObjectRef
from state.mail import Queue, direct_call, s3_event
from support.reference import content

if TYPE_CHECKING:
    from datetime import datetime

    from s3torrent.types import ObjectHead, ObjectVersion
    from state.dice import Dice

KEYS = ("a", "b/ü +.bin")
CONTENTS = [*[content(5), content(20_000), content(50_000), content(50_000, "other")] * 2, b""]
POLICIES = [TorrentPolicy(), TorrentPolicy(trackers=(("udp://tracker.example.org:1337",),))]


class Users:
    """The half of a world that none of our programs has a part in. ``lying``, ``say``: the world's."""

    dice: Dice
    store: Any
    now: datetime
    versioned: bool
    lying: Any
    say: Any

    def __init__(self, bucket: str, dice: Dice) -> None:
        self.bucket, self.dice = bucket, dice
        self.everything = tuple(ObjectRef(bucket, key) for key in KEYS)
        self.refs = dice.pick((self.everything[:1], self.everything))
        self.queue, self.policy = Queue(), POLICIES[0]
        self.history: defaultdict[tuple[Any, ...], list[ObjectHead]] = defaultdict(list)
        """Every object that ever appeared, by key, version and ETag."""
        self.touched: Counter[ObjectRef] = Counter()
        """How often something at a KEY.torrent changed past its object's claims: by a user, by a removal."""
        self.meddled: set[ObjectRef] = set()
        """Objects whose torrent a user has touched, or that a policy has left behind: no event tells it."""
        self.orphans: set[ObjectRef] = set()
        """Objects whose torrent an uploader wrote without holding the claim: it may come too late."""
        self.asked: set[ObjectRef] = set()
        self._sequence = 0

    def upload(self, _depth: int) -> None:
        ref, body = self._ref(), self.dice.pick(CONTENTS)
        version = self.store.upload(ref, body)
        self.appeared(ref, "ObjectCreated:Put", version)

    def copy(self, _depth: int) -> None:
        """With metadata, as S3 copies; the torrent may go along."""
        ref, other = self.dice.pick((self.everything, self.everything[::-1]))
        head = self.lying(ref)
        if head is None:
            return
        version = self.store.upload(other, self.store.get(ref, 1 << 20), metadata=head.metadata)
        self.appeared(other, "ObjectCreated:Copy", version)
        torrent = self.lying(ref.torrent)
        if torrent and self.dice.pick((False, True)):
            body = self.store.get(ref.torrent, 1 << 20)
            self.store.upload(other.torrent, body, metadata=torrent.metadata)
            self._touch(other, "a copied torrent at")

    def delete(self, _depth: int) -> None:
        ref = self._ref()
        if self.lying(ref):
            self.store.delete(ref)
            self._emit(ref, "ObjectRemoved:DeleteMarkerCreated" if self.versioned else "ObjectRemoved:Delete")

    def drop_version(self, _depth: int) -> None:
        """One version, for good."""
        self._drop(self.dice.pick)

    def undelete(self, _depth: int) -> None:
        """The delete marker goes."""
        self._drop(lambda versions: versions[-1] if versions[-1][1] else None)

    def _drop(self, which: Any) -> None:
        ref = self._ref()
        versions = self.versions(ref)
        one = which(versions) if versions else None
        if one:
            self.store.delete(ref, one[0])
            self._emit(ref, "ObjectRemoved:Delete", one[0])

    def versions(self, ref: ObjectRef) -> list[tuple[str, bool]]:
        """All there are, oldest first: the id of each, and whether it is a delete marker."""
        found = self.store._buckets[ref.bucket].keys.get(ref.key, [])
        return [(one.head.version.version_id, one.body is None) for one in found]

    def foreign(self, _depth: int) -> None:
        ref = self._ref()
        self.store.upload(ref.torrent, b"theirs")
        self._touch(ref, "a foreign torrent at")

    def clear(self, _depth: int) -> None:
        ref = self._ref()
        if self.lying(ref.torrent):
            self.store.delete(ref.torrent)
            self._touch(ref, "no torrent any more at")

    def direct(self, _depth: int) -> None:
        ref = self._ref()
        self.queue.send(direct_call(ref.bucket, ref.key), self.now)
        self.asked.add(ref)
        self.say(f"user: m{len(self.queue.sent)} asks for {ref}")

    def change_policy(self, _depth: int) -> None:
        self.policy = self.dice.pick(POLICIES)
        self.meddled |= set(self.everything)

    def _ref(self) -> ObjectRef:
        return self.dice.pick(self.refs)

    def appeared(self, ref: ObjectRef, name: str, version: ObjectVersion) -> None:
        self.history[ref, version.version_id, version.etag].append(self.store.head(ref))
        self._emit(ref, name, version.version_id)

    def _touch(self, ref: ObjectRef, what: str) -> None:
        self.say(f"user: {what} {ref.torrent}")
        self.touched[ref] += 1
        self.meddled.add(ref)
        self.orphans.discard(ref)

    def _emit(self, ref: ObjectRef, name: str, version_id: str | None = None) -> None:
        self._sequence += 1
        sequencer = f"{self._sequence:06X}".rstrip("0")
        self.queue.send(s3_event(ref.bucket, ref.key, name, version_id, sequencer), self.now)
        self.say(f"s3: m{len(self.queue.sent)} {name} {ref} {version_id or ''} at {sequencer}")
