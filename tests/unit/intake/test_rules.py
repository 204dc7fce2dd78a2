"""Which keys are ours, and the reason in words for those that are not."""

from __future__ import annotations

import pytest

from s3torrent.errors import EventError
from s3torrent.intake.delivery import Delivery, Dropped, Parcel
from s3torrent.intake.rules import Rules, apply
from s3torrent.types import ObjectRef, TorrentRequest


def ref(key: str, bucket: str = "ours") -> ObjectRef:
    return ObjectRef(bucket, key)


@pytest.mark.parametrize(
    "key", ["a.bin", "a.torrent.bin", "torrent", "x/.s3torrent/a", "s3torrent/a", "/a", "a b", "$folder$"]
)
def test_ordinary_keys_are_ours_without_any_rule(key: str) -> None:
    assert Rules().reason(ref(key)) is None


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("a.bin.torrent", "the key ends in .torrent (in capitals or not): no torrents of torrents"),
        ("a.TORRENT", "the key ends in .torrent (in capitals or not): no torrents of torrents"),
        (".torrent", "the key ends in .torrent (in capitals or not): no torrents of torrents"),
        (".s3torrent/checkpoints/1", "the key starts with .s3torrent/, where s3torrent keeps its own files"),
        ("shows/", "a folder marker: the key ends in /"),
        ("/", "a folder marker: the key ends in /"),
        ("shows_$folder$", "a folder marker: the key ends in _$folder$"),
    ],
)
def test_what_is_never_ours_is_dropped_with_its_reason(key: str, reason: str) -> None:
    assert Rules(include=("*",)).reason(ref(key)) == reason


def test_other_buckets_are_dropped_only_where_one_is_configured() -> None:
    assert Rules().reason(ref("a", "theirs")) is None
    assert Rules(bucket="ours").reason(ref("a", "ours")) is None
    assert (
        Rules(bucket="ours").reason(ref("a", "theirs"))
        == "bucket theirs is not ours, the only one configured"
    )


def test_control_prefix_can_be_moved_and_switched_off() -> None:
    assert Rules(control_prefix="work/").reason(ref("work/1")) is not None
    assert Rules(control_prefix="work/").reason(ref(".s3torrent/1")) is None
    assert Rules(control_prefix="").reason(ref("anything")) is None


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("*.mp4", "a.mp4", True),
        ("*.mp4", "deep/down/a.mp4", True),
        ("*.mp4", "a.MP4", False),
        ("*.mp4", "a.mp4.part", False),
        ("shows/*", "shows/2026/a.bin", True),
        ("shows/*", "old/shows/a.bin", False),
        ("a?c", "abc", True),
        ("a?c", "a日c", True),
        ("a?c", "ac", False),
        ("a[0-9]", "a7", True),
        ("a[!0-9]", "a7", False),
        ("*", "line\nbreak", True),
        ("a[*]", "a*", True),
    ],
)
def test_patterns_match_the_whole_key_as_documented(pattern: str, key: str, matches: bool) -> None:
    assert (Rules(include=(pattern,)).reason(ref(key)) is None) is matches
    assert (Rules(exclude=(pattern,)).reason(ref(key)) is not None) is matches


def test_exclude_wins_over_include_and_each_names_its_pattern() -> None:
    rules = Rules(include=("shows/*", "*.iso"), exclude=("*.tmp",))
    assert rules.reason(ref("shows/a.bin")) is None
    assert rules.reason(ref("b.iso")) is None
    assert rules.reason(ref("shows/a.tmp")) == "the key matches the exclude pattern *.tmp"
    assert rules.reason(ref("a.bin")) == "the key matches no include pattern (shows/*, *.iso)"


def test_apply_moves_requests_to_dropped_and_touches_nothing_else() -> None:
    ours, torrent = TorrentRequest(ref("a")), TorrentRequest(ref("a.torrent"))
    before, error = Dropped(ref("gone"), "removed"), EventError("unreadable")
    failed = Parcel("2", (), (), error)

    applied = apply(Delivery("sqs", (Parcel("1", (ours, torrent, ours), (before,), None), failed)), Rules())

    assert applied.kind == "sqs"
    first, second = applied.parcels
    assert first.message_id == "1"
    assert first.requests == (ours, ours)
    assert [dropped.ref for dropped in first.dropped] == [ref("gone"), ref("a.torrent")]
    assert second == failed
