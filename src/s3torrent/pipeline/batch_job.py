"""A job of S3 Batch Operations that calls the function for each object: its manifest, and its definition.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from s3torrent.errors import UsageError

if TYPE_CHECKING:
    from s3torrent.types import ObjectRef

PART = 64 << 20
MOST_WHOLE = 5 << 30
"""What one PUT takes. A larger manifest is uploaded in parts of PART bytes, which its ETag tells."""
ROLE = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):role/\S+")
FUNCTION = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:function:[A-Za-z0-9_-]+(:(\$LATEST|[A-Za-z0-9_-]+))?"
)
MOST_DESCRIBED = 256


class Manifest:
    """Writes BUCKET,KEY lines, the keys percent-encoded. No version: the function takes the current one.

    A space is %20 and a plus %2B, so that whether + is decoded to a space makes no difference.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._whole = hashlib.md5(usedforsecurity=False)
        self._part = hashlib.md5(usedforsecurity=False)
        self._parts: list[bytes] = []
        self._in_part = self.size = self.count = 0

    def add(self, ref: ObjectRef) -> None:
        line = memoryview(f"{ref.bucket},{quote(ref.key, safe='/')}\n".encode())
        self._stream.write(line)
        self._whole.update(line)
        while len(line) >= PART - self._in_part:
            rest = PART - self._in_part
            self._part.update(line[:rest])
            self._parts.append(self._part.digest())
            self._part, self._in_part, line = hashlib.md5(usedforsecurity=False), 0, line[rest:]
            self.size += rest
        self._part.update(line)
        self._in_part += len(line)
        self.size += len(line)
        self.count += 1

    @property
    def is_whole(self) -> bool:
        """Whether one PUT takes it."""
        return self.size <= MOST_WHOLE

    @property
    def etag(self) -> str:
        """The ETag that it has in S3 (not under a KMS key, which S3 Batch Operations takes for no manifest).

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
        """
        if self.is_whole:
            return self._whole.hexdigest()
        parts = [*self._parts, *([self._part.digest()] if self._in_part else [])]
        return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"


@dataclass(frozen=True, slots=True)
class BatchJob:
    """``function`` and ``role`` are ARNs; the manifest will lie at ``place``, the report below ``reports`` in
    its bucket. Raises UsageError.
    """

    function: str
    role: str
    place: ObjectRef
    reports: str
    priority: int = 10

    def __post_init__(self) -> None:
        for option, found, pattern, expected in (
            ("function", self.function, FUNCTION, "arn:aws:lambda:REGION:ACCOUNT:function:NAME"),
            ("role", self.role, ROLE, "arn:aws:iam::ACCOUNT:role/NAME"),
        ):
            if not pattern.fullmatch(found):
                raise UsageError(
                    f"--batch-{option} {found!r} is no ARN of a {option}", hint=f"expected {expected}"
                )

    def definition(self, manifest: Manifest, told: str) -> dict[str, Any]:
        """The request CreateJob; the same manifest and names, the same token, so that no job starts twice.

        ``told`` is its description.
        """
        named = ROLE.fullmatch(self.role)
        assert named
        partition, account = named.groups()
        arn = f"arn:{partition}:s3:::"
        unique = "\0".join((manifest.etag, self.function, self.role, str(self.place)))
        return {
            "AccountId": account,
            "ConfirmationRequired": False,
            "Operation": {"LambdaInvoke": {"FunctionArn": self.function, "InvocationSchemaVersion": "2.0"}},
            "Manifest": {
                "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
                "Location": {
                    "ObjectArn": f"{arn}{self.place.bucket}/{self.place.key}",
                    "ETag": manifest.etag,
                },
            },
            "Report": {
                "Enabled": True,
                "Bucket": f"{arn}{self.place.bucket}",
                "Prefix": self.reports,
                "Format": "Report_CSV_20180820",
                "ReportScope": "AllTasks",
            },
            "Priority": self.priority,
            "RoleArn": self.role,
            "ClientRequestToken": hashlib.sha256(unique.encode()).hexdigest(),
            "Description": told[:MOST_DESCRIBED],
        }
