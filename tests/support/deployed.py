"""s3torrent as packaged and deployed, once a session, on the session's MiniStack.

``support/fixtures.py`` has the fixtures. The function takes every bucket's events, so each test has buckets of
its own and wires them (``support/routes.py``) to this one function.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from s3torrent.devstack.deploy import Deployment, Names, deploy
from s3torrent.devstack.package import build_zip
from s3torrent.wiring import Clients
from support.ministack import ENVIRONMENT, REGION
from support.waiting import until

if TYPE_CHECKING:
    from support.ministack import MiniStack


AT_ONCE = 2
"""Lambdas at work for one queue: each further one would cost a cold start."""


def fresh(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:16]}"


def status_of(stack: MiniStack, table: str, bucket: str, key: str) -> dict[str, Any]:
    """The status item of an object as plain values; {} where there is none. Numbers are Decimals."""
    answer = stack.client("dynamodb").get_item(
        TableName=table, Key={"jobId": {"S": f"s3://{bucket}/{key}"}}, ConsistentRead=True
    )
    plain = TypeDeserializer().deserialize
    return {name: plain(value) for name, value in answer.get("Item", {}).items()}


@dataclass(frozen=True, slots=True)
class Deployed:
    """The function with its table, queue and dead-letter queue, and what a test asks about its objects."""

    stack: MiniStack
    deployment: Deployment

    @property
    def function(self) -> str:
        return self.deployment.names.function

    @property
    def table(self) -> str:
        return self.deployment.names.table

    def client(self, service: str) -> Any:
        return self.stack.client(service)

    def bucket(self, *, versioned: bool) -> str:
        """A fresh bucket whose events go nowhere yet."""
        name = fresh("bucket")
        self.client("s3").create_bucket(Bucket=name)
        if versioned:
            self.client("s3").put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": "Enabled"}
            )
        return name

    def status(self, bucket: str, key: str) -> dict[str, Any]:
        return status_of(self.stack, self.table, bucket, key)

    def ended(self, bucket: str, key: str, status: str, *, etag: str | None = None) -> dict[str, Any]:
        """The status item once it has this status (for the version with this ETag)."""

        def look() -> dict[str, Any] | None:
            item = self.status(bucket, key)
            right = item.get("status") == status and etag in (None, item.get("etag"))
            return item if right else None

        def found() -> str:
            return f"{status} of {key!r}; found {self.status(bucket, key)}\n{self.stack.log[-4000:]}"

        return until(look, found)

    def torrent(self, bucket: str, key: str) -> bytes:
        return self.client("s3").get_object(Bucket=bucket, Key=key + ".torrent")["Body"].read()

    def keys(self, bucket: str) -> set[str]:
        return {
            found["Key"] for found in self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
        }

    def writes_of_torrent(self, bucket: str, key: str) -> list[tuple[Any, ...]]:
        """What changes whenever the .torrent is written anew: its versions, each with ETag and time."""
        found = self.client("s3").list_object_versions(Bucket=bucket, Prefix=key + ".torrent")
        return [(one["VersionId"], one["ETag"], one["LastModified"]) for one in found.get("Versions", [])]

    def invoke(self, event: object) -> Any:
        """Invoke directly and wait; the answer, or its error document."""
        answer = self.client("lambda").invoke(FunctionName=self.function, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def said(self, event: str, bucket: str, key: str) -> bool:
        """Whether the function's log tells this of the object."""
        told = f'"event": "{event}"', json.dumps(f"s3://{bucket}/{key}")
        return any(all(part in line for part in told) for line in self.stack.log.splitlines())


def deployed_on(stack: MiniStack, **environment: str) -> Deployed:
    """Deploy under fresh names; ``environment`` is added to the function's."""
    name = fresh("s3torrent")
    names = Names(fresh("own"), name, name, f"{name}-dlq", name)
    clients = Clients(
        stack.endpoint,
        REGION,
        (ENVIRONMENT["AWS_ACCESS_KEY_ID"], ENVIRONMENT["AWS_SECRET_ACCESS_KEY"]),
    )
    variables = {"AWS_ENDPOINT_URL": stack.endpoint, **environment}
    try:
        archive = build_zip(stack.folder / f"{name}.zip")
        made = deploy(clients, names, archive, environment=variables, batch_size=10)
        function = clients.client("lambda")
        [mapping] = function.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        function.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": AT_ONCE}
        )
    finally:
        clients.close()
    return Deployed(stack, made)
