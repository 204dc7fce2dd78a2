"""The only builder of boto3 clients, and of what stands on them."""

from __future__ import annotations

import math
import os
import time
import uuid
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from s3torrent.engine.native import NativeEngine
from s3torrent.errors import ConfigError
from s3torrent.hashing import kernel

if TYPE_CHECKING:
    from s3torrent.config import Settings
    from s3torrent.dead_letters import DeadLetters
    from s3torrent.engine.base import Engine
    from s3torrent.execution import Executions
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.pipeline.fanout import FanOut
    from s3torrent.pipeline.folder import Folders
    from s3torrent.pipeline.make import Maker
    from s3torrent.pipeline.outcome import SeedChecks
    from s3torrent.pipeline.upload import Uploader
    from s3torrent.queueing import Queue
    from s3torrent.redelivery import Redelivery
    from s3torrent.status.dynamodb import DynamoStatus
    from s3torrent.store.local import LocalStore
    from s3torrent.store.s3 import S3Store
    from s3torrent.store.s3_upload import S3UploadStore
    from s3torrent.webseeds.http import HttpReader

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 30
MOST_CHECK_SECONDS = 20.0
LOCAL_REGION = "us-east-1"


class Clients:
    """One boto3 session, each client made when first asked for.

    ``endpoint_url`` None is AWS; with one, S3 is addressed by path, as local stacks want it. Region and
    credentials come from boto3's own chain unless given.
    """

    def __init__(
        self,
        endpoint_url: str | None = None,
        region: str | None = None,
        credentials: tuple[str, str] | None = None,
        connections: int = 10,
        *,
        request_payer: bool = False,
    ) -> None:
        self.endpoint_url, self.credentials = endpoint_url, credentials
        self.region = region or os.environ.get("AWS_REGION")  # which botocore alone does not read
        self.connections = connections
        self.request_payer = request_payer
        self._made: dict[str, Any] = {}

    @cached_property
    def _session(self) -> Any:
        from boto3.session import Session  # noqa: PLC0415 - 0.2 s that only those pay who need it

        key, secret = self.credentials or (None, None)
        return Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=self.region)

    def client(self, service: str) -> Any:
        if service not in self._made:
            self._made[service] = self._make(service)
        return self._made[service]

    def _make(self, service: str) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - as above
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        local = self.endpoint_url and is_loopback(self.endpoint_url)
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            # The store resumes and waits on its own; these are for what it does not wrap.
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=self.connections,
            # Torrents are hashes already, and a checksum is not defined for part of an object.
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"} if self.endpoint_url else None,
            proxies={} if local else None,  # a proxy cannot reach this machine's own addresses
        )
        try:
            region = self._session.region_name or (LOCAL_REGION if self.endpoint_url else None)
            client = self._session.client(
                service, endpoint_url=self.endpoint_url, region_name=region, config=config
            )
        except (BotoCoreError, ValueError) as error:
            raise ConfigError(
                f"no {service} client: {error}",
                hint="correct AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL or the AWS configuration file",
            ) from None

        if service == "s3" and self.request_payer:
            client.meta.events.register("before-sign.s3", _pay)
        return client

    def close(self) -> None:
        for client in self._made.values():
            client.close()
        self._made.clear()


