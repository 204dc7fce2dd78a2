"""An S3 Inventory, read from a store in memory: every current object once, damage told and never taken."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.errors import NoSuchObject, SourceError, UsageError
from s3torrent.pipeline.inventory import Inventory
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef
from support.inventories import Entry, csv_file, parquet_file, put_inventory

if TYPE_CHECKING:
    from s3torrent.pipeline.lookup import Named

HARD = 'x/a b+c & é%25 \u202e\n,".bin'
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda key: not key.endswith(".torrent")
)


def inventory(bodies: list[bytes], **options: Any) -> Inventory:
    store = MemoryStore()
    store.create_bucket("lists")
    key = put_inventory(
        lambda key, body: store.upload(ObjectRef("lists", key), body), "movies", "lists", bodies, **options
    )
    return Inventory(store, ObjectRef("lists", key))


def keys(named: list[Named]) -> list[str]:
    return [one.ref.key for one in named]


def test_each_row_is_an_object_with_its_size_and_date() -> None:
    """The key decoded as forms are (+ is a space), the date in whole seconds as a listing has it."""
    found = inventory([csv_file("movies", [Entry("b", 5), Entry(HARD)]), csv_file("movies", [Entry("a")])])
    assert found.bucket == "movies"
    named = list(found.named())
    assert keys(named) == ["b", HARD, "a"]
    version = named[0].version
    assert version is not None
    assert (version.ref, version.size, version.etag) == (ObjectRef("movies", "b"), 5, "0123abc")
    assert version.last_modified == datetime(2026, 11, 23, 12, 30, 15, tzinfo=UTC)
    assert found.read == found.total


def test_an_inventory_without_sizes_leaves_them_to_be_asked_for() -> None:
    assert [one.version for one in inventory([csv_file("movies", [Entry("a", None)])]).named()] == [None]


def test_of_all_versions_only_the_current_ones_are_told_and_no_delete_marker() -> None:
    entries = [Entry("a", latest=False), Entry("a"), Entry("gone", None, deleted=True), Entry("b.torrent")]
    found = inventory([csv_file("movies", entries, versions=True)], versions=True)
    assert keys(list(found.named())) == ["a"]


@given(names=st.lists(KEYS, min_size=1, max_size=12, unique=True), files=st.integers(1, 4), data=st.data())
def test_from_any_marker_on_it_tells_exactly_the_rest(
    names: list[str], files: int, data: st.DataObject
) -> None:
    """Whatever the keys hold, in however many files, some of which may be empty."""
    parts = [names[number::files] for number in range(files)]
    found = inventory([csv_file("movies", [Entry(key) for key in part]) for part in parts])
    named = list(found.named())
    assert sorted(keys(named)) == sorted(names)
    stop = data.draw(st.integers(0, len(named) - 1))
    assert keys(list(found.named(named[stop].marker))) == keys(named)[stop + 1 :]


def test_a_marker_of_another_inventory_is_refused() -> None:
    found = inventory([csv_file("movies", [Entry("a"), Entry("b")])])
    for marker, told in (
        ("0:1:other", "found 'a', expected 'other'"),
        ("0:3:c", "found its end"),
        ("x", "no place"),
    ):
        with pytest.raises(UsageError, match=told):
            list(found.named(marker))


def test_how_far_it_is_is_told_in_bytes_of_its_files() -> None:
    """What tells the time left: it grows, and ends at the whole."""
    files = [csv_file("movies", [Entry(f"{number}/{row}") for row in range(50)]) for number in range(3)]
    found = inventory(files)
    seen = [found.read for _ in found.named()]
    assert seen == sorted(seen)
    assert seen[0] <= len(files[0]) < seen[60]
    assert found.read == found.total == sum(map(len, files))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"fileFormat": "ORC"}, "in ORC; expected CSV or Parquet"),
        ({"fileFormat": None}, "in None; expected"),
        ({"fileSchema": "Bucket, Size"}, "fileSchema is 'Bucket, Size', expected Bucket, Key"),
        ({"files": [{"key": "x"}]}, "no manifest of an inventory: KeyError"),
        ({"files": 3}, "no manifest of an inventory: TypeError"),
    ],
)
def test_a_manifest_that_is_none_or_of_files_that_cannot_be_read(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        list(inventory([csv_file("movies", [Entry("a")])], **changed).named())
    assert refused.value.hint


@pytest.mark.parametrize("body", [b"Bucket,Key\n", b"[]", b"\xff\xfe", b"{}"])
def test_what_is_no_manifest_at_all(body: bytes) -> None:
    store = MemoryStore()
    store.create_bucket("lists")
    store.upload(ObjectRef("lists", "manifest.json"), body)
    with pytest.raises(UsageError, match=r"s3://lists/manifest\.json is no manifest of an inventory"):
        Inventory(store, ObjectRef("lists", "manifest.json"))


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ({"size": 7}, r"0\.csv has \d+ bytes, expected 7 by the manifest"),
        ({"MD5checksum": "0" * 32}, r"0\.csv has MD5 [0-9a-f]{32}, expected 0{32}"),
    ],
)
def test_a_file_that_is_not_the_manifests_is_not_read(file: dict[str, Any], told: str) -> None:
    body = csv_file("movies", [Entry("a")])
    found = inventory([body])
    files = [{"key": found.files[0].ref.key, "size": len(body), "MD5checksum": found.files[0].md5, **file}]
    rows: list[Named] = []
    with pytest.raises(SourceError, match=told):
        rows.extend(inventory([body], files=files).named())
    assert rows == []


def test_a_file_that_is_gone_is_named() -> None:
    found = inventory([b""], files=[{"key": "gone.csv.gz", "size": 3, "MD5checksum": "0" * 32}])
    with pytest.raises(NoSuchObject, match=r"s3://lists/gone\.csv\.gz"):
        list(found.named())


GOOD = b'"movies","a","1","2026-11-23T12:30:15.000Z","e","STANDARD"\n'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (gzip.compress(GOOD + b'"movies","b","1"\n', mtime=0), "argument 2 is shorter"),
        (gzip.compress(GOOD.replace(b'"1"', b'"-1"'), mtime=0), "a size of -1 bytes"),
        (gzip.compress(GOOD.replace(b'"1"', b'"many"'), mtime=0), "invalid literal"),
        (gzip.compress(GOOD.replace(b"-11-23", b"-13-23"), mtime=0), "month"),
        (gzip.compress(GOOD.replace(b'"a"', b'"%ff"'), mtime=0), "utf-8"),
        (gzip.compress(GOOD.replace(b'"a"', b'"\xff"'), mtime=0), "utf-8"),
        (gzip.compress(GOOD, mtime=0)[:-12], "ended|stream|CRC|EOF"),
        (GOOD, "Not a gzipped file"),
    ],
)
def test_a_malformed_row_is_named_and_nothing_is_guessed(body: bytes, told: str) -> None:
    with pytest.raises(SourceError, match=rf"s3://lists/.*0\.csv, row.*({told})"):
        list(inventory([body]).named())


def test_memory_stays_flat_over_many_rows() -> None:
    found = inventory([csv_file("movies", [Entry(f"some/longer/key/{row:09}") for row in range(20_000)])])
    tracemalloc.start()
    count = sum(1 for _ in found.named())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 2 << 20


def test_parquet_without_pyarrow_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match="pyarrow, which is not installed") as missing:
        list(inventory([b"PAR1"], file_format="Parquet").named())
    assert "s3torrent[inventory]" in missing.value.hint


def test_parquet_tells_the_same() -> None:
    """Keys are plain there, dates are moments; rows come by groups."""
    pytest.importorskip("pyarrow", reason="the extra `inventory` is not installed")
    entries = [
        Entry("b", 5),
        Entry(HARD),
        Entry("old", latest=False),
        Entry("gone", None, deleted=True),
        Entry("n", None),
    ]
    found = inventory(
        [parquet_file("movies", entries), parquet_file("movies", [Entry("a")])], file_format="Parquet"
    )
    named = list(found.named())
    assert keys(named) == ["b", HARD, "n", "a"]
    version = named[0].version
    assert version is not None
    assert (version.size, version.etag) == (5, "0123abc")
    assert version.last_modified == datetime(2026, 11, 23, 12, 30, 15, tzinfo=UTC)
    assert named[2].version is None
    assert keys(list(found.named(named[1].marker))) == ["n", "a"]
    assert found.read == found.total


def test_parquet_that_is_none_is_named() -> None:
    pytest.importorskip("pyarrow", reason="the extra `inventory` is not installed")
    with pytest.raises(SourceError, match=r"0\.parquet, row 0"):
        list(inventory([b"PAR1, but no more"], file_format="Parquet").named())
