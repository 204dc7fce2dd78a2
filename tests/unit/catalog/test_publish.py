"""What is written when something changed, and what is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.catalog import shards
from s3torrent.catalog.entry import page_id
from s3torrent.catalog.folder import FolderTarget
from s3torrent.errors import OutputExists, WriteConflict
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from s3torrent.status.base import CREATING_TORRENT, DELETED, FAILED
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef
from support.catalogs import BUCKET, HOSTILE, MemoryTarget, Table, item, items, publisher

if TYPE_CHECKING:
    from pathlib import Path

ASSETS = {
    f"assets/{name}" for name in ("catalog.css", "catalog.js", "icon.svg", "list.js", "search.js", "theme.js")
}
SMALL = {"catalog.json", "feed.xml", "index.html"}


def page_of(key: str) -> str:
    return f"t/{page_id(BUCKET, key)}.html"


def published(count: int, *more: str) -> tuple[Table, MemoryTarget]:
    table, target = Table(items(count, *more)), MemoryTarget()
    publisher(table, target).full()
    target.forget()
    return table, target


def scratch(table: Table) -> dict[str, bytes]:
    """What a catalogue made anew of the same table is."""
    target = MemoryTarget()
    publisher(table, target).full()
    return target.files


def test_a_catalogue_is_pages_shards_and_a_few_files() -> None:
    table, target = Table(items(3, *HOSTILE)), MemoryTarget()
    summary = publisher(table, target).full()
    pages = {page_of(one.get("key")) for one in table.rows.values()}
    assert set(target.files) == pages | ASSETS | SMALL | {"d/all.json"}
    assert (summary.count, summary.pages, summary.removed) == (18, 18, 0)
    assert target.written[-1] == "catalog.json"


@pytest.mark.parametrize("how", ["full", "recent"])
@pytest.mark.parametrize("count", [3, 600])
def test_nothing_changed_and_nothing_is_written(how: str, count: int) -> None:
    table, target = published(count)
    getattr(publisher(table, target), how)()
    assert (target.written, target.removed) == ([], [])


@pytest.mark.parametrize(
    ("how", "count"), [("full", 3), ("full", 600), ("recent", 3), ("recent", 600), ("recent", 8100)]
)
def test_one_more_torrent_changes_its_page_its_shard_and_the_small_files(how: str, count: int) -> None:
    table, target = published(count)
    table.put(item("one more.mkv", count))
    scans = table.scans
    getattr(publisher(table, target), how)()
    name = shards.name_of(page_id(BUCKET, "one more.mkv"), shards.digits_for(count))
    assert sorted(target.written) == sorted({page_of("one more.mkv"), shards.path_of(name)} | SMALL)
    assert target.removed == []
    assert target.files == scratch(table)
    assert table.scans - scans == 1 + (how == "full")


@pytest.mark.parametrize("how", ["full", "recent"])
@pytest.mark.parametrize("status", [DELETED, FAILED])
def test_what_is_gone_leaves_with_its_page(how: str, status: str) -> None:
    table, target = published(600)
    key = "shows/season 5/episode 599.mkv"
    table.put(item(key, 600, status=status))
    getattr(publisher(table, target), how)()
    assert target.removed == [page_of(key)]
    assert target.files == scratch(table)


@pytest.mark.parametrize("how", ["full", "recent"])
def test_an_object_replaced_keeps_its_address(how: str) -> None:
    table, target = published(600)
    key = "shows/season 0/episode 1.mkv"
    table.put(item(key, 700))
    getattr(publisher(table, target), how)()
    assert page_of(key) in target.written
    assert target.removed == []
    assert target.files == scratch(table)


@pytest.mark.parametrize("how", ["full", "recent"])
def test_a_torrent_that_is_being_made_anew_stays_meanwhile(how: str) -> None:
    table, target = published(600)
    table.put(item("shows/season 0/episode 1.mkv", 700, status=CREATING_TORRENT))
    getattr(publisher(table, target), how)()
    assert set(target.written) <= {"catalog.json"}
    assert target.removed == []


@pytest.mark.parametrize("how", ["full", "recent"])
@pytest.mark.parametrize("limit", [500])
def test_a_catalogue_that_outgrows_its_shards_gets_more(how: str, limit: int) -> None:
    table, target = published(limit)
    table.put(item("one more", limit + 1))
    getattr(publisher(table, target), how)()
    assert target.files == scratch(table)
    assert len([path for path in target.written if path.startswith("t/")]) == 1
    table.rows.pop(f"s3://{BUCKET}/one more")
    publisher(table, target).full()
    assert target.files == scratch(table)


def test_after_very_many_changes_the_whole_table_is_read() -> None:
    table, target = published(100)
    table.put(*(item(f"new/{number}", 200 + number) for number in range(5000)))
    scans = table.scans
    publisher(table, target).recent()
    assert table.scans == scans + 1
    assert target.files == scratch(table)


def test_what_ended_in_the_middle_is_made_good() -> None:
    table, target = published(600)
    table.put(item("one more", 900))
    write, broken = target.write, RuntimeError("killed")

    def until_the_shard(path: str, *arguments: Any, **more: Any) -> None:
        if path.startswith("d/"):
            raise broken
        write(path, *arguments, **more)

    target.write = until_the_shard  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="killed"):
        publisher(table, target).recent()
    target.write = write  # type: ignore[method-assign]
    publisher(table, target).recent()
    assert target.files == scratch(table)


def test_of_two_at_the_same_time_one_begins_anew() -> None:
    table, target = published(600)
    table.put(item("one more", 900))
    first = publisher(table, target)
    write = target.write

    def another_first(path: str, *arguments: Any, **more: Any) -> None:
        if path == "catalog.json":
            target.files[path] += b" "
        write(path, *arguments, **more)

    target.write = another_first  # type: ignore[method-assign]
    with pytest.raises(WriteConflict):
        first.recent()


def test_another_title_writes_all_pages_anew() -> None:
    table, target = published(20)
    publisher(table, target, title="Other").full()
    assert {page_of(one.get("key")) for one in table.rows.values()} <= set(target.written)
    assert b"Other" in target.files["feed.xml"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"generator":"s3torrent","version":9}', b"[]"])
def test_a_damaged_manifest_is_no_manifest(body: bytes) -> None:
    table, target = published(20)
    target.files["catalog.json"] = body
    publisher(table, target).full()
    assert target.files == scratch(table)


def test_only_what_is_asked_for_is_listed() -> None:
    table = Table(
        [
            item("shows/a", 1), item("other/b", 2), item(".s3torrent/c", 3), item("shows/d", 4, size="many"),
            item("shows/a", 5, bucket="elsewhere"), item("catalog/index.html", 6),
        ]
    )  # fmt: skip
    target = MemoryTarget()
    summary = publisher(table, target, prefix="shows/").full()
    assert (summary.count, summary.unreadable) == (1, 1)
    target = MemoryTarget()
    assert publisher(table, target, hidden=(".s3torrent/", "catalog/")).full().count == 2


def test_a_folders_page_lists_its_files() -> None:
    info = (
        b"d5:filesld6:lengthi5e4:pathl5:a.mkveed6:lengthi7e4:pathl3:sub5:<b>.xeee4:name4:202612:piece length"
        b"i16384e6:pieces20:" + bytes(20) + b"e"
    )
    body = b"d4:info" + info + b"e"
    v1 = infohash.v1_hex(parse(body))
    store = MemoryStore(now=lambda: datetime(2026, 11, 1, tzinfo=UTC))
    store.create_bucket(BUCKET)
    store.upload(ObjectRef(BUCKET, "shows/2026.torrent"), body)
    link = f"magnet:?xt=urn:btih:{v1}&dn=2026&ws=https%3A%2F%2Fcdn.example.org%2Fshows%2F"
    table, target = Table([item("shows/2026/", 1, infoHashV1=v1, magnet=link)]), MemoryTarget()
    publisher(table, target, store=store).full()
    html = target.files[page_of("shows/2026/")].decode()
    assert "sub/&lt;b&gt;.x" in html
    assert 'href="https://cdn.example.org/shows/2026/sub/%3Cb%3E.x"' in html
    table.put(item("shows/2026/", 2, magnet=link))  # another torrent than the one that lies there
    publisher(table, target, store=store).full()
    assert "The .torrent lists them" in target.files[page_of("shows/2026/")].decode()


def test_somebody_elses_page_is_left_alone() -> None:
    target = MemoryTarget()
    target.foreign = {"index.html"}
    with pytest.raises(OutputExists, match=r"index\.html"):
        publisher(Table(items(3)), target).full()
    assert target.written == []


def test_in_a_folder_somebody_elses_page_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>mine</h1>")
    with pytest.raises(OutputExists, match=r"index\.html"):
        publisher(Table(items(3)), FolderTarget(tmp_path)).full()
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    publisher(Table(items(3)), FolderTarget(tmp_path, force=True)).full()
    publisher(Table(items(4)), FolderTarget(tmp_path)).full()
    assert json.loads((tmp_path / "catalog.json").read_text())["count"] == 4
    assert not list(tmp_path.rglob(".*"))
