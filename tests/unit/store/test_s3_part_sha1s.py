"""Torrents from the SHA-1s that S3 keeps, over a stand-in for S3 and a real boto3 client; every odd answer leads to reading."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha1
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo import infohash
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.make import Maker
from s3torrent.status.memory import MemoryStatus
from s3torrent.store.s3 import S3Store
from s3torrent.types import TorrentRequest
from support.part_builds import BODY, PIECE, PIECES, POLICY, REF, built, cut, parts_asked, read
from support.part_sha1s import Answer, PartSha1s, Refused, in_one, in_parts, listed, record, text
from support.reference import content, info_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20
LONG = content(1003 * PIECE - 1)
"""Two pages of parts."""
LONG_PIECES = cut(LONG)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[PartSha1s]:
    with PartSha1s() as stand_in:
        yield stand_in


@pytest.fixture
def s3(stand_in: PartSha1s) -> PartSha1s:
    stand_in.forget()
    return stand_in


class TestNothingIsRead:
    @pytest.mark.parametrize("version_id", [None, "v1"])
    def test_of_an_object_in_parts_that_are_pieces(self, s3: PartSha1s, version_id: str | None) -> None:
        """The very torrent that reading gives, by one request more than HEAD before and after."""
        held = in_parts(PIECES, version_id=version_id)
        made = built(s3, held)
        assert (made.bytes_read, s3.sent) == (0, 0)
        assert s3.asked == ["HEAD SHA1", "PARTS 0", "HEAD SHA1"]
        assert s3.versions_asked == {version_id}
        assert made.metainfo.encode() == read(s3, held)
        assert infohash.v1(made.metainfo).hex() == info_hash(BODY, REF.key, PIECE)
        assert (
            made.piece_length_reason
            == "as asked for; nothing was read: the store knows the SHA-1 of each piece"
        )

    def test_of_an_object_in_one_piece_not_even_parts_are_asked_for(self, s3: PartSha1s) -> None:
        made = built(s3, in_one(BODY[:PIECE]))
        assert s3.asked == ["HEAD SHA1", "HEAD SHA1"]
        assert made.bytes_read == s3.sent == 0
        assert made.metainfo.encode() == read(s3, in_one(BODY[:PIECE]))

    @pytest.mark.parametrize("pieces", [PIECES[:1], PIECES[3:], PIECES[:2]], ids=["one", "short", "whole"])
    def test_of_few_parts(self, s3: PartSha1s, pieces: list[bytes]) -> None:
        made = built(s3, in_parts(pieces))
        assert (made.bytes_read, s3.sent) == (0, 0)
        assert made.metainfo.encode() == read(s3, in_parts(pieces))

    def test_of_70_gib_in_9000_parts(self, s3: PartSha1s) -> None:
        """Nine pages and no content; the pieces are the parts' hashes, written down here from BEP 3 alone."""
        digests = [sha1(b"part %d" % number).digest() for number in range(9000)]
        parts = [(8 * MIB, digest) for digest in digests[:-1]] + [(5 * MIB + 1, digests[-1])]
        held = record(parts, headers={"x-amz-meta-s3torrent-piece-length": str(8 * MIB)})
        made = built(s3, held, TorrentPolicy())
        assert s3.asked == ["HEAD SHA1", *(f"PARTS {after}" for after in range(0, 9000, 1000)), "HEAD SHA1"]
        assert (made.bytes_read, s3.sent) == (0, 0)
        name = REF.key.rpartition("/")[2].encode()
        size = 8999 * 8 * MIB + 5 * MIB + 1
        assert made.metainfo.encode() == (
            b"d10:created by9:s3torrent13:creation datei1795392000e4:infod6:lengthi%de4:name%d:%s"
            b"12:piece lengthi8388608e6:pieces180000:%see" % (size, len(name), name, b"".join(digests))
        )

    def test_the_composite_checksum_may_say_its_number_of_parts(self, s3: PartSha1s) -> None:
        """As MiniStack writes it, and AWS in HEAD."""
        s3.on_page = lambda page, _: page["Checksum"].update(ChecksumSHA1=held.checksum)
        held = in_parts(PIECES)
        assert built(s3, held).bytes_read == 0

    def test_an_event_leads_to_its_torrent(self, s3: PartSha1s) -> None:
        """The whole of ``make``, and not one request more."""
        s3.objects[REF.bucket, REF.key] = held = in_parts(PIECES)
        status = MemoryStatus(lambda: datetime(2026, 11, 23, tzinfo=UTC))
        maker = Maker(S3Store(s3.client), status, NativeEngine(1), POLICY, "function", 60.0, lambda: 0.0)
        outcome = maker.make(TorrentRequest(REF))
        assert s3.asked == ["HEAD SHA1", "HEAD", "PARTS 0", "HEAD SHA1", "PUT"]
        assert outcome.attributes["bytesRead"] == 0
        assert "nothing was read" in outcome.attributes["reason"]
        assert s3.objects[REF.bucket, REF.torrent.key].body == read(s3, held)


