"""Objects by their names: each looked at together with its torrent, and with as few requests as can be."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from s3torrent.errors import AccessDenied
from s3torrent.pipeline.backfill import Filter, Tally, wanted
from s3torrent.pipeline.lookup import AT_ONCE, Lookup, Named
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Counting(MemoryStore):
    """Counts the questions; ``now`` steps a second with each upload."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.moment = NOW
        super().__init__(now=self._tick)
        self.create_bucket("movies")

    def _tick(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        self.asked[ref.key] += 1
        return super().head(ref, version_id)

    def add(self, *keys: str) -> None:
        for key in keys:
            self.upload(ObjectRef("movies", key), b"x" * 10)


@pytest.fixture
def store() -> Counting:
    return Counting()


def named(key: str, version: ObjectVersion | None = None) -> Named:
    return Named(ObjectRef("movies", key), version, f"behind {key}")


def chosen(
    store: Counting, names: list[Named], only: Filter | None = None
) -> tuple[list[tuple[str, str]], Tally, list[str]]:
    tally, missing = Tally(), list[str]()
    only = only or Filter()

    def drops(ref: ObjectRef) -> bool:
        return ref.key.startswith("dropped")

    lookup = Lookup(store, tally, drops, only, lambda ref: missing.append(ref.key))
    kept = wanted(lookup.found(names), tally, drops, only)
    return [(one.ref.key, marker) for one, marker in kept], tally, missing


def test_each_is_compared_with_its_torrent(store: Counting) -> None:
    store.add("done", "done.torrent", "stale.torrent", "stale", "new", "dropped")
    names = [named(key) for key in ("new", "gone", "stale", "dropped", "done")]
    found, tally, missing = chosen(store, names)
    assert found == [("new", "behind new"), ("stale", "behind stale")]
    assert missing == ["gone"]
    assert (tally.objects, tally.done, tally.left_out, tally.missing, tally.wanted) == (4, 1, 1, 1, 2)
    assert store.asked == Counter(
        ["new", "new.torrent", "stale", "stale.torrent", "done", "done.torrent", "gone"]
    )


def test_where_size_and_date_are_known_only_the_torrent_is_asked_for(store: Counting) -> None:
    """And not even that of an object that the filter leaves out, or where all are wanted."""
    known = {size: ObjectVersion(ObjectRef("movies", f"{size}"), None, "e", size, NOW) for size in (1, 50)}
    names = [named(str(size), version) for size, version in known.items()]
    found, tally, _ = chosen(store, names, Filter(min_size=10))
    assert [key for key, _ in found] == ["50"]
    assert (tally.objects, tally.left_out) == (2, 1)
    assert store.asked == Counter(["50.torrent"])
    store.asked.clear()
    assert len(chosen(store, names, Filter(every=True))[0]) == 2
    assert not store.asked


def test_a_key_whose_torrent_cannot_be_is_left_out_and_not_asked_about(store: Counting) -> None:
    """S3 would refuse a question of 1,032 bytes, and with it the whole backfill."""
    store.add("x" * 1024)
    assert not chosen(store, [named("x" * 1024)])[0]
    assert store.asked == Counter(["x" * 1024])


def test_many_come_in_their_order(store: Counting) -> None:
    keys = [f"{number:03}" for number in range(AT_ONCE * 5)]
    store.add(*keys)
    assert [key for key, _ in chosen(store, [named(key) for key in keys])[0]] == keys


def test_a_denial_ends_it(store: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> ObjectHead:
        raise AccessDenied("s3:GetObject")

    monkeypatch.setattr(store, "head", denied)
    with pytest.raises(AccessDenied):
        chosen(store, [named("a")])
