"""Workers that claim, renew, finish, crash and come late, in any order: what holds always."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from s3torrent.errors import LeaseLost
from s3torrent.status.base import COMPLETED, CREATING_TORRENT, FAILED, SKIPPED, Claimed, Done, HeldUntil, Job
from s3torrent.status.decide import is_news, is_older
from s3torrent.status.memory import MemoryStatus
from s3torrent.types import ObjectRef, ObjectVersion

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
LEASE = 60.0

keys = st.sampled_from(["a", "b"])
etags = st.sampled_from(["e1", "e2"])
sequencers = st.none() | st.sampled_from(["01", "011", "02"])
owners = st.sampled_from(["A", "B", "C"])


class Workers(RuleBasedStateMachine):
    """``held`` is the model: for each job the claim that counts, its work, and when its lease ends."""

    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.store = MemoryStatus(lambda: self.now)
        self.held: dict[str, tuple[int, Job, datetime]] = {}
        self.attempts: dict[str, int] = {}
        self.newest: dict[str, str] = {}

    @rule(target=claims, key=keys, etag=etags, sequencer=sequencers, owner=owners, redo=st.booleans())
    def claim(self, key: str, etag: str, sequencer: str | None, owner: str, redo: bool) -> Any:
        ref = ObjectRef("bucket", key)
        job = Job(str(ref), ObjectVersion(ref, None, etag, 1, START), "policy", sequencer=sequencer)
        before = self.store.get(job.job_id)
        result = self.store.claim(job, owner=owner, lease_seconds=LEASE, redo=redo)
        held = self.held.get(job.job_id)
        live = held is not None and held[1].version == job.version and self.now < held[2]
        if not isinstance(result, Claimed):
            after = self.store.get(job.job_id)
            assert before
            assert after
            heard = isinstance(result, Done) and is_news(before, sequencer)
            told = {"sequencer": sequencer} if heard else {}
            assert after.attributes == before.attributes | told
            assert not isinstance(result, HeldUntil) or live
            return result
        assert not live, "two live claims of one version"
        assert result.attempt == self.attempts.get(job.job_id, 0) + 1
        self.attempts[job.job_id] = result.attempt
        self.held[job.job_id] = (result.attempt, job, result.lease_expires_at)
        return result

    @rule(claim=claims, done=st.integers(0, 9))
    def renew(self, claim: Any, done: int) -> None:
        def write() -> None:
            renewed = self.store.renew(claim, lease_seconds=LEASE, status=CREATING_TORRENT, bytes_hashed=done)
            attempt, job, _ = self.held[claim.job_id]
            self.held[claim.job_id] = (attempt, job, renewed.lease_expires_at)

        self.fenced(claim, write)

    @rule(claim=consumes(claims), status=st.sampled_from([COMPLETED, FAILED, SKIPPED]))
    def finish(self, claim: Any, status: str) -> None:
        def write() -> None:
            self.store.finish(claim, status, {})
            del self.held[claim.job_id]

        self.fenced(claim, write)

    @rule(claim=consumes(claims))
    def crash(self, claim: Any) -> None:
        """The worker is never heard of again."""

    @rule(key=keys, sequencer=sequencers)
    def note(self, key: str, sequencer: str | None) -> None:
        job_id = f"s3://bucket/{key}"
        before = self.store.get(job_id)
        held = self.held.get(job_id)
        if self.store.note(job_id, SKIPPED, {"reason": "gone"}, sequencer=sequencer):
            assert (
                before is None or before.status != COMPLETED or is_older(before.get("sequencer"), sequencer)
            )
            assert held is None or self.now >= held[2]
            self.held.pop(job_id, None)
        else:
            assert self.store.get(job_id) == before

    @rule(seconds=st.sampled_from([0.001, 1, LEASE - 0.001, LEASE]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def sequencers_never_go_back(self) -> None:
        for item in self.store.list():
            sequencer = item.get("sequencer")
            assert not is_older(sequencer, self.newest.get(item.job_id))
            if sequencer is not None:
                self.newest[item.job_id] = sequencer

    def fenced(self, claim: Any, write: Any) -> None:
        """The current claim writes; any other gets LeaseLost, and the item is as before."""
        if not isinstance(claim, Claimed):
            return
        if self.held.get(claim.job_id, (0,))[0] == claim.attempt:
            write()
            return
        before = self.store.get(claim.job_id)
        with pytest.raises(LeaseLost):
            write()
        assert self.store.get(claim.job_id) == before


Workers.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestWorkers = Workers.TestCase
