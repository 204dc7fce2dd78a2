"""S3Store over connections that break: a real boto3 client, a proxy that cuts, MiniStack behind it."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3torrent.errors import EndpointUnreachable, ObjectChanged, ObjectGone, ReadInterrupted, Throttled
from s3torrent.store.base import READ_CHUNK
from s3torrent.store.resume import Patience
from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef
from support.breaking_proxy import BreakingProxy, s3_client

if TYPE_CHECKING:
    from s3torrent.types import ObjectVersion
    from support.ministack import MiniStack

SIZE = 3 * READ_CHUNK + 777
CONTENT = bytes(range(251)) * (SIZE // 251) + bytes(range(SIZE % 251))


def hasty(client: Any, attempts: int = 3) -> S3Store:
    return S3Store(client, Patience(attempts=attempts, sleep=lambda _: None))


def pinned(ministack: MiniStack, bucket: str, content: bytes = CONTENT) -> ObjectVersion:
    ref = ObjectRef(bucket, "shows/a.bin")
    ministack.client("s3").put_object(Bucket=bucket, Key=ref.key, Body=content)
    return S3Store(ministack.client("s3")).head(ref).version


def everything(store: S3Store, version: ObjectVersion, start: int = 0, end: int = SIZE) -> bytes:
    return b"".join(bytes(chunk) for chunk in store.read(version, start, end))


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize(
    "cuts",
    [
        [0],
        [1],
        [READ_CHUNK - 1],
        [READ_CHUNK],
        [READ_CHUNK + 1],
        [SIZE - 11],
        [READ_CHUNK, 0, READ_CHUNK + 5, 1],
    ],
    ids=str,
)
def test_a_cut_connection_resumes_at_its_byte(
    ministack: MiniStack, bucket: str, cuts: list[int], reset: bool
):
    """The bytes are right, and each new request begins past what had arrived."""
    version = pinned(ministack, bucket)
    with BreakingProxy(ministack.endpoint, cuts=cuts, reset=reset) as proxy:
        assert everything(hasty(proxy.client, 5), version, 10) == CONTENT[10:]
    starts = [int(str(text).removeprefix("bytes=").split("-")[0]) for text in proxy.ranges]
    assert len(starts) == len(cuts) + 1
    assert starts == sorted(starts)
    if not reset:  # an orderly end loses nothing of what was sent
        assert starts == [10 + sum(cuts[:n]) for n in range(len(cuts) + 1)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, SIZE // 4), max_size=6))
def test_any_cuts_give_the_same_bytes(ministack: MiniStack, bucket: str, cuts: list[int]):
    """Wherever the connection is cut, as long as bytes come."""
    version = pinned(ministack, bucket)
    with BreakingProxy(ministack.endpoint, cuts=cuts) as proxy:
        assert everything(hasty(proxy.client), version) == CONTENT


def test_gives_up_without_progress(ministack: MiniStack, bucket: str):
    """Three cuts in a row before the first byte: ReadInterrupted names the object and the byte."""
    version = pinned(ministack, bucket)
    with BreakingProxy(ministack.endpoint, cuts=[READ_CHUNK, 0, 0, 0]) as proxy:
        with pytest.raises(ReadInterrupted, match=rf"shows/a\.bin .*3 tries got no byte after {READ_CHUNK} "):
            everything(hasty(proxy.client), version)
        assert len(proxy.ranges) == 4


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_slows_us_down_is_asked_again(ministack: MiniStack, bucket: str, status: int):
    """In the middle too; if it never relents, Throttled."""
    version = pinned(ministack, bucket)
    with BreakingProxy(ministack.endpoint, cuts=[1000], statuses=[status, None, status, status]) as proxy:
        assert everything(hasty(proxy.client), version) == CONTENT
    with BreakingProxy(ministack.endpoint, statuses=[status] * 9) as proxy:
        with pytest.raises(Throttled, match=str(status)):
            everything(hasty(proxy.client), version)
        assert len(proxy.ranges) == 3


def test_an_object_changed_or_deleted_during_a_break(ministack: MiniStack, bucket: str):
    """The request that resumes is pinned like the first."""
    client = ministack.client("s3")
    for change, error in (
        (lambda key: client.put_object(Bucket=bucket, Key=key, Body=CONTENT[::-1]), ObjectChanged),
        (lambda key: client.delete_object(Bucket=bucket, Key=key), ObjectGone),
    ):
        version = pinned(ministack, bucket)
        with BreakingProxy(ministack.endpoint, cuts=[READ_CHUNK]) as proxy:
            chunks = hasty(proxy.client).read(version, 0, SIZE)
            assert bytes(next(chunks)) == CONTENT[:READ_CHUNK]
            change(version.ref.key)
            with pytest.raises(error):
                next(chunks)


def test_a_server_that_ignores_range_is_read_from_its_beginning(ministack: MiniStack, bucket: str):
    """It answers 200 with everything (RFC 9110, 14.2); the bytes before the range are left out."""
    version = pinned(ministack, bucket)
    with BreakingProxy(ministack.endpoint, drop=["Range"], cuts=[2 * READ_CHUNK]) as proxy:
        store = hasty(proxy.client)
        assert everything(store, version, READ_CHUNK + 5, SIZE - 9) == CONTENT[READ_CHUNK + 5 : SIZE - 9]
        assert len(proxy.ranges) == 2
        assert everything(store, version, 0, 100) == CONTENT[:100]


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT + b"x"], ids=["other ETag", "other size"])
@pytest.mark.parametrize(
    "drop", [["If-Match"], ["If-Match", "Range"]], ids=["If-Match", "If-Match and Range"]
)
def test_a_server_that_ignores_if_match_cannot_slip_another_object_in(
    ministack: MiniStack, bucket: str, content: bytes, drop: list[str]
):
    """ETag and size of the answer are compared: ObjectChanged."""
    version = pinned(ministack, bucket)
    ministack.client("s3").put_object(Bucket=bucket, Key=version.ref.key, Body=content)
    with (
        BreakingProxy(ministack.endpoint, drop=drop) as proxy,
        pytest.raises(ObjectChanged, match="now answers with"),
    ):
        everything(hasty(proxy.client), version, 100, 200)


def test_ranges_read_to_their_end_share_one_connection(ministack: MiniStack, bucket: str):
    """A finished body gives its connection back; an abandoned one cannot, and closes it."""
    version = pinned(ministack, bucket)
    with BreakingProxy(ministack.endpoint) as proxy:
        store = hasty(proxy.client)
        for start in range(0, SIZE, READ_CHUNK):
            everything(store, version, start, min(SIZE, start + READ_CHUNK))
        assert proxy.connections == 1
        abandoned = store.read(version, 0, SIZE)
        next(abandoned)
        del abandoned
        everything(store, version)
        assert proxy.connections == 2


def test_one_read_holds_one_chunk(ministack: MiniStack, bucket: str):
    """Memory does not grow with the range: one buffer of READ_CHUNK."""
    content = bytes(24 * READ_CHUNK)
    version = pinned(ministack, bucket, content)
    store = S3Store(ministack.client("s3"))
    everything(store, version, 0, 1)  # what botocore keeps once it has spoken is not ours to count
    tracemalloc.start()
    try:
        for chunk in store.read(version, 0, len(content)):
            assert len(chunk) <= READ_CHUNK
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * READ_CHUNK


def test_nothing_listens(ministack: MiniStack, bucket: str):
    """EndpointUnreachable names the address, for each kind of request."""
    version = pinned(ministack, bucket)
    client = s3_client("http://127.0.0.1:1")
    try:
        store = hasty(client)
        with pytest.raises(EndpointUnreachable, match=r"http://127\.0\.0\.1:1"):
            store.head(version.ref)
        with pytest.raises(EndpointUnreachable, match=r"http://127\.0\.0\.1:1"):
            everything(store, version)
        with pytest.raises(EndpointUnreachable, match=r"http://127\.0\.0\.1:1"):
            store.put(version.ref, b"x", replaces=None, content_type="text/plain", metadata={})
    finally:
        client.close()
