"""What is examined, and what is known of it: each fact asked for once, and only where a check wants it."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from s3torrent.config import from_environment
from s3torrent.doctor.asking import Absent, Unseen, ask, ask_for
from s3torrent.doctor.route import to_function
from s3torrent.errors import ConfigError, S3TorrentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from s3torrent.config import Settings
    from s3torrent.status.base import StatusItem
    from s3torrent.types import ObjectRef, ObjectVersion

T = TypeVar("T")
MOST_LISTED, MOST_ITEMS = 10_000, 1000
"""Objects and status items that are looked at: ten requests, and about sixteen."""


class Clients(Protocol):
    """``wiring.Clients``."""

    endpoint_url: str | None

    def client(self, service: str) -> Any: ...


class fact(Generic[T]):  # noqa: N801 - read as a property
    """A property that is found out once: its value, or why it cannot be had (Unseen), is kept."""

    def __init__(self, find: Callable[[Case], T]) -> None:
        self._find, self.__doc__ = find, find.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, case: Case, owner: type | None = None) -> T:
        return case.once(self._name, lambda: self._find(case))


class Case:
    """``function`` None: this machine itself. What is not given is taken from the function's environment, or
    from ``machine``, that of this process. ``objects`` lists a bucket (as ``store.base``), ``items`` so many
    of the newest status items of a table, ``left_out`` tells why the settings leave an object out.
    """

    def __init__(
        self,
        clients: Clients,
        machine: Mapping[str, str],
        now: Callable[[], datetime],
        *,
        function: str | None = None,
        bucket: str | None = None,
        table: str | None = None,
        queue: str | None = None,
        objects: Callable[[str], Iterable[ObjectVersion]] = lambda _: (),
        items: Callable[[str, int], list[StatusItem]] = lambda _table, _most: [],
        left_out: Callable[[Settings, ObjectRef], str | None] = lambda _settings, _ref: None,
    ) -> None:
        self.clients, self.machine, self.now, self.function = clients, machine, now, function
        self.objects, self.items, self.left_out = objects, items, left_out
        self._bucket, self._table, self._queue = bucket, table, queue
        self.known: dict[str, Any] = {}

    def once(self, name: str, find: Callable[[], T]) -> T:
        """What is found under this name, or why it cannot be had (Unseen): found out once, and kept."""
        if name not in self.known:
            try:
                self.known[name] = find()
            except Unseen as why:
                self.known[name] = why
        found = self.known[name]
        if isinstance(found, Unseen):
            raise found.with_traceback(None)
        return found  # type: ignore[no-any-return]

    def client(self, service: str) -> Any:
        try:
            return self.clients.client(service)
        except ConfigError as error:
            raise Unseen(error.message) from None

    @fact
    def region(self) -> str:
        found = self.client("sts").meta.region_name
        if found in (None, "aws-global"):
            raise Unseen("no region is set")
        return str(found)

    @fact
    def identity(self) -> dict[str, Any]:
        """Account and ARN of whoever asks; needs no permission."""
        return ask_for("Arn", "sts:GetCallerIdentity", "you", self.client("sts").get_caller_identity)

    # --- the function

    @fact
    def configuration(self) -> dict[str, Any]:
        if self.function is None:
            raise Unseen("no function is named: --function NAME")
        call, about = self.client("lambda").get_function_configuration, f"function {self.function}"
        return ask_for(
            "FunctionArn", "lambda:GetFunctionConfiguration", about, call, FunctionName=self.function
        )

    @fact
    def function_arn(self) -> str:
        return str(self.configuration["FunctionArn"])

    @fact
    def environment(self) -> Mapping[str, str]:
        """The function's, or this machine's."""
        if self.function is None:
            return self.machine
        found = self.configuration.get("Environment", {})
        if "Error" in found:  # its KMS key is not yours to use
            raise Unseen(f"the function's environment: {found['Error'].get('Message')}")
        variables = found.get("Variables", {})
        lambda_own = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.configuration.get("MemorySize", ""))}
        return {**variables, **lambda_own}

    @fact
    def settings(self) -> Settings:
        try:
            return from_environment(self.environment)
        except S3TorrentError as error:
            raise Unseen(f"the settings are not valid: {error.message}") from None

    def setting(self, name: str) -> str:
        """As it stands there, also where another one is not valid; "" where that cannot be seen."""
        try:
            return self.environment.get(name, "").strip()
        except Unseen:
            return ""

    # --- what it works on

    @fact
    def bucket(self) -> str:
        found = self._bucket or self.setting("S3_BUCKET")
        if not found:
            raise Unseen("no bucket is named: --bucket BUCKET")
        return found

    @fact
    def bucket_head(self) -> dict[str, Any]:
        call = self.client("s3").head_bucket
        return dict(ask("s3:ListBucket", f"bucket {self.bucket}", call, Bucket=self.bucket))

    @fact
    def table(self) -> str:
        found = self._table or self.setting("DDB_TABLE")
        if not found:
            raise Unseen("no table is named: --table NAME")
        return found.rpartition("/")[2]  # of an ARN

    @property
    def names_table(self) -> bool:
        return bool(self._table or self.setting("DDB_TABLE"))

    @fact
    def mappings(self) -> list[dict[str, Any]]:
        """What Lambda reads for the function."""
        self.configuration  # noqa: B018 - one that is not there has none
        call = self.client("lambda").list_event_source_mappings
        about = f"function {self.function}"
        answer = ask("lambda:ListEventSourceMappings", about, call, FunctionName=self.function)
        return list(answer.get("EventSourceMappings", []))

    @fact
    def listed(self) -> list[ObjectVersion]:
        """The first objects of the bucket."""
        self.bucket_head  # noqa: B018 - a bucket that is not there says so
        try:
            return list(islice(self.objects(self.bucket), MOST_LISTED))
        except S3TorrentError as error:
            raise Unseen(error.message) from None

    @property
    def largest(self) -> ObjectVersion | None:
        """Of the first objects of the bucket; None where there is none."""
        return max(self.listed, key=lambda version: version.size, default=None)

    @fact
    def newest(self) -> list[StatusItem]:
        """The newest status items."""
        try:
            return self.items(self.table, MOST_ITEMS)
        except S3TorrentError as error:
            raise Unseen(error.message) from None

    @fact
    def notification(self) -> dict[str, Any]:
        """The bucket's, whole, as it can be put again."""
        call = self.client("s3").get_bucket_notification_configuration
        found = dict(ask("s3:GetBucketNotification", f"bucket {self.bucket}", call, Bucket=self.bucket))
        found.pop("ResponseMetadata", None)
        return found

    @fact
    def queue_url(self) -> str | None:
        """None where events come without a queue. Given; or the one that the function reads; or that has its
        name, as Terraform has it, where nothing calls the function itself. What the bucket tells besides may
        be another program's.
        """
        if self._queue or self.function is None:
            return self._queue
        try:
            self.configuration  # noqa: B018 - a function that is not there reads none
        except Absent:
            raise
        except Unseen:
            pass
        for name in self._queue_names():
            try:
                return self.url_of(name)
            except Absent:
                continue
        return None

    def _queue_names(self) -> list[str]:
        """The likeliest first."""
        read, told = list[str](), list[str]()
        with suppress(Unseen):
            sources = [str(one.get("EventSourceArn", "")) for one in self.mappings]
            read = [arn.rpartition(":")[2] for arn in sources if ":sqs:" in arn]
        with suppress(Unseen):
            entries = self.notification.get("QueueConfigurations", [])
            told = [str(entry["QueueArn"]).rpartition(":")[2] for entry in entries]
        both = [name for name in read if name in told]
        called = False
        if not read:  # then what has the function's name may be there for nothing
            with suppress(Unseen):
                called = bool(to_function(self))
        return list(dict.fromkeys([*both, *read, *([] if called else [str(self.function)])]))

    def url_of(self, queue: str) -> str:
        """Raises Absent where there is no queue of that name."""
        call = self.client("sqs").get_queue_url
        found = ask_for("QueueUrl", "sqs:GetQueueUrl", f"queue {queue}", call, QueueName=queue)
        return str(found["QueueUrl"])

    def attributes_of(self, url: str) -> dict[str, str]:
        call = self.client("sqs").get_queue_attributes
        about = f"queue {url.rpartition('/')[2]}"
        found = ask("sqs:GetQueueAttributes", about, call, QueueUrl=url, AttributeNames=["All"])
        return dict(found.get("Attributes", {}))

    @fact
    def queue(self) -> dict[str, str]:
        """Its attributes."""
        if self.queue_url is None:
            raise Absent("there is no queue that the function reads, and none of its name")
        return self.attributes_of(self.queue_url)

    @fact
    def dead_letter_url(self) -> str:
        """Raises Absent also where the queue names none."""
        try:
            target = str(json.loads(self.queue.get("RedrivePolicy") or "{}")["deadLetterTargetArn"])
        except (ValueError, KeyError):
            raise Absent(f"queue {self.queue_name} has no dead-letter queue") from None
        return self.url_of(target.rpartition(":")[2])

    @property
    def queue_name(self) -> str:
        return (self.queue_url or "").rpartition("/")[2]

    @fact
    def table_description(self) -> dict[str, Any]:
        call = self.client("dynamodb").describe_table
        about = f"table {self.table}"
        answer = ask_for("Table", "dynamodb:DescribeTable", about, call, TableName=self.table)
        return dict(answer["Table"])
