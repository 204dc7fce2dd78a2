"""What HEAD tells of an object's SHA-1, and who is asked for more: nobody that cannot qualify."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha1
from typing import TYPE_CHECKING

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import Archived, NoSuchObject, ObjectChanged, OutOfTime, Throttled
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.store.s3 import S3Store
from s3torrent.types import ContentSha1, ObjectRef
from support.part_builds import BODY, PIECE, PIECES, POLICY, REF, built, cut, parts_asked, read
from support.part_sha1s import Answer, Held, PartSha1s, Refused, in_one, in_parts
from support.reference import content
from support.uploading import silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.engine.base import Built

MIB = 1 << 20


@pytest.fixture(scope="module")
def stand_in() -> Iterator[PartSha1s]:
    with PartSha1s() as stand_in:
        yield stand_in


@pytest.fixture
def s3(stand_in: PartSha1s) -> PartSha1s:
    stand_in.forget()
    return stand_in


class TestNotAsked:
    """No request is made for an object that cannot qualify: HEAD tells."""

    def expect_plain_reading(self, s3: PartSha1s, held: Held, policy: TorrentPolicy = POLICY) -> Built:
        made = built(s3, held, policy)
        assert s3.asked[0] == "HEAD SHA1"
        assert set(s3.asked[1:-1]) == {"GET"}
        assert made.bytes_read == s3.sent == held.size
        assert made.metainfo.encode() == read(s3, held, policy)
        return made

    @pytest.mark.parametrize(
        ("checksum", "kind"),
        [
            (None, None),
            (in_parts(PIECES).checksum, None),
            (in_parts(PIECES).checksum, "FULL_OBJECT"),
            (in_parts(PIECES).checksum.removesuffix("-4"), "COMPOSITE"),
            (in_parts(PIECES).checksum.removesuffix("-4") + "-04", "COMPOSITE"),
            (in_parts(PIECES).checksum[3:], "COMPOSITE"),
            ("x" + in_parts(PIECES).checksum, "COMPOSITE"),
        ],
    )
    def test_without_a_composite_sha1(self, s3: PartSha1s, checksum: str | None, kind: str | None) -> None:
        held = replace(in_parts(PIECES), checksum=checksum, checksum_type=kind)
        assert self.expect_plain_reading(s3, held).piece_length_reason == "as asked for"

    @pytest.mark.parametrize("version", ["v2", "hybrid"])
    def test_for_other_torrents_than_v1(self, s3: PartSha1s, version: str) -> None:
        self.expect_plain_reading(s3, in_parts(PIECES), replace(POLICY, version=version))

    @pytest.mark.parametrize("piece_length", [2 * PIECE, "by-size"])
    def test_where_the_policy_wants_other_pieces_than_the_parts(
        self, s3: PartSha1s, piece_length: int | str
    ) -> None:
        """``by-size`` and ``auto`` choose as if S3 told no parts: the torrent must not depend on it."""
        bodies = [BODY[: 2 * MIB + 1], BODY] if piece_length == "by-size" else PIECES
        made = self.expect_plain_reading(s3, in_parts(bodies), TorrentPolicy(piece_length=piece_length))
        assert "parts are not its" in made.piece_length_reason

    def test_of_an_object_in_several_pieces_with_one_sha1(self, s3: PartSha1s) -> None:
        made = self.expect_plain_reading(s3, in_one(BODY))
        assert "of the whole, not of its 4 pieces" in made.piece_length_reason

    @pytest.mark.parametrize(
        ("kind", "suffix"), [(None, ""), ("COMPOSITE", ""), ("FULL_OBJECT", "-1"), ("FULL_OBJECT", "-4")]
    )
    def test_of_an_object_in_one_piece_whose_sha1_is_not_said_to_be_its_own(
        self, s3: PartSha1s, kind: str | None, suffix: str
    ) -> None:
        held = in_one(BODY[:PIECE])
        self.expect_plain_reading(s3, replace(held, checksum=held.checksum + suffix, checksum_type=kind))

    def test_of_an_object_in_parts_that_says_it_has_one_sha1(self, s3: PartSha1s) -> None:
        """No S3 keeps that; what it says is the composite, perhaps."""
        held = replace(in_one(BODY[:PIECE]), etag="0" * 32 + "-1")
        self.expect_plain_reading(s3, held)

    def test_of_content_in_an_archive_that_can_be_had_at_once(self, s3: PartSha1s) -> None:
        assert built(s3, in_parts(PIECES, headers={"x-amz-storage-class": "GLACIER_IR"})).bytes_read == 0


class TestHead:
    def test_tells_the_sha1(self, s3: PartSha1s) -> None:
        s3.objects["b", "parts"], s3.objects["b", "one"] = in_parts(PIECES), in_one(BODY)
        store = S3Store(s3.client)
        composite = sha1(b"".join(sha1(piece).digest() for piece in PIECES)).digest()
        assert store.head(ObjectRef("b", "parts")).version.sha1 == ContentSha1(composite, 4)
        assert store.head(ObjectRef("b", "one")).version.sha1 == ContentSha1(sha1(BODY).digest())

    @pytest.mark.parametrize(
        "headers",
        [
            {"x-amz-storage-class": "GLACIER"},
            {"x-amz-storage-class": "DEEP_ARCHIVE"},
            {"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS"},
            {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
        ],
    )
    def test_of_content_that_nobody_can_read_tells_none(self, s3: PartSha1s, headers: dict[str, str]) -> None:
        """Archived, or under a customer's key."""
        s3.objects["b", "k"] = in_parts(PIECES, headers=headers)
        assert S3Store(s3.client).head(ObjectRef("b", "k")).version.sha1 is None

    def test_so_an_archived_object_gets_no_torrent(self, s3: PartSha1s) -> None:
        """Though the SHA-1s of its parts are there to be had: nobody could fetch what it names."""
        with pytest.raises(Archived):
            built(s3, in_parts(PIECES, headers={"x-amz-storage-class": "GLACIER"}))

    def test_of_a_torrent_asks_for_none(self, s3: PartSha1s) -> None:
        s3.objects["b", "k.torrent"] = in_one(BODY)
        assert S3Store(s3.client).head(ObjectRef("b", "k.torrent")).version.sha1 is None
        assert s3.asked == ["HEAD"]

    @pytest.mark.parametrize("status", [400, 403, 501])
    def test_that_is_refused_with_checksums_is_asked_without(self, s3: PartSha1s, status: int) -> None:
        """Under a KMS key that may not be used it is a 403, and then reading says which permission is missing."""

        def refuse_checksums(_headers: Answer) -> None:
            if s3.asked[-1] == "HEAD SHA1":
                raise Refused(status, "Forbidden")

        s3.on_head = refuse_checksums
        made = built(s3, in_parts(PIECES))
        assert [one for one in s3.asked if one != "GET"] == ["HEAD SHA1", "HEAD"] * 2
        assert made.bytes_read == len(BODY)

    def test_of_what_is_missing_is_not_asked_again(self, s3: PartSha1s) -> None:
        with pytest.raises(NoSuchObject):
            S3Store(s3.client).head(REF)
        assert s3.asked == ["HEAD"]

    def test_that_is_throttled_is_not_asked_again(self, s3: PartSha1s) -> None:
        def slow_down(_headers: Answer) -> None:
            raise Refused(503, "SlowDown")

        s3.on_head = slow_down
        with pytest.raises(Throttled):
            built(s3, in_parts(PIECES))
        assert s3.asked == ["HEAD SHA1"]


