"""``s3torrent catalog`` as a person runs it, on a bucket."""

from __future__ import annotations

import gzip
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import feedparser
import jsonschema
import pytest

from s3torrent.catalog import shards
from s3torrent.catalog.render import ASSETS
from support.command import Done, s3torrent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.ministack import MiniStack

pytestmark = pytest.mark.stack

URL = "https://torrents.example.org/catalog/"
KEYS = ["a b/é + 100%.bin", "two", "<script>.x", "safe\u202egnp.exe"]


class World:
    def __init__(self, stack: MiniStack, bucket: str, table: str) -> None:
        self.stack, self.bucket, self.table = stack, bucket, table
        self.s3 = stack.client("s3")

    def run(self, *arguments: str | Path, **more: str) -> Done:
        env = {"DDB_TABLE": self.table, "TORRENT_EXCLUDE": "catalog/*", **more}
        return s3torrent(*arguments, endpoint=self.stack.endpoint, env=env)

    def fill(self, *keys: str) -> None:
        for number, key in enumerate(keys):
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=bytes([number + 1]) * 1000)
        done = self.run("backfill", f"s3://{self.bucket}/", "--inline")
        assert done.code == 0, done.stderr

    def publish(self, *more: str) -> dict[str, Any]:
        done = self.run("catalog", "publish", f"s3://{self.bucket}/catalog", "--url", URL, "--json", *more)
        assert (done.code, done.stderr) == (0, ""), done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def head(self, path: str) -> Any:
        return self.s3.get_object(Bucket=self.bucket, Key=f"catalog/{path}")

    def etags(self) -> dict[str, str]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="catalog/")
        return {one["Key"].removeprefix("catalog/"): one["ETag"] for one in listed.get("Contents", ())}


@pytest.fixture
def world(ministack: MiniStack, bucket: str, table_name: str) -> World:
    return World(ministack, bucket, table_name)


def test_a_bucket_gets_a_catalogue_and_then_only_what_changed(world: World) -> None:
    world.fill(*KEYS)
    told = world.publish()
    assert (told["torrents"], told["pages"], told["unlinked"]) == (4, 4, 0)
    before = world.etags()
    assert len(before) == 4 + len(ASSETS) + 4
    assert world.publish()["written"] == 0
    assert world.etags() == before

    world.fill("one more")
    told = world.publish()
    assert (told["torrents"], told["pages"], told["written"]) == (5, 1, 5)
    after = world.etags()
    changed = {path for path in after if before.get(path) != after[path]}
    assert len(changed - before.keys()) == 1
    assert changed & before.keys() == {"index.html", "feed.xml", "catalog.json", "d/all.json"}


def test_each_file_says_what_it_is_and_how_long_it_may_be_kept(world: World) -> None:
    world.fill("two")
    world.publish()
    kinds = {path: world.head(path) for path in world.etags()}
    assert {path.rpartition(".")[2]: answer["ContentType"] for path, answer in kinds.items()} == {
        "html": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
        "xml": "application/rss+xml; charset=utf-8",
        "json": "application/json",
    }
    for answer in kinds.values():
        assert answer["CacheControl"] in ("public, max-age=300", "public, max-age=86400")
    packed = {path for path, answer in kinds.items() if answer.get("ContentEncoding") == "gzip"}
    assert packed == {"d/all.json"}
    rows = shards.decode(gzip.decompress(kinds["d/all.json"]["Body"].read()))
    assert [row.key for row in rows.values()] == ["two"]


def test_the_feed_leads_to_the_torrents_with_their_lengths(world: World) -> None:
    world.fill(*KEYS)
    world.publish()
    feed = feedparser.parse(world.head("feed.xml")["Body"].read())
    assert not feed.bozo
    sizes = {}
    for entry in feed.entries:
        (enclosure,) = entry.enclosures
        assert enclosure.type == "application/x-bittorrent"
        sizes[enclosure.href] = int(enclosure.length)
    listed = world.s3.list_objects_v2(Bucket=world.bucket)["Contents"]
    torrents = {one["Key"]: one["Size"] for one in listed if one["Key"].endswith(".torrent")}
    from s3torrent.metainfo.webseed import encode_key

    assert sizes == {
        f"https://torrents.example.org/{encode_key(key)}": size for key, size in torrents.items()
    }


