"""Torrents of what the stand-in of ``part_sha1s`` holds, and the small objects that its tests share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.store.s3 import S3Store
from s3torrent.types import ObjectRef
from support.reference import content
from support.uploading import silent

if TYPE_CHECKING:
    from s3torrent.engine.base import Built
    from support.part_sha1s import Held, PartSha1s

REF = ObjectRef("bucket", "shows/é+ü & 100%.mkv")
PIECE = 16384
POLICY = TorrentPolicy(piece_length=PIECE)


def cut(body: bytes) -> list[bytes]:
    return [body[at : at + PIECE] for at in range(0, len(body), PIECE)]


BODY = content(3 * PIECE + 1234)
PIECES = cut(BODY)


def built(s3: PartSha1s, held: Held, policy: TorrentPolicy = POLICY, progress: Any = silent) -> Built:
    s3.objects[REF.bucket, REF.key] = held
    store = S3Store(s3.client)
    return build_object(store.head(REF), policy, NativeEngine(threads=1), store, progress)


def read(s3: PartSha1s, held: Held, policy: TorrentPolicy = POLICY) -> bytes:
    """What reading gives: of the same object, where no checksum is told."""
    sent = s3.sent
    made = built(s3, replace(held, checksum=None), policy)
    assert made.bytes_read == s3.sent - sent == held.size
    return made.metainfo.encode()


def parts_asked(s3: PartSha1s) -> list[str]:
    return [one for one in s3.asked if one.startswith("PARTS")]