def _pay(request: Any, **_: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ObjectsinRequesterPaysBuckets.html"""
    request.headers["x-amz-request-payer"] = "requester"


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def clock() -> datetime:
    return datetime.now(UTC)


def engine(settings: Settings) -> Engine:
    kernel.choose(os.environ.get(kernel.VARIABLE, ""))
    if settings.policy.engine == "transmission":
        from s3torrent.engine.transmission import TransmissionEngine  # noqa: PLC0415 - seldom used

        return TransmissionEngine(settings.transmission_create)
    return NativeEngine(settings.threads, settings.fanout_threshold if settings.state_machine else math.inf)


def fan_out(settings: Settings, made: Maker) -> FanOut:
    """``made`` is the function's own maker: both have the same store, table and policy."""
    from s3torrent.pipeline.fanout import FanOut  # noqa: PLC0415 - few functions are ever called so

    return FanOut(made, NativeEngine(settings.threads))


def folders(settings: Settings, made: Maker) -> Folders:
    """As ``fan_out``."""
    from s3torrent.pipeline.folder import Folders  # noqa: PLC0415 - few functions have a rule for folders

    clients = Clients(
        settings.endpoint_url, connections=settings.threads + 2, request_payer=settings.request_payer
    )
    return Folders(made, s3_store(clients), settings.prefix_quiet_seconds, clock)


def kernel_name() -> str:
    """What hashes here."""
    return kernel.running()


def native_engine(threads: int) -> NativeEngine:
    return NativeEngine(threads)


def local_store() -> LocalStore:
    from s3torrent.store.local import LocalStore  # noqa: PLC0415 - the function never reads local files

    return LocalStore()


def s3_store(clients: Clients) -> S3Store:
    from s3torrent.store.s3 import S3Store  # noqa: PLC0415 - imports botocore

    return S3Store(clients.client("s3"))


def upload_store(clients: Clients) -> S3UploadStore:
    from s3torrent.store.s3_upload import S3UploadStore  # noqa: PLC0415 - imports botocore

    return S3UploadStore(clients.client("s3"))


def status_store(clients: Clients, table: str, *, create_missing: bool = True) -> DynamoStatus:
    from s3torrent.status.dynamodb import DynamoStatus  # noqa: PLC0415 - imports botocore

    return DynamoStatus(clients.client("dynamodb"), table, clock, create_missing=create_missing)


def _seed_checks(settings: Settings) -> SeedChecks:
    """All web seeds of a torrent together take a third of a lease at most."""
    from s3torrent.pipeline.outcome import unchecked  # noqa: PLC0415 - as all of the pipeline here

    if not settings.check_seeds:
        return unchecked
    from s3torrent.pipeline.check_seeds import seed_checks  # noqa: PLC0415 - few functions try them

    most = min(MOST_CHECK_SECONDS, settings.lease_seconds / 3)
    pays = settings.request_payer

    def checks(metainfo: Metainfo) -> dict[str, Any] | None:
        return seed_checks(metainfo, lambda share: web_reader(seconds=most * share, requester_pays=pays))

    return checks


def web_reader(page: str = "", *, seconds: float = 30.0, requester_pays: bool = False) -> HttpReader:
    from s3torrent.webseeds.http import HttpReader  # noqa: PLC0415 - few ask web seeds

    return HttpReader(page, seconds=seconds, requester_pays=requester_pays)


def worker_name() -> str:
    """Who holds a lease: the function's log stream or this program, and a random part."""
    return f"{os.environ.get('AWS_LAMBDA_LOG_STREAM_NAME') or 'local'}/{uuid.uuid4().hex[:12]}"


def uploader(settings: Settings) -> Uploader:
    """Everything ``put`` and ``record`` need. Without DDB_TABLE nothing is told to any table."""
    from s3torrent.pipeline.upload import Uploader  # noqa: PLC0415 - the function uploads no objects

    kernel.choose(os.environ.get(kernel.VARIABLE, ""))
    clients = Clients(
        settings.endpoint_url, connections=settings.threads + 2, request_payer=settings.request_payer
    )
    return Uploader(
        store=upload_store(clients),
        status=status_store(clients, settings.table) if settings.table else None,
        policy=settings.policy,
        owner=worker_name(),
        lease_seconds=settings.lease_seconds,
        threads=settings.threads,
        watch_prefix=settings.watch_prefix,
        check_seeds=_seed_checks(settings),
    )


def queue_of(clients: Clients, url: str) -> Queue:
    from s3torrent.queueing import Queue  # noqa: PLC0415 - one command has it

    return Queue(clients.client("sqs"), url)


def dead_letters(clients: Clients, url: str) -> DeadLetters:
    from s3torrent.dead_letters import DeadLetters  # noqa: PLC0415 - one command has them

    return DeadLetters(clients.client("sqs"), url)


def redelivery(settings: Settings) -> Redelivery:
    from s3torrent.redelivery import Redelivery  # noqa: PLC0415 - only the function has a queue

    clients = Clients(settings.endpoint_url, connections=1)
    return Redelivery(lambda: clients.client("sqs"), clock)


def _state_machine(settings: Settings) -> Executions | None:
    if not settings.state_machine:
        return None
    from s3torrent.execution import Executions  # noqa: PLC0415 - as above

    clients = Clients(settings.endpoint_url, connections=1)
    return Executions(lambda: clients.client("stepfunctions"), settings.state_machine)


def maker(settings: Settings) -> Maker:
    """Everything ``make`` needs, from the settings. Raises ConfigError where DDB_TABLE is not set."""
    if not settings.table:
        raise ConfigError("DDB_TABLE is not set; expected the name of the status table")
    from s3torrent.pipeline.make import Maker  # noqa: PLC0415 - the command line makes without a table

    clients = Clients(
        settings.endpoint_url, connections=settings.threads + 2, request_payer=settings.request_payer
    )
    return Maker(
        store=s3_store(clients),
        status=status_store(clients, settings.table),
        engine=engine(settings),
        policy=settings.policy,
        owner=worker_name(),
        lease_seconds=settings.lease_seconds,
        monotonic=time.monotonic,
        watch_prefix=settings.watch_prefix,
        remove_torrents=settings.on_delete == "remove",
        control_prefix=settings.control_prefix,
        checkpoint_seconds=settings.checkpoint_seconds,
        state_machine=_state_machine(settings),
        check_seeds=_seed_checks(settings),
    )
