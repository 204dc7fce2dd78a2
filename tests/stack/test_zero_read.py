"""What ``put`` uploads, made into a torrent again: on LocalStack, which tells the SHA-1s of parts, and on MiniStack, which does not.

LocalStack is opt-in: version 4.14 (localstack-core[runtime] of PyPI, Python 3.13) is large, wants cbor2 before 6,
cryptography before 46 and service_identity beside it, and listens on every address whatever GATEWAY_LISTEN says, so no CI
starts one. Start it in a network namespace of its own (``unshare -n``, ``ip link set lo up``) and there::

    S3TORRENT_TEST_LOCALSTACK=http://127.0.0.1:4566 python -m pytest tests/stack/test_zero_read.py
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.pipeline.put import put
from s3torrent.pipeline.upload import Uploader
from s3torrent.store.memory import MemoryStore
from s3torrent.store.s3_upload import S3UploadStore
from s3torrent.types import ObjectRef
from support.breaking_proxy import s3_client
from support.reference import content, info_dict
from support.uploading import FILE, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.ministack import MiniStack

LOCALSTACK = "S3TORRENT_TEST_LOCALSTACK"
MIB = 1 << 20
KEY = "shows/é+ü & 100%.mkv"
SEVERAL = content(20 * MIB + 7)
ONE = content(5 * MIB + 7)


@pytest.fixture
def localstack() -> Iterator[Any]:
    endpoint = os.environ.get(LOCALSTACK)
    if not endpoint:
        pytest.skip(
            f"{LOCALSTACK} names no endpoint: LocalStack 4.14, which tells the SHA-1s of parts, is not run in CI"
        )
    client = s3_client(endpoint)
    yield client
    client.close()


def again(client: Any, body: bytes, *, versioned: bool) -> tuple[int, str, bytes, bytes]:
    """``body`` put, and its torrent made once more: bytes read, the reason, the torrent by ``put``, the one made now."""
    ref = ObjectRef(f"test-{uuid.uuid4().hex[:20]}", KEY)
    client.create_bucket(Bucket=ref.bucket)
    if versioned:
        client.put_bucket_versioning(Bucket=ref.bucket, VersioningConfiguration={"Status": "Enabled"})
    disk = MemoryStore()
    disk.create_bucket("disk")
    store, policy = S3UploadStore(client), TorrentPolicy()
    uploader = Uploader(store, None, policy, "test", 60.0)
    put(uploader, disk.upload(FILE, body), disk, ref, progress=silent)
    made = build_object(store.head(ref), policy, NativeEngine(2), store, silent)
    return made.bytes_read, made.piece_length_reason, store.get(ref.torrent, MIB), made.metainfo.encode()


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("body", [SEVERAL, ONE], ids=["several parts", "one"])
def test_localstack_tells_enough_to_read_nothing(localstack: Any, body: bytes, *, versioned: bool) -> None:
    read, reason, first, second = again(localstack, body, versioned=versioned)
    assert reason.endswith("nothing was read: the store knows the SHA-1 of each piece")
    assert read == 0
    assert first == second
    assert info_dict(body, KEY, 8 * MIB) in second


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
def test_ministack_tells_parts_without_sha1_so_they_are_read(
    ministack: MiniStack, *, versioned: bool
) -> None:
    read, reason, first, second = again(ministack.client("s3"), SEVERAL, versioned=versioned)
    assert "; read, as the SHA-1s of its parts could not be had: " in reason
    assert read == len(SEVERAL)
    assert first == second
    assert info_dict(SEVERAL, KEY, 8 * MIB) in second


def test_ministack_tells_the_sha1_of_an_object_in_one_piece(ministack: MiniStack) -> None:
    read, _, first, second = again(ministack.client("s3"), ONE, versioned=False)
    assert read == 0
    assert first == second
    assert info_dict(ONE, KEY, 8 * MIB) in second
