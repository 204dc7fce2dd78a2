"""An object too large for one run: handed over, hashed slice by slice, assembled; and what goes wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine import cut, slices
from s3torrent.engine.native import NativeEngine
from s3torrent.errors import AccessDenied, EngineError, OutOfTime, Throttled
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.fanout import FanOut
from s3torrent.pipeline.make import Maker
from s3torrent.pipeline.spread import execution_name
from s3torrent.status.base import Claimed
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.types import FanOutCall, ObjectRef, TorrentRequest
from support.reference import content
from support.uploading import REF, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from s3torrent.pipeline.outcome import Outcome

RANGE = 64 * 1024
SIZE = 37 * RANGE + 777
PREFIX = ".s3torrent/"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LEAST_RANGE", "MOST_RANGE"):
        monkeypatch.setattr(cut, name, RANGE)
    monkeypatch.setattr(slices, "LEAST_SLICE", 3 * RANGE)


@dataclass
class Machine:
    """The state machine's definition, step by step, by hand."""

    started: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    error: Exception | None = None

    def start(self, name: str, job: Mapping[str, Any]) -> None:
        if self.error:
            raise self.error
        self.started[name] = job


class Counting:
    """The store, and the bytes of content that were read of it."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.bytes_read = inner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, version: Any, start: int, end: int) -> Iterator[Any]:
        for chunk in self.inner.read(version, start, end):
            self.bytes_read += len(chunk) if version.ref == REF else 0
            yield chunk


@dataclass
class Spread:
    """A world with a function that hands over, and the function as the state machine calls it."""

    world: World
    machine: Machine
    maker: Maker
    fan_out: FanOut
    store: Counting

    def make(self) -> Outcome:
        return self.maker.make(TorrentRequest(REF))

    def run(self, action: str, number: int = 0, **more: Any) -> dict[str, Any]:
        attempt = self.world.item()["attempt"]
        return self.fan_out.run(FanOutCall(action, REF, attempt, number, **more))

    def finish(self) -> None:
        for number in self.run("plan")["slices"]:
            assert self.run("hash_range", number) == {"outcome": "done"}
        assert self.run("assemble")["outcome"] == "done"


def spread(world: World, **changes: Any) -> Spread:
    machine, store = Machine(), Counting(world.store)
    tools: dict[str, Any] = {
        "store": store,
        "status": world.status,
        "engine": NativeEngine(threads=2, most=10 * RANGE),
        "policy": world.policy,
        "owner": "function",
        "lease_seconds": 60.0,
        "monotonic": lambda: 0.0,
        "control_prefix": PREFIX,
        "checkpoint_seconds": 900.0,
        "state_machine": machine,
    }
    maker = Maker(**(tools | changes))
    return Spread(world, machine, maker, FanOut(maker, NativeEngine(threads=2)), store)


@pytest.fixture(params=["v1", "v2", "hybrid"])
def spreading(request: pytest.FixtureRequest) -> Spread:
    world = World(TorrentPolicy(version=request.param))
    world.store.upload(REF, content(SIZE))
    return spread(world)


def kept(spreading: Spread) -> list[ObjectRef]:
    """The checkpoints that lie in the bucket, in order of slices."""
    claim = Claimed(str(REF), 1, "", NOW)
    lease = spreading.maker.lease(claim, spreading.world.store.head(REF).version)
    numbers = range(20)
    refs = [spreading.fan_out._memory(lease, number).ref for number in numbers]
    return [ref for ref in refs if spreading.world.is_there(ref)]


def alone(policy: TorrentPolicy) -> bytes:
    """The info dict of the torrent that one run makes."""
    world = World(policy)
    world.store.upload(REF, content(SIZE))
    world.event()
    return parse(world.torrent()).info_raw


def name_of(spreading: Spread, attempt: int) -> str:
    seal = str(spreading.world.item()["seal"])
    return execution_name(Claimed(str(REF), attempt, "", NOW, seal))


def test_an_item_that_was_lost_and_begun_anew_has_an_execution_of_its_own() -> None:
    """Its first attempt is not taken for the closed execution of the other item's first."""
    first = name_of_claim("one")
    assert first != name_of_claim("another")
    assert first == name_of_claim("one")
    assert len(first) <= 80