def page(**changes: Any) -> Callable[[Answer, int], None]:
    """A fault: fields of the answer changed; None leaves one out."""

    def change(answer: Answer, _marker: int) -> None:
        for path, value in changes.items():
            *outer, name = path.split("__")
            inner = answer
            for step in outer:
                inner = inner[step]
            inner.update({name: value})
            if value is None and name != "VersionId":
                del inner[name]

    return change


def part(number: int, **changes: Any) -> Callable[[Answer, int], None]:
    def change(answer: Answer, _marker: int) -> None:
        one = answer["ObjectParts"]["Part"][number - 1]
        one.update(changes)
        for name in [name for name, value in one.items() if value is None]:
            del one[name]

    return change


def refuse(status: int, code: str) -> Callable[[Answer, int], None]:
    def change(_answer: Answer, _marker: int) -> None:
        raise Refused(status, code)

    return change


def swapped(answer: Answer, _marker: int) -> None:
    first, second, *_ = answer["ObjectParts"]["Part"]
    first["ChecksumSHA1"], second["ChecksumSHA1"] = second["ChecksumSHA1"], first["ChecksumSHA1"]


def shortened(answer: Answer, _marker: int) -> None:
    answer["ObjectParts"]["Part"].pop()


OTHER = text(sha1(b"other").digest())
ODD_PAGES = {
    "access denied": refuse(403, "AccessDenied"),
    "not implemented": refuse(501, "NotImplemented"),
    "method not allowed": refuse(405, "MethodNotAllowed"),
    "bad request": refuse(400, "InvalidRequest"),
    "slow down": refuse(503, "SlowDown"),
    "gone": refuse(404, "NoSuchKey"),
    "no XML": lambda answer, _: answer.update({"<": "<"}),
    "another ETag": page(ETag="0" * 32 + "-4"),
    "no ETag": page(ETag=None),
    "another version": page(VersionId="v2"),
    "another size": page(ObjectSize=len(BODY) + 1),
    "no size": page(ObjectSize=None),
    "no checksum": page(Checksum=None),
    "another checksum": page(Checksum__ChecksumSHA1=OTHER),
    "a checksum of other parts": page(Checksum__ChecksumSHA1=in_parts(PIECES).checksum + "0"),
    "no SHA-1": page(Checksum__ChecksumSHA1=None),
    "a checksum of no type": page(Checksum__ChecksumType=None),
    "a checksum of the whole": page(Checksum__ChecksumType="FULL_OBJECT"),
    "no parts at all": page(ObjectParts=None),
    "no list of parts": page(ObjectParts__Part=[]),
    "no count": page(ObjectParts__PartsCount=None),
    "another count": page(ObjectParts__PartsCount=5),
    "not said whether more follow": page(ObjectParts__IsTruncated=None),
    "more said to follow": page(ObjectParts__IsTruncated=True),
    "a part too few": shortened,
    "a part without SHA-1": part(2, ChecksumSHA1=None),
    "a part with a SHA-256 instead": part(2, ChecksumSHA1=None, ChecksumSHA256="A" * 43 + "="),
    "a part with another SHA-1": part(2, ChecksumSHA1=OTHER),
    "a part with a short SHA-1": part(2, ChecksumSHA1=OTHER[4:]),
    "a part with a SHA-1 that is composite": part(2, ChecksumSHA1=text(sha1(PIECES[1]).digest()) + "-1"),
    "a part without size": part(2, Size=None),
    "a part without number": part(2, PartNumber=None),
    "a gap": part(4, PartNumber=5),
    "two parts swapped": swapped,
    "parts of other sizes": lambda *page: (part(1, Size=PIECE + 1)(*page), part(2, Size=PIECE - 1)(*page)),
    "a last part of another size": part(4, Size=1235),
}