def test_catalog_json_is_as_its_schema_says(world: World, schemas: Callable[[str], Any]) -> None:
    world.fill(*KEYS)
    world.publish()
    whole = json.load(world.head("catalog.json")["Body"])
    jsonschema.validate(whole, schemas("catalog"))
    jsonschema.validate(
        json.loads(gzip.decompress(world.head("d/all.json")["Body"].read())), schemas("shard")
    )
    assert {one["key"] for one in whole["newest"]} == set(KEYS)
    damaged = whole | {"newest": [whole["newest"][0] | {"infoHashV1": "zz"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(damaged, schemas("catalog"))


@pytest.fixture
def schemas() -> Callable[[str], Any]:
    from pathlib import Path

    docs = Path(__file__).resolve().parents[2] / "docs"
    return lambda name: json.loads((docs / f"{name}.schema.json").read_text())


def test_somebody_elses_page_is_left_alone_but_by_force(world: World) -> None:
    world.fill("two")
    world.s3.put_object(Bucket=world.bucket, Key="catalog/index.html", Body=b"mine")
    done = world.run("catalog", "publish", f"s3://{world.bucket}/catalog/")
    assert done.code == 2
    assert "catalog/index.html is there already" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert list(world.etags()) == ["index.html"]
    assert world.publish("--force")["torrents"] == 1
    assert world.head("index.html")["Body"].read().startswith(b"<!doctype html>")


def test_its_own_files_get_no_torrents_though_nobody_excludes_them_and_a_note_says_so(world: World) -> None:
    world.fill("two")
    done = world.run(
        "catalog", "publish", f"s3://{world.bucket}/catalog", "--url", URL, TORRENT_EXCLUDE="other/*"
    )
    assert done.code == 0
    assert "TORRENT_EXCLUDE=catalog/*" in done.stderr
    pages = world.etags()
    everything = world.run("backfill", f"s3://{world.bucket}/", "--inline", TORRENT_EXCLUDE="")
    assert everything.code == 0, everything.stderr
    assert world.etags() == pages
    known = world.run("audit", f"s3://{world.bucket}/", TORRENT_EXCLUDE="")
    assert known.code == 0, known.stdout + known.stderr


def test_private_torrents_are_left_out_whatever_the_environment_says(world: World) -> None:
    world.s3.put_object(Bucket=world.bucket, Key="secret", Body=b"secret")
    done = world.run("backfill", f"s3://{world.bucket}/", "--inline", TORRENT_PRIVATE="1")
    assert done.code == 0, done.stderr
    world.s3.put_object(Bucket=world.bucket, Key="two", Body=b"two")
    world.fill()
    assert world.publish()["torrents"] == 1
    assert b"secret" not in world.head("index.html")["Body"].read()
    assert world.publish("--private")["torrents"] == 2


def test_a_wrong_place_or_table_takes_nothing_out(world: World, ministack: MiniStack) -> None:
    world.fill("two")
    world.publish()
    before = world.etags()
    place = f"s3://{world.bucket}/catalog"
    other = world.run("catalog", "publish", place, "--from", f"s3://{world.bucket}/shows/", "--url", URL)
    assert (other.code, other.stderr.splitlines()[0]) == (
        2,
        f"error: {place}/ is the catalogue of s3://{world.bucket}/, not of s3://{world.bucket}/shows/",
    )
    ensured(ministack, f"{world.table}-empty")
    empty = World(ministack, world.bucket, f"{world.table}-empty")
    done = empty.run("catalog", "publish", place, "--url", URL)
    assert (done.code, done.stderr.splitlines()[0]) == (
        2,
        f"error: the table tells of no torrent of s3://{world.bucket}/, and {place}/ has 1",
    )
    assert world.etags() == before
    assert empty.run("catalog", "publish", place, "--url", URL, "--force").code == 0
    assert not [path for path in world.etags() if path.startswith("t/")]


def ensured(stack: MiniStack, table: str) -> None:
    """A status table that is empty."""
    from s3torrent.status.dynamodb_table import ensure_table

    ensure_table(stack.client("dynamodb"), table, create_missing=True, sleep=time.sleep)


def test_a_damaged_shard_is_written_anew(world: World) -> None:
    world.fill("two")
    world.publish()
    before = world.etags()
    world.s3.put_object(
        Bucket=world.bucket, Key="catalog/d/all.json", Body=b"\x1f\x8bno", ContentEncoding="gzip",
        Metadata={"s3torrent-catalog": "1"},
    )  # fmt: skip
    world.fill("one more")
    assert world.publish()["torrents"] == 2
    rows = shards.decode(gzip.decompress(world.head("d/all.json")["Body"].read()))
    assert sorted(row.key for row in rows.values()) == ["one more", "two"]
    assert before.keys() <= world.etags().keys()


def test_where_the_function_keeps_one_its_settings_are_taken(world: World) -> None:
    world.fill("two")
    own = {
        "S3_BUCKET": world.bucket,
        "TORRENT_CATALOG": f"s3://{world.bucket}/catalog",
        "TORRENT_CATALOG_URL": URL,
        "TORRENT_CATALOG_TITLE": "Of the function",
        "TORRENT_CATALOG_FILES": "https://cdn.example.org/{key}",
    }
    done = world.run("catalog", "publish", f"s3://{world.bucket}/catalog", **own)
    assert (done.code, done.stderr) == (0, "")
    page = world.head("index.html")["Body"].read()
    assert b"Of the function" in page
    assert b"https://cdn.example.org/two.torrent" in page
    assert URL.encode() in world.head("feed.xml")["Body"].read()


def test_two_at_the_same_time_lose_nothing(world: World) -> None:
    world.fill(*KEYS)
    world.publish()
    world.fill("one more", "and another")
    ended: list[Done] = []
    arguments = ("catalog", "publish", f"s3://{world.bucket}/catalog", "--url", URL)
    threads = [threading.Thread(target=lambda: ended.append(world.run(*arguments))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 in {done.code for done in ended}
    assert {done.code for done in ended} <= {0, 4}
    world.publish()
    whole = json.load(world.head("catalog.json")["Body"])
    assert whole["count"] == 6
    assert {f"t/{one['page'].rpartition('/')[2]}" for one in whole["newest"]} <= set(world.etags())


def test_a_folder_gets_the_same_pages(world: World, tmp_path: Path) -> None:
    world.fill("shows/a", "other/b")
    done = world.run("catalog", "build", tmp_path / "out", "--from", f"s3://{world.bucket}/shows/", "--json")
    assert done.code == 0
    assert json.loads(done.stdout)["torrents"] == 1
    notes = done.stderr.splitlines()
    assert [note[:5] for note in notes] == ["note:", "note:"]
    assert "--files" in notes[0]
    done = world.run(
        "catalog", "build", tmp_path / "out", "--from", f"s3://{world.bucket}/shows/",
        "--files", "https://cdn.example.org/{key}", "--url", URL, "--title", "Shows",
    )  # fmt: skip
    assert (done.code, done.stderr) == (0, "")
    assert b"https://cdn.example.org/shows/a.torrent" in (tmp_path / "out/index.html").read_bytes()


def test_of_a_bucket_that_the_table_does_not_know_a_note_says_so(world: World, tmp_path: Path) -> None:
    world.fill("two")
    done = world.run("catalog", "build", tmp_path / "site", "--from", "s3://no-such-bucket")
    assert done.code == 0
    assert f"the table {world.table} tells of no torrent of s3://no-such-bucket/" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("publish", "s3://BUCKET/c"), {"DDB_TABLE": ""}, "DDB_TABLE is not set"),
        (("publish", "s3://BUCKET"), {}, "is the root of the bucket"),
        (("publish", "BUCKET/c"), {}, "is no place in S3"),
        (("publish", "s3://BUCKET/c"), {"TORRENT_PRIVATE": "1"}, "TORRENT_PRIVATE is set"),
        (("publish", "s3://BUCKET/c", "--url", "ftp://x/"), {}, "--url"),
        (("publish", "s3://BUCKET/c", "--url", "http://h/?q"), {}, "--url is 'http://h/?q'"),
        (("publish", "s3://BUCKET/c", "--url", "https://me:secret@h/"), {}, "--url has a user or password"),
        (("publish", "s3://BUCKET/c", "--files", "https://me@h/{key}"), {}, "--files has a user or password"),
        (("publish", "s3://BUCKET/c", "--files", "https://h/x"), {}, "--files: 'https://h/x' has no {key}"),
        (
            ("publish", "s3://BUCKET/a", "--from", "s3://BUCKET/a/b/"),
            {},
            "holds the objects that it is to list",
        ),
        (("publish", "s3://BUCKET/c"), {"DDB_TABLE": "no-such-table"}, "no-such-table"),
        (("publish", "s3://no-such-bucket-of-ours/c", "--from", "s3://BUCKET"), {}, "no-such-bucket-of-ours"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    world: World, arguments: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    world.fill("two")
    done = world.run("catalog", *(one.replace("BUCKET", world.bucket) for one in arguments), **env)
    assert done.code in (2, 4)
    first, *rest = done.stderr.splitlines()
    assert said in first
    assert len(rest) == 1
    assert rest[0].startswith("hint: ")
    assert not world.etags()
