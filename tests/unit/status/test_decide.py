"""May this job be claimed? The answer from item, job and time alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.status.base import (
    COMPLETED,
    DELETED,
    FAILED,
    IN_WORK,
    PENDING,
    SKIPPED,
    Done,
    HeldUntil,
    Job,
    StatusItem,
    Superseded,
)
from s3torrent.status.decide import MayClaim, decide, is_older, may_note
from s3torrent.types import ObjectRef, ObjectVersion

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SOON, PAST = "2026-11-23T14:00:00.001Z", "2026-11-23T14:00:00.000Z"
REF = ObjectRef("b", "k")
JOB = Job(str(REF), ObjectVersion(REF, None, "e", 1, NOW), "policy")
SAME = {"etag": "e", "size": 1, "policyId": "policy", "attempt": 3, "leaseOwner": "A", "leaseExpiresAt": SOON}

sequencers = st.text("0123456789ABCDEF", max_size=20)


def item(**attributes: object) -> StatusItem:
    return StatusItem(JOB.job_id, {**SAME, **attributes})


def test_no_item_is_free() -> None:
    assert decide(None, JOB, NOW, owner="B", redo=False) == MayClaim(1)


@pytest.mark.parametrize("status", sorted(IN_WORK))
def test_same_work_is_held_to_the_last_millisecond_of_its_lease(status: str) -> None:
    held = decide(item(status=status), JOB, NOW, owner="B", redo=False)
    assert held == HeldUntil(NOW + timedelta(milliseconds=1), "A")
    assert decide(item(status=status, leaseExpiresAt=PAST), JOB, NOW, owner="B", redo=False) == MayClaim(4)


@pytest.mark.parametrize("status", [PENDING, FAILED, SKIPPED, DELETED])
def test_what_nobody_works_on_is_free_whatever_its_lease_says(status: str) -> None:
    assert decide(item(status=status), JOB, NOW, owner="B", redo=False) == MayClaim(4)


def test_work_without_a_lease_is_free() -> None:
    without = {name: value for name, value in SAME.items() if name != "leaseExpiresAt"}
    orphan = StatusItem(JOB.job_id, {**without, "status": "CREATING_TORRENT"})
    assert decide(orphan, JOB, NOW, owner="B", redo=False) == MayClaim(4)


@pytest.mark.parametrize(
    "other",
    [{"etag": "x"}, {"size": 2}, {"versionId": "v"}, {"policyId": "x"}],
    ids=lambda each: next(iter(each)),
)
@pytest.mark.parametrize("status", ["CREATING_TORRENT", COMPLETED])
def test_other_work_is_taken_over_at_once(status: str, other: dict[str, object]) -> None:
    assert decide(item(status=status, **other), JOB, NOW, owner="B", redo=False) == MayClaim(4)


def test_completed_work_is_done_unless_it_is_to_be_redone() -> None:
    finished = item(status=COMPLETED)
    assert decide(finished, JOB, NOW, owner="B", redo=False) == Done(finished)
    assert decide(finished, JOB, NOW, owner="B", redo=True) == MayClaim(4)


OLDER = Job(JOB.job_id, JOB.version, JOB.policy_id, sequencer="01")


@pytest.mark.parametrize("status", ["CREATING_TORRENT", COMPLETED, FAILED])
@pytest.mark.parametrize("redo", [False, True])
def test_an_older_event_of_another_version_is_superseded(status: str, *, redo: bool) -> None:
    newer = item(status=status, sequencer="02", etag="x")
    assert decide(newer, OLDER, NOW, owner="B", redo=redo) == Superseded(newer)


def test_an_older_event_of_the_same_version_sees_how_its_work_stands() -> None:
    """It may be the last to come after the torrent of finished work was lost."""
    finished, at_work = (
        item(status=COMPLETED, sequencer="02"),
        item(status="CREATING_TORRENT", sequencer="02"),
    )
    assert decide(finished, OLDER, NOW, owner="B", redo=False) == Done(finished)
    assert decide(finished, OLDER, NOW, owner="B", redo=True) == MayClaim(4)
    assert isinstance(decide(at_work, OLDER, NOW, owner="B", redo=False), HeldUntil)


def test_who_reserved_claims_only_while_his_reservation_stands() -> None:
    """Also one that has run out, until somebody else has claimed what lies there."""
    reserved = replace(JOB, reserved=True)
    mine = item(status=COMPLETED, etag="x", uploadOwner="B", uploadExpiresAt=PAST)
    assert decide(mine, reserved, NOW, owner="B", redo=True) == MayClaim(4)
    taken = item(status=COMPLETED, etag="x")
    assert decide(taken, reserved, NOW, owner="B", redo=True) == Superseded(taken)
    assert decide(None, reserved, NOW, owner="B", redo=True) == MayClaim(1)


def test_a_note_yields_to_live_work_results_and_newer_events() -> None:
    assert may_note(None, SKIPPED, None, NOW)
    assert may_note(item(status=FAILED), SKIPPED, None, NOW)
    assert may_note(item(status="CREATING_TORRENT", leaseExpiresAt=PAST), SKIPPED, None, NOW)
    assert not may_note(item(status="CREATING_TORRENT"), SKIPPED, None, NOW)
    assert not may_note(item(status=COMPLETED), SKIPPED, None, NOW)
    assert not may_note(item(status=FAILED, sequencer="02"), SKIPPED, "01", NOW)


@given(sequencers, sequencers)
def test_sequencers_have_one_order_that_zeros_on_the_right_do_not_change(one: str, other: str) -> None:
    assert not (is_older(one, other) and is_older(other, one))
    assert is_older(one + "000", other) == is_older(one, other) == is_older(one, other + "00")
    assert is_older(one, other) or is_older(other, one) or one.rstrip("0") == other.rstrip("0")


@given(sequencers)
def test_a_missing_sequencer_is_never_older_nor_newer(one: str) -> None:
    assert not is_older(None, one)
    assert not is_older(one, None)
    assert not is_older(None, None)


def test_news_of_finished_work_waits_while_its_key_is_reserved() -> None:
    """It may be the event of the upload that is reserved, whose claim is to come."""
    reserved = item(status=COMPLETED, sequencer="01", uploadOwner="A", uploadExpiresAt=SOON)
    newer = replace(JOB, sequencer="02")
    assert isinstance(decide(reserved, newer, NOW, owner="B", redo=False), HeldUntil)
    assert decide(reserved, JOB, NOW, owner="B", redo=False) == Done(reserved)
    assert decide(reserved, OLDER, NOW, owner="B", redo=False) == Done(reserved)