class TestOddAnswers:
    @pytest.mark.parametrize("version_id", [None, "v1"])
    @pytest.mark.parametrize("fault", ODD_PAGES)
    def test_lead_to_reading(self, s3: PartSha1s, fault: str, version_id: str | None) -> None:
        """And the torrent is the right one, and the reason is told."""
        s3.on_page = ODD_PAGES[fault]
        held = in_parts(PIECES, version_id=version_id)
        made = built(s3, held)
        assert (made.bytes_read, s3.sent) == (len(BODY), len(BODY))
        assert made.metainfo.encode() == read(s3, held)
        assert made.piece_length_reason.startswith("as asked for; read, as ")
        assert parts_asked(s3) == ["PARTS 0"]

    def test_a_refusal_names_the_permission(self, s3: PartSha1s) -> None:
        s3.on_page = refuse(403, "AccessDenied")
        reason = built(s3, in_parts(PIECES, version_id="v1")).piece_length_reason
        assert "AccessDenied: s3:GetObjectVersionAttributes on arn:aws:s3:::bucket/shows/" in reason
        assert "AccessDenied: s3:GetObjectAttributes on " in built(s3, in_parts(PIECES)).piece_length_reason

    def test_parts_that_are_no_pieces_lead_to_reading(self, s3: PartSha1s) -> None:
        """As many as pieces, each under its true SHA-1, and the composite checksum is theirs."""
        held = in_parts(
            [BODY[:100], BODY[100 : 100 + PIECE], BODY[100 + PIECE : 2 * PIECE], BODY[2 * PIECE :]]
        )
        made = built(s3, held)
        assert made.bytes_read == held.size == len(BODY)
        assert infohash.v1(made.metainfo).hex() == info_hash(BODY, REF.key, PIECE)


class TestOddPages:
    """Of an object with two pages of parts."""

    def expect_reading(self, s3: PartSha1s, asked: list[str]) -> None:
        made = built(s3, in_parts(LONG_PIECES))
        assert parts_asked(s3) == asked
        assert made.bytes_read == s3.sent == len(LONG)
        assert infohash.v1(made.metainfo).hex() == info_hash(LONG, REF.key, PIECE)

    def test_two_pages_are_put_together(self, s3: PartSha1s) -> None:
        made = built(s3, in_parts(LONG_PIECES))
        assert parts_asked(s3) == ["PARTS 0", "PARTS 1000"]
        assert made.bytes_read == s3.sent == 0
        assert infohash.v1(made.metainfo).hex() == info_hash(LONG, REF.key, PIECE)

    @pytest.mark.parametrize(
        "change", [page(ETag="0" * 32 + "-1003"), page(VersionId="v2"), refuse(503, "SlowDown")]
    )
    def test_the_second_is_of_another_object_or_never_comes(
        self, s3: PartSha1s, change: Callable[[Answer, int], None]
    ) -> None:
        s3.on_page = lambda answer, marker: marker and change(answer, marker)
        self.expect_reading(s3, ["PARTS 0", "PARTS 1000"])

    def test_the_first_comes_again_and_again(self, s3: PartSha1s) -> None:
        parts = in_parts(LONG_PIECES).parts
        s3.on_page = lambda answer, _: answer.update(ObjectParts=listed(parts, 0, 1000))
        self.expect_reading(s3, ["PARTS 0", "PARTS 1000"])

    @pytest.mark.parametrize("marker", [None, 0, 999, 1001])
    def test_the_marker_is_not_the_last_part_of_the_page(self, s3: PartSha1s, marker: int | None) -> None:
        s3.on_page = page(ObjectParts__NextPartNumberMarker=marker)
        self.expect_reading(s3, ["PARTS 0"])

    def test_pages_are_few_however_short_they_are(self, s3: PartSha1s) -> None:
        parts = in_parts(LONG_PIECES).parts
        s3.on_page = lambda answer, marker: answer.update(ObjectParts=listed(parts, marker, 7))
        self.expect_reading(s3, [f"PARTS {7 * number}" for number in range(10)])

    def test_the_end_comes_too_early(self, s3: PartSha1s) -> None:
        s3.on_page = page(ObjectParts__IsTruncated=False)
        self.expect_reading(s3, ["PARTS 0"])
