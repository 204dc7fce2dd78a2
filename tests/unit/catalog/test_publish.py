"""What is written when something changed, and what is not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.catalog import shards, write
from s3torrent.catalog.entry import page_id
from s3torrent.catalog.folder import FolderTarget
from s3torrent.catalog.links import Links
from s3torrent.errors import OutputExists, UsageError, WriteConflict
from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from s3torrent.status.base import CREATING_TORRENT, DELETED, FAILED
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef
from support.catalogs import BUCKET, HOSTILE, MemoryTarget, Table, item, items, publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from s3torrent.catalog.target import Held
    from s3torrent.status.base import StatusItem

ASSETS = {
    f"assets/{name}"
    for name in ("catalog.css", "catalog.js", "icon.svg", "list.js", "rows.js", "search.js", "theme.js")
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
    # catalog.json twice: what is not to be relied on is said before it is touched.
    wanted = [page_of("one more.mkv"), shards.path_of(name), *SMALL, "catalog.json"]
    assert sorted(target.written) == sorted(wanted)
    assert target.removed == []
    assert target.files == scratch(table)
    assert table.scans - scans == 1 + (how == "full")


@pytest.mark.parametrize("how", ["full", "recent"])
def test_a_private_torrent_is_listed_only_where_that_is_meant(how: str) -> None:
    """Its magnet link tells its trackers. One that was public leaves when it is made private."""
    table, target = published(3)
    key = "shows/season 0/episode 1.mkv"
    table.put(item(key, 700, private=True))
    getattr(publisher(table, target), how)()
    assert target.removed == [page_of(key)]
    assert target.files == scratch(table)
    assert not any(b"episode 1.mkv" in body for body in target.files.values())
    public = publisher(table, target)
    meant = replace(public, source=replace(public.source, private=True))
    assert meant.full().count == 3
    assert page_of(key) in target.files


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


class Ended(Exception):
    """The function's time was over."""


class Ending(MemoryTarget):
    """Writes so many files, then no more."""

    left = 0

    def write(self, path: str, body: bytes, *, replaces: Held | None = None, fresh: bool = False) -> Held:
        if not self.left:
            raise Ended
        self.left -= 1
        return super().write(path, body, replaces=replaces, fresh=fresh)


