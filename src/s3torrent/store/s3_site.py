"""A web site below a prefix of a bucket: files that say how long they may be kept, and that they are ours."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from s3torrent.errors import NoSuchBucket, NoSuchObject, OutputExists, WriteConflict
from s3torrent.store.s3_answers import etag_of
from s3torrent.store.s3_errors import Call, typed
from s3torrent.types import CATALOG_MARK, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from types_boto3_s3 import S3Client

MOST_BYTES = 64 << 20
KEPT = "public, max-age={}"


class S3Site:
    """``kind_of`` tells a path's Content-Type and seconds of Cache-Control; ``packed`` whether it is stored
    compressed (Content-Encoding: gzip), as a bucket compresses nothing by itself. Threads may share it.
    """

    def __init__(
        self,
        client: S3Client,
        place: ObjectRef,
        *,
        kind_of: Callable[[str], tuple[str, int]],
        packed: Callable[[str], bool],
        force: bool = False,
    ) -> None:
        self.name = str(place)
        self._client, self._place, self._force = client, place, force
        self._kind_of, self._packed = kind_of, packed

    def get(self, path: str) -> tuple[bytes, str] | None:
        """Body and ETag; None where nothing is. Raises OutputExists where it is not ours."""
        ref = self._ref(path)
        try:
            with typed(Call("s3:GetObject", ref)):
                answer: Any = self._client.get_object(Bucket=ref.bucket, Key=ref.key)
                with answer["Body"] as stream:
                    self._require_ours(ref, answer)
                    body = stream.read(MOST_BYTES)
        except NoSuchObject:
            return None
        if answer.get("ContentEncoding") == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                body = b""  # damaged: it tells nothing, and is written anew
        return body, etag_of(answer)

    def put(self, path: str, body: bytes, *, replaces: str | None = None, fresh: bool = False) -> str:
        """The new ETag. ``replaces`` is one, too; without it: over nothing, or what is ours; ``fresh``: most
        likely nothing is there. Raises WriteConflict where another writer is first, OutputExists.
        """
        if replaces:
            return self._put(path, body, {"IfMatch": f'"{replaces}"'})
        if fresh:
            with suppress(WriteConflict):
                return self._put(path, body, {"IfNoneMatch": "*"})
        found = self._etag(path)
        return self._put(path, body, {"IfMatch": f'"{found}"'} if found else {"IfNoneMatch": "*"})

    def remove(self, paths: Iterable[str]) -> None:
        """What is not ours stays."""
        for path in paths:
            ref = self._ref(path)
            try:
                found = self._etag(path)
            except OutputExists:
                continue
            if found:
                with typed(Call("s3:DeleteObject", ref)):
                    self._client.delete_object(Bucket=ref.bucket, Key=ref.key)

    def paths(self) -> Iterator[str]:
        """Of everything below the place, whoever wrote it."""
        asked: Any = {"Bucket": self._place.bucket, "Prefix": self._place.key}
        while asked:
            with typed(Call("s3:ListBucket", self._place, absent=NoSuchBucket)):
                answer: Any = self._client.list_objects_v2(**asked)
            yield from (one["Key"].removeprefix(self._place.key) for one in answer.get("Contents", ()))
            more = answer.get("NextContinuationToken")
            asked = {**asked, "ContinuationToken": more} if more else None

    def _put(self, path: str, body: bytes, condition: Any) -> str:
        ref = self._ref(path)
        content_type, seconds = self._kind_of(path)
        packed = self._packed(path)
        encoding: Any = {"ContentEncoding": "gzip"} if packed else {}
        with typed(Call("s3:PutObject", ref, absent=WriteConflict, refused=WriteConflict)):
            answer: Any = self._client.put_object(
                Bucket=ref.bucket,
                Key=ref.key,
                Body=gzip.compress(body, 6, mtime=0) if packed else body,
                ContentType=content_type,
                CacheControl=KEPT.format(seconds),
                Metadata={CATALOG_MARK: "1"},
                **encoding,
                **condition,
            )
        return etag_of(answer)

    def _etag(self, path: str) -> str | None:
        ref = self._ref(path)
        try:
            with typed(Call("s3:GetObject", ref)):
                answer: Any = self._client.head_object(Bucket=ref.bucket, Key=ref.key)
                self._require_ours(ref, answer)
                return etag_of(answer)
        except NoSuchObject:
            return None

    def _require_ours(self, ref: ObjectRef, answer: Any) -> None:
        if not self._force and CATALOG_MARK not in answer.get("Metadata", {}):
            raise OutputExists(
                f"{ref} is there already and was not written by s3torrent; left as it is",
                hint="name another place, or pass --force to replace it",
            )

    def _ref(self, path: str) -> ObjectRef:
        return ObjectRef(self._place.bucket, self._place.key + path)
