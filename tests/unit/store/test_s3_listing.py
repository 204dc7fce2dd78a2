"""A listing of S3 page by page, over a stand-in with faults and a real boto3 client."""

from __future__ import annotations

import re
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from s3torrent.errors import AccessDenied, EndpointUnreachable, NoSuchBucket, SourceError, Throttled
from s3torrent.store.resume import Patience
from s3torrent.store.s3 import S3Store
from support.listing import ETAG, Listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3torrent.types import ObjectVersion

MANY = 6_000


@pytest.fixture
def s3() -> Iterator[Listing]:
    with Listing(3500) as stand_in:
        yield stand_in


def objects(s3: Listing, prefix: str = "", after: str = "") -> Iterator[ObjectVersion]:
    store = S3Store(s3.client, Patience(attempts=3, sleep=lambda _: None))
    return store.list_objects("bucket", prefix, after=after)


def test_nothing_is_asked_before_the_first_object_and_a_page_only_when_it_is_needed(s3: Listing):
    found = objects(s3)
    assert s3.asked == []
    for number, one in enumerate(found):
        assert (one.ref.key, one.etag, one.size) == (f"{number:09}", ETAG, number)
        assert len(s3.asked) == number // 1000 + 1
    assert [asked.get("continuation-token") for asked in s3.asked] == [
        None, "000000999", "000001999", "000002999",
    ]  # fmt: skip
    assert {asked["encoding-type"] for asked in s3.asked} == {"url"}


def test_it_goes_on_after_a_key(s3: Listing):
    assert [one.size for one in objects(s3, after="000003497")] == [3498, 3499]
    assert [asked["start-after"] for asked in s3.asked] == ["000003497"]


@pytest.mark.parametrize("fault", [(503, "SlowDown"), (500, "InternalError"), lambda text: text[:-30]])
def test_a_page_that_fails_for_a_passing_reason_is_asked_for_again(s3: Listing, fault: object):
    """Throttled, or an answer that is not whole: nothing is told twice, nothing left out."""
    s3.faults = {2: fault, 3: fault}  # type: ignore[dict-item]
    assert [one.size for one in objects(s3)] == list(range(3500))
    assert len(s3.asked) == 6


def test_what_was_told_before_the_error_is_enough_to_go_on(s3: Listing):
    s3.faults = dict.fromkeys((3, 4, 5), (503, "SlowDown"))
    told: list[str] = []
    with pytest.raises(Throttled, match=r"s3:ListBucket on arn:aws:s3:::bucket: 503"):
        told.extend(one.ref.key for one in objects(s3, "0"))
    told += [one.ref.key for one in objects(s3, "0", after=told[-1])]
    assert told == [f"{number:09}" for number in range(3500)]


def test_a_denial_names_the_action_and_the_bucket_and_is_not_asked_twice(s3: Listing):
    s3.faults = {1: (403, "AccessDenied")}
    with pytest.raises(AccessDenied) as denied:
        next(objects(s3, "videos/"))
    assert denied.value.hint == "allow s3:ListBucket on arn:aws:s3:::bucket"
    assert len(s3.asked) == 1


def test_a_missing_bucket(s3: Listing):
    s3.faults = {1: (404, "NoSuchBucket")}
    with pytest.raises(NoSuchBucket, match="bucket bucket does not exist"):
        next(objects(s3))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("<Key>000001500", "<Key>000001499"), SourceError),
        (("<Key>000001500", "<Key>000000500"), SourceError),
        (("<Key>000001500", "<Key>1"), SourceError),
        (("<Key>000001500", "<Key>%FF"), EndpointUnreachable),
        (("<Size>1500<", "<Size>-1<"), EndpointUnreachable),
        (("<Size>1500<", "<Size>many<"), EndpointUnreachable),
        ((f"<ETag>&quot;{ETAG}&quot;</ETag>", ""), EndpointUnreachable),
        (("<NextContinuationToken>000001999</NextContinuationToken>", ""), EndpointUnreachable),
        (("<Contents>.*</Contents>", ""), EndpointUnreachable),
    ],
    ids=[
        *("the same key twice", "a key from before", "a key beside the prefix", "a key that is not UTF-8"),
        *(
            "a size below 0",
            "a size that is no number",
            "no ETag",
            "no token",
            "an empty page before the last",
        ),
    ],
)
def test_an_answer_that_is_none_is_an_error_and_no_end(
    s3: Listing, change: tuple[str, str], error: type[SourceError]
):
    """Also a server that gives one page for ever, as its keys are not above those before them."""
    s3.faults = dict.fromkeys((2, 3, 4), lambda text: re.sub(*change, text))
    with pytest.raises(error, match="s3:ListBucket on arn:aws:s3:::bucket") as caught:
        list(objects(s3, "0"))
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_memory_is_one_page_however_many_there_are():
    """6 pages peak as high as the 2nd, but for a tenth."""
    with Listing(MANY) as s3:
        tracemalloc.start()
        try:
            found = objects(s3)
            for _ in range(2000):
                next(found)
            few = tracemalloc.get_traced_memory()[1]
            assert sum(1 for _ in found) == MANY - 2000
            assert tracemalloc.get_traced_memory()[1] < few * 1.1
        finally:
            tracemalloc.stop()
        assert len(s3.asked) == MANY // 1000
