"""Which folders get a torrent of their own, and the message that reminds of one."""

from __future__ import annotations

import json

import pytest

from s3torrent.errors import EventError
from s3torrent.intake.folders import FolderRules, reminder
from s3torrent.intake.parse import parse
from s3torrent.types import FOLDER, ObjectRef, TorrentRequest

RULES = FolderRules(("shows/*/", "a/b/", "x[12]/?/"))


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("shows/2026/1.mkv", "shows/2026/"),
        ("shows/2026/extras/1.mkv", "shows/2026/"),
        ("shows/é+ü & 100%/1.mkv", "shows/é+ü & 100%/"),
        ("a/b/c", "a/b/"),
        ("x1/y/z", "x1/y/"),
        ("shows/1.mkv", None),
        ("shows/", None),
        ("a/b", None),
        ("a/bc/d", None),
        ("x3/y/z", None),
        ("x1/yy/z", None),
        ("other/shows/2026/1.mkv", None),
        ("shows/2026/1.mkv.torrent", None),
        (".s3torrent/2026/1", None),
    ],
)
def test_the_folder_of_a_key(key: str, folder: str | None) -> None:
    found = RULES.folder_of(ObjectRef("b", key))
    assert found == (folder and ObjectRef("b", folder))
    if found:
        assert RULES.has(found)


def test_our_own_files_stir_nothing_up() -> None:
    assert FolderRules(("*/",)).folder_of(ObjectRef("b", ".s3torrent/checkpoints/1")) is None


def test_a_folder_that_no_rule_names() -> None:
    assert not RULES.has(ObjectRef("b", "shows/"))
    assert not RULES.has(ObjectRef("b", "shows/2026/extras/"))
    assert not FolderRules().has(ObjectRef("b", "shows/2026/"))


def test_a_reminder_is_read_as_it_was_written() -> None:
    folder = ObjectRef("b", "shows/é+ü & 100%/")
    [parcel] = parse(json.loads(reminder(folder))).parcels
    assert parcel.requests == (TorrentRequest(folder, event=FOLDER),)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"bucket": "b", "folder": "x"}, "event.folder: found 'x', expected a / at its end"),
        ({"folder": "x/"}, "event.bucket: found nothing"),
        ({"bucket": "b", "folder": 1}, "event.folder: found a number"),
        ({"bucket": "b", "folder": "x/", "key": "y"}, "found field 'key', expected bucket, folder"),
    ],
)
def test_a_message_that_is_none(message: dict[str, object], said: str) -> None:
    with pytest.raises(EventError) as caught:
        parse(message)
    assert said in caught.value.message