@pytest.mark.parametrize("how", ["full", "recent"])
@pytest.mark.parametrize("before", ["nothing", "other looks", "other shards", "itself"])
def test_a_run_of_very_many_pages_goes_on_where_one_was_ended(
    monkeypatch: pytest.MonkeyPatch, how: str, before: str
) -> None:
    """As in a function that may never run long enough for all: each run gets further."""
    monkeypatch.setattr(write, "MANY", 50)
    count = 600
    table, target = Table(items(count)), Ending()
    target.left = 10**6
    if before == "other looks":
        publisher(table, target, title="Another").full()
    elif before != "nothing":
        publisher(Table(items(60 if before == "other shards" else count, "gone")), target).full()
    if before == "itself":
        for number in range(count):
            table.put(item(f"shows/season {number // 100}/episode {number}.mkv", number + 5000))
    target.forget()
    runs = 0
    while True:
        target.left, runs = 160, runs + 1
        try:
            getattr(publisher(table, target), how)()
        except Ended:
            assert runs < 12
            continue
        break
    assert runs > 3
    assert {path: body for path, body in target.files.items() if path != "d/all.json"} == scratch(table)
    pages = [path for path in target.written if path.startswith("t/")]
    assert len(pages) <= count + runs * (count // 16 + 60)  # at most the shard in hand is done again
    target.forget()
    publisher(table, target).recent()
    assert (target.written, target.removed) == ([], [])


def test_whoever_reads_catalog_json_meanwhile_is_told_what_is_not_there_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(write, "MANY", 50)
    target = Ending()
    target.left = 300
    with pytest.raises(Ended):
        publisher(Table(items(600)), target).full()
    listed = json.loads(target.files["catalog.json"])["shards"]
    told = {one["path"]: one["sha256"] for one in listed}
    assert {path for path, told_sha in told.items() if told_sha != shards.UNWRITTEN} == {
        path for path in target.files if path.startswith("d/")
    }
    assert all(
        shards.digest(target.files[path]) == sha for path, sha in told.items() if sha != shards.UNWRITTEN
    )


class Meddling(MemoryTarget):
    """Does something before the write of ``at``, once."""

    def __init__(self, at: Callable[[str], bool], what: Callable[[], object]) -> None:
        super().__init__()
        self.at, self.what = at, what
        self.armed = False

    def write(self, path: str, body: bytes, *, replaces: Held | None = None, fresh: bool = False) -> Held:
        if self.armed and self.at(path):
            self.armed = False
            self.what()
        return super().write(path, body, replaces=replaces, fresh=fresh)


@pytest.mark.parametrize("how", ["full", "recent"])
def test_of_two_at_the_same_time_the_second_has_changed_nothing_when_it_is_told(how: str) -> None:
    table = Table(items(600))
    target = Meddling(lambda path: True, lambda: publisher(table, target, title="First").full())
    publisher(table, target).full()
    table.put(item("one more", 900))
    target.armed = True
    with pytest.raises(WriteConflict):
        getattr(publisher(table, target, title="Second"), how)()
    assert all(b"First" in body for path, body in target.files.items() if path.endswith(".html"))
    assert b"Second" not in b"".join(target.files.values())
    publisher(table, target, title="First").recent()
    assert target.files == titled(table, "First")


def titled(table: Table, title: str) -> dict[str, bytes]:
    target = MemoryTarget()
    publisher(table, target, title=title).full()
    return target.files


def test_what_another_published_while_the_table_was_read_is_not_lost() -> None:
    table, target = published(600)
    meddled = False

    class Read(Table):
        def items(self, prefix: str) -> Iterator[StatusItem]:
            nonlocal meddled
            seen = list(super().items(prefix))
            if not meddled:
                meddled = True
                table.put(item("one more", 900))
                publisher(table, target).full()
            return iter(seen)

    stale = Read(table.rows.values())
    stale.put(item("shows/season 0/episode 1.mkv", 800))
    with pytest.raises(WriteConflict):
        publisher(stale, target).full()
    assert target.files == scratch(table)


def test_what_a_run_with_another_title_left_is_written_anew() -> None:
    """Ctrl-C at the sight of a wrong title, and then the right one."""
    table, target = Table(items(600)), Ending()
    target.left = 10**6
    publisher(table, target).full()
    for left in (1, 30, 300, 612):
        target.left = left
        with pytest.raises(Ended):
            publisher(table, target, title="Wrong").full()
        target.left = 10**6
        publisher(table, target).full()
        assert target.files == scratch(table)


def test_what_was_begun_is_written_anew_also_where_the_shards_become_others() -> None:
    table, target = Table(items(495)), Ending()
    target.left = 10**6
    publisher(table, target).full()
    key = "shows/season 0/episode 1.mkv"
    was = table.rows[f"s3://{BUCKET}/{key}"]
    table.put(item(key, 900))
    target.left = 2  # catalog.json and the page
    with pytest.raises(Ended):
        publisher(table, target).recent()
    table.put(was, *items(600)[495:])
    target.left = 10**6
    publisher(table, target).full()
    assert target.files == scratch(table)


def test_whoever_comes_while_another_is_at_work_waits_for_it() -> None:
    table, target = Table(items(600)), Ending()
    target.left = 300
    with pytest.raises(Ended):
        publisher(table, target).full()
    target.left, waited = 10**6, []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:  # it still moves
            target.files["catalog.json"] += b" "

    late = publisher(table, target)
    late.wait = wait
    late.full()
    assert sum(waited) == 2 + target.patience
    assert target.files == scratch(table)


@pytest.mark.parametrize(
    "path", ["index.html", "feed.xml", "d/3.json", "assets/list.js", "t/*", "catalog.json"]
)
def test_a_file_that_somebody_deleted_comes_back(path: str) -> None:
    table, target = published(600)
    gone = next(one for one in target.files if one.startswith("t/")) if path == "t/*" else path
    del target.files[gone]
    publisher(table, target).full()
    assert target.files == scratch(table)


def test_pages_that_no_torrent_has_are_taken_away() -> None:
    table, target = published(20)
    target.files["t/0123456789abcdef.html"] = b'<meta name="generator" content="s3torrent">'
    publisher(table, target).full()
    assert target.removed == ["t/0123456789abcdef.html"]


def test_a_catalogue_of_other_objects_is_not_replaced() -> None:
    table, target = published(20)
    other = publisher(table, target, prefix="shows/season 0/")
    with pytest.raises(UsageError, match=r"memory is the catalogue of s3://films/, not of s3://films/shows/"):
        other.full()
    with pytest.raises(UsageError, match="is the catalogue of"):
        other.recent()
    assert target.written == []
    other.force = True
    other.full()
    assert json.loads(target.files["catalog.json"])["source"] == "s3://films/shows/season 0/"


def test_a_table_that_knows_nothing_empties_nothing_unless_that_is_meant() -> None:
    _, target = published(20)
    with pytest.raises(UsageError, match=r"no torrent of s3://films/, and memory has 20"):
        publisher(Table(), target).full(may_empty=False)
    assert (target.written, target.removed) == ([], [])
    assert publisher(Table(), target).full().removed == 20


def test_another_title_writes_all_pages_anew() -> None:
    table, target = published(20)
    publisher(table, target, title="Other").full()
    assert {page_of(one.get("key")) for one in table.rows.values()} <= set(target.written)
    assert b"Other" in target.files["feed.xml"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb".*", b""),
        (rb".*", b"[]"),
        (rb'"version": 1', b'"version": 9'),
        (rb'"until": "[^"]*"', b'"until": "yesterday"'),
        (rb'"until": "[^"]*"', b'"until": "0001-01-01T00:00:00+23:59"'),
        (rb'"feed.xml":', b'"/etc/passwd": "0", "feed.xml":'),
        (rb'"feed.xml":', b'"../../precious": "0", "feed.xml":'),
        (rb'"d/all.json"', b'"d/../../all.json"'),
    ],
)
def test_a_damaged_manifest_is_no_manifest(old: bytes, new: bytes) -> None:
    table, target = published(20)
    body = re.sub(old, new, target.files["catalog.json"], count=1, flags=re.DOTALL)
    assert body != target.files["catalog.json"]
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
    for path in ("feed.xml", "t/0000000000000000.html", "notes.txt"):
        (tmp_path / path).write_text("mine")
        manifest = json.loads((tmp_path / "catalog.json").read_text())
        (tmp_path / "catalog.json").write_text(
            json.dumps(manifest | {"files": manifest["files"] | {"feed.xml": "0"}})
        )
        if path == "feed.xml":
            with pytest.raises(OutputExists, match=r"feed\.xml"):
                publisher(Table(items(5)), FolderTarget(tmp_path)).full()
            without = Links(BUCKET)
            publisher(Table(items(4)), FolderTarget(tmp_path), links=without).full()
        else:
            publisher(Table(items(4)), FolderTarget(tmp_path), links=without).full()
        assert (tmp_path / path).read_text() == "mine"
        (tmp_path / path).unlink()
    assert json.loads((tmp_path / "catalog.json").read_text())["count"] == 4
    assert not list(tmp_path.rglob(".*"))