def name_of_claim(seal: str) -> str:
    return execution_name(Claimed(str(REF), 1, "", NOW, seal))


def test_it_is_handed_over_and_gets_the_same_torrent(spreading: Spread) -> None:
    """Every byte is read once, and nothing is left behind."""
    outcome = spreading.make()
    [name] = spreading.machine.started
    assert name == name_of(spreading, 1)
    assert (outcome.status, outcome.reason) == (
        "CREATING_TORRENT",
        f"the state machine is at it, execution {name}",
    )
    assert spreading.machine.started == {name: {"bucket": REF.bucket, "key": REF.key, "attempt": 1}}
    assert spreading.store.bytes_read == 0
    spreading.finish()
    assert spreading.store.bytes_read == SIZE
    assert parse(spreading.world.torrent()).info_raw == alone(spreading.world.policy)
    item = spreading.world.item()
    assert (item["status"], item["bytesHashed"]) == ("COMPLETED", SIZE)
    assert not kept(spreading)


def test_progress_is_told(spreading: Spread) -> None:
    spreading.make()
    for number, done in ((0, 3 * RANGE), (5, 6 * RANGE)):
        spreading.run("hash_range", number)
        assert spreading.world.item()["bytesHashed"] == done
        assert spreading.world.item()["status"] == "CREATING_TORRENT"


def test_a_second_event_meanwhile_is_not_its_own_work(spreading: Spread) -> None:
    """It is done with, and does not come back until the state machine ends."""
    spreading.make()
    outcome = spreading.make()
    assert (outcome.status, outcome.reason) == ("CREATING_TORRENT", "the state machine is at it")
    assert len(spreading.machine.started) == 1


def test_what_one_run_can_read_is_not_handed_over() -> None:
    world = World()
    world.store.upload(REF, content(10 * RANGE - 1))
    spreading = spread(world)
    assert spreading.make().status == "COMPLETED"
    assert not spreading.machine.started


def test_a_repeated_slice_reads_nothing_again(spreading: Spread) -> None:
    spreading.make()
    for _ in range(3):
        assert spreading.run("hash_range", 1) == {"outcome": "done"}
    assert spreading.store.bytes_read == 3 * RANGE


def test_an_interrupted_slice_goes_on_where_it_was(spreading: Spread) -> None:
    """Time was up after a range: the next run reads the other two."""
    spreading.make()
    times = iter([0.0] * 8)
    late = spread(spreading.world, monotonic=lambda: next(times, 100.0))
    late.fan_out._engine = NativeEngine(threads=1)  # type: ignore[assignment]
    call = FanOutCall("hash_range", REF, 1, 2)
    answers = [late.fan_out.run(call, deadline=50.0)]
    while answers[-1] == {"outcome": "again"} and len(answers) < 9:
        answers.append(spreading.fan_out.run(call))
    assert answers[-1] == {"outcome": "done"}
    assert late.store.bytes_read + spreading.store.bytes_read == 3 * RANGE


def test_time_that_is_up_before_anything_was_kept_is_an_error(spreading: Spread) -> None:
    """The state machine tries it again a few times, and then gives up."""
    spreading.make()
    spreading.fan_out._maker.store.inner = FailingStore(  # type: ignore[attr-defined]
        spreading.world.store, [Fault("read", error=OutOfTime("time is up"))]
    )
    with pytest.raises(OutOfTime):
        spreading.run("hash_range", 2)
    assert spreading.world.item()["status"] == "CREATING_TORRENT"


def test_a_checkpoint_that_was_lost_is_read_again_by_the_assembly(spreading: Spread) -> None:
    spreading.make()
    for number in spreading.run("plan")["slices"]:
        spreading.run("hash_range", number)
    spreading.world.store.delete(kept(spreading)[4])
    assert spreading.run("assemble")["outcome"] == "done"
    assert spreading.store.bytes_read == SIZE + 3 * RANGE
    assert parse(spreading.world.torrent()).info_raw == alone(spreading.world.policy)


