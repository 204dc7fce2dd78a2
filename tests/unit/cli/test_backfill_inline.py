"""Several torrents made here at once: where the marker is, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.cli import backfill_ways
from s3torrent.cli.backfill_ways import make_here
from s3torrent.errors import HeldByAnother, Throttled
from s3torrent.pipeline.marker import Marker
from s3torrent.types import ObjectRef, ObjectVersion, TorrentRequest
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BOUND = 10


class Making:
    """A maker whose work is ``work``, given the key; ``built`` are how many there are of it."""

    def __init__(self, work: Callable[[str], Any]) -> None:
        self.work, self.built = work, 0

    def __call__(self, _settings: Any) -> Making:
        self.built += 1
        return self

    def make(self, request: TorrentRequest) -> None:
        self.work(request.ref.key)


def chosen(count: int) -> Iterator[tuple[ObjectVersion, str]]:
    for number in range(count):
        key = f"{number:03}"
        yield ObjectVersion(ObjectRef("b", key), None, "e", 1, NOW), f"behind {key}"


@pytest.fixture
def marker(tmp_path: Path) -> Marker:
    return Marker(tmp_path / "marker", "b", "")


def kept(marker: Marker) -> str:
    assert marker.path
    return str(json.loads(marker.path.read_text())["after"])


def using(monkeypatch: pytest.MonkeyPatch, work: Callable[[str], Any], at_once: int = 3) -> Making:
    making = Making(work)
    monkeypatch.setattr(backfill_ways, "maker", making)
    monkeypatch.setattr(backfill_ways, "AT_ONCE", at_once)
    return making


def test_as_many_are_at_work_as_there_are_cores(monkeypatch: pytest.MonkeyPatch, marker: Marker) -> None:
    """Three wait for one another, each with a maker of its own; afterwards the marker is at the end."""
    together = threading.Barrier(3)

    def work(key: str) -> None:
        if key < "003":
            together.wait(BOUND)

    making = using(monkeypatch, work)
    assert make_here(chosen(50), None, marker) == 0  # type: ignore[arg-type]
    assert making.built == 3
    assert kept(marker) == "behind 049"


def test_an_interrupt_leaves_the_marker_before_the_first_that_is_not_done(
    monkeypatch: pytest.MonkeyPatch, marker: Marker
) -> None:
    """010 hangs while those behind it are made; then comes Ctrl-C, which does not wait for it."""
    go = threading.Event()

    def work(key: str) -> None:
        if key == "010":
            go.wait(BOUND)
        if key == "030":
            until(lambda: marker.after == "behind 009", "the marker before 010", seconds=BOUND)
            os.kill(os.getpid(), signal.SIGINT)

    using(monkeypatch, work)
    try:
        with pytest.raises(KeyboardInterrupt):
            make_here(chosen(31), None, marker)  # type: ignore[arg-type]
        assert not go.is_set()
        assert kept(marker) == "behind 009"
    finally:
        go.set()


def test_one_that_fails_is_told_and_counted_and_is_tried_again_on_resume(
    monkeypatch: pytest.MonkeyPatch, marker: Marker, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(key: str) -> None:
        if key in ("002", "004"):
            raise Throttled(f"busy {key}")

    using(monkeypatch, work)
    assert make_here(chosen(9), None, marker) == 2  # type: ignore[arg-type]
    assert capsys.readouterr().err.splitlines() == ["s3://b/002: busy 002", "s3://b/004: busy 004"]
    assert kept(marker) == "behind 001"


def test_an_object_that_an_interrupted_run_holds_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, marker: Marker
) -> None:
    """Its lease ends, and it is made."""
    slept: list[float] = []
    tried: list[str] = []

    def work(key: str) -> None:
        tried.append(key)
        if len(tried) == 1:
            raise HeldByAnother("held", until=NOW + timedelta(seconds=40))

    using(monkeypatch, work)
    monkeypatch.setattr(backfill_ways, "clock", lambda: NOW)
    monkeypatch.setattr(backfill_ways.time, "sleep", slept.append)
    assert make_here(chosen(1), None, marker) == 0  # type: ignore[arg-type]
    assert (tried, slept) == (["000", "000"], [41])


def test_one_that_a_living_worker_holds_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, marker: Marker
) -> None:
    def work(_key: str) -> None:
        raise HeldByAnother("held", until=NOW)

    using(monkeypatch, work)
    monkeypatch.setattr(backfill_ways.time, "sleep", lambda _seconds: None)
    assert make_here(chosen(1), None, marker) == 1  # type: ignore[arg-type]
