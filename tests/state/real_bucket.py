"""The bucket and the table on MiniStack as users have them, and the judge, who looks again only at what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from s3torrent.errors import NoSuchObject
from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.store.s3 import S3Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.status.base import StatusItem
    from s3torrent.types import ObjectHead, ObjectRef, ObjectVersion


class RealBucket(S3Store):
    """What ``MemoryStore`` offers users. Whoever else writes tells it by ``forget``."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._s3 = client
        self._seen: dict[ObjectRef, ObjectHead | NoSuchObject] = {}

    def head(self, ref: ObjectRef, version_id: str | None = None) -> ObjectHead:
        found = self._seen.get(ref)
        if found is None:
            try:
                found = super().head(ref, version_id)
            except NoSuchObject as error:
                found = error
            self._seen[ref] = found
        if isinstance(found, NoSuchObject):
            raise found.with_traceback(None)
        return found

    def upload(
        self, ref: ObjectRef, body: bytes, *, metadata: Mapping[str, str] | None = None
    ) -> ObjectVersion:
        self._s3.put_object(Bucket=ref.bucket, Key=ref.key, Body=body, Metadata=dict(metadata or {}))
        self.forget(ref)
        return self.head(ref).version

    def delete(self, ref: ObjectRef, version_id: str | None = None) -> None:
        which = {"VersionId": version_id} if version_id else {}
        self._s3.delete_object(Bucket=ref.bucket, Key=ref.key, **which)
        self.forget(ref)

    def _require_bucket(self, bucket: str) -> None:
        """It is there."""

    def forget(self, ref: ObjectRef | None = None) -> None:
        """What was seen of it; None: of all."""
        self._seen = {one: head for one, head in self._seen.items() if ref not in (None, one)}

    def versions(self, ref: ObjectRef) -> list[tuple[str, bool]]:
        """Id, and whether it is a delete marker; the current one last, the others in an order of their own."""
        answer = self._s3.list_object_versions(Bucket=ref.bucket, Prefix=ref.key)
        listed = [(one, False) for one in answer.get("Versions", [])]
        listed += [(one, True) for one in answer.get("DeleteMarkers", [])]
        found = [(one["IsLatest"], one["VersionId"], mark) for one, mark in listed if one["Key"] == ref.key]
        return [(version, mark) for _, version, mark in sorted(found, key=lambda one: one[0])]


class RealTable(DynamoStatus):
    """As ``RealBucket``."""

    def __init__(self, *told: Any) -> None:
        super().__init__(*told)
        self._seen: dict[str, StatusItem | None] = {}

    def get(self, job_id: str) -> StatusItem | None:
        if job_id not in self._seen:
            self._seen[job_id] = super().get(job_id)
        return self._seen[job_id]

    def forget(self, job_id: str | None = None) -> None:
        self._seen = {one: item for one, item in self._seen.items() if job_id not in (None, one)}