@pytest.mark.parametrize("action", ["plan", "hash_range", "assemble"])
class TestOvertaken:
    def test_another_attempt_has_the_job(self, spreading: Spread, action: str) -> None:
        spreading.make()
        assert spreading.fan_out.run(FanOutCall(action, REF, 7))["outcome"] == "stopped"
        assert spreading.store.bytes_read == 0

    def test_it_has_failed(self, spreading: Spread, action: str) -> None:
        spreading.make()
        spreading.run("give_up", error="no")
        assert spreading.run(action)["outcome"] == "stopped"

    def test_the_object_was_replaced(self, spreading: Spread, action: str) -> None:
        """It fails, and the event of what replaced it makes the torrent."""
        spreading.make()
        spreading.world.store.upload(REF, content(SIZE, "other"))
        assert spreading.run(action)["outcome"] == "failed"
        assert spreading.world.item()["status"] == "FAILED"
        assert spreading.make().status == "CREATING_TORRENT"
        spreading.finish()
        assert spreading.world.item()["status"] == "COMPLETED"

    def test_the_object_is_gone(self, spreading: Spread, action: str) -> None:
        spreading.make()
        spreading.world.store.delete(REF)
        assert spreading.run(action)["outcome"] == "failed"
        assert "does not exist" in spreading.world.item()["reason"]


class TestFailing:
    def test_what_may_pass_is_raised_for_another_try(self, spreading: Spread) -> None:
        spreading.make()
        spreading.fan_out._maker.store.inner = FailingStore(  # type: ignore[attr-defined]
            spreading.world.store, [Fault("read", error=Throttled("503"))]
        )
        with pytest.raises(Throttled):
            spreading.run("hash_range", 3)
        assert spreading.run("hash_range", 3) == {"outcome": "done"}

    def test_what_will_not_pass_ends_it_with_the_slice_and_the_reason(self, spreading: Spread) -> None:
        spreading.make()
        spreading.fan_out._maker.store.inner = FailingStore(  # type: ignore[attr-defined]
            spreading.world.store, [Fault("read", error=AccessDenied("s3:GetObject on it is denied"))]
        )
        answer = spreading.run("hash_range", 3)
        item = spreading.world.item()
        assert answer == {"outcome": "failed", "reason": "slice 3: s3:GetObject on it is denied"}
        assert (item["status"], item["reason"]) == ("FAILED", answer["reason"])
        assert item["error"]["type"] == "AccessDenied"
        assert "leaseExpiresAt" not in item
        assert spreading.run("hash_range", 4)["outcome"] == "stopped"

    def test_the_state_machine_tells_after_its_last_try(self, spreading: Spread) -> None:
        spreading.make()
        spreading.run("give_up_slice", 5, error="Throttled: 503")
        spreading.fan_out.run(
            FanOutCall("give_up", REF, 1, error="States.ExceedToleratedFailureThreshold: ...")
        )
        item = spreading.world.item()
        assert (item["status"], item["reason"]) == ("FAILED", "slice 5: Throttled: 503")

    def test_a_new_event_after_it_begins_a_new_execution_that_reads_only_the_rest(
        self, spreading: Spread
    ) -> None:
        spreading.make()
        spreading.run("hash_range", 0)
        spreading.run("give_up", error="no")
        assert spreading.make().status == "CREATING_TORRENT"
        assert list(spreading.machine.started) == [name_of(spreading, attempt) for attempt in (1, 2)]
        spreading.finish()
        assert spreading.store.bytes_read == SIZE

    def test_a_state_machine_that_cannot_be_started(self, spreading: Spread) -> None:
        """FAILED, the claim is free again, and the event comes back."""
        spreading.machine.error = EngineError("states:StartExecution is denied")
        with pytest.raises(EngineError):
            spreading.make()
        assert spreading.world.item()["status"] == "FAILED"
        spreading.machine.error = None
        assert spreading.make().status == "CREATING_TORRENT"