class TestMeanwhile:
    def test_an_object_replaced_after_its_parts_were_told_gets_no_torrent(self, s3: PartSha1s) -> None:
        def overwrite(_answer: Answer, _marker: int) -> None:
            s3.objects[REF.bucket, REF.key] = in_parts(PIECES[::-1])

        s3.on_page = overwrite
        with pytest.raises(ObjectChanged):
            built(s3, in_parts(PIECES))
        assert s3.sent == 0

    def test_one_replaced_before_its_parts_are_told_gets_none(self, s3: PartSha1s) -> None:
        s3.objects[REF.bucket, REF.key] = in_parts(PIECES)
        store = S3Store(s3.client)
        head = store.head(REF)
        s3.objects[REF.bucket, REF.key] = in_parts(PIECES[::-1])
        with pytest.raises(ObjectChanged):
            build_object(head, POLICY, NativeEngine(threads=1), store, silent)

    def test_time_that_is_up_between_two_pages_is_up(self, s3: PartSha1s) -> None:
        """It is no reason to begin to read."""

        def progress(_done: int, _phase: str = "", /) -> None:
            if parts_asked(s3):
                raise OutOfTime("time is up")

        with pytest.raises(OutOfTime):
            built(s3, in_parts(cut(content(1003 * PIECE))), progress=progress)
        assert parts_asked(s3) == ["PARTS 0"]
        assert s3.sent == 0
