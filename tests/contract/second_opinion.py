"""moto's server, in this process, on a free port of loopback: a second opinion on S3 and DynamoDB beside MiniStack.

What it does otherwise than AWS (moto 5.2.5) is worked around here or skipped by ``QUIRKS`` (conftest), never in ``src``:

- its writes are not atomic between threads: one request at a time;
- it enforces S3's least part of 5 MiB, which MiniStack does not: lowered, the suite's parts are small.
"""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3 import models
from werkzeug.serving import make_server

from support.ministack import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Moto:
    """``with Moto() as moto: moto.client("s3")``."""

    def __enter__(self) -> Self:
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self._least_part = models.S3_UPLOAD_PART_MIN_SIZE
        models.S3_UPLOAD_PART_MIN_SIZE = 1
        self._server = make_server("127.0.0.1", 0, _one_at_a_time(), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self._clients: dict[str, Any] = {}
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        models.S3_UPLOAD_PART_MIN_SIZE = self._least_part

    def bucket(self, *, versioned: bool) -> str:
        """A fresh, empty one."""
        name, s3 = f"test-{uuid.uuid4().hex[:20]}", self.client("s3")
        s3.create_bucket(Bucket=name)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def client(self, service: str) -> Any:
        if service not in self._clients:
            session = boto3.session.Session(
                ENVIRONMENT["AWS_ACCESS_KEY_ID"],
                ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
                region_name=ENVIRONMENT["AWS_DEFAULT_REGION"],
            )
            config = Config(
                retries={"total_max_attempts": 2, "mode": "standard"},
                max_pool_connections=64,
                proxies={},
                s3={"addressing_style": "path"},
            )
            self._clients[service] = session.client(
                service, endpoint_url=f"http://127.0.0.1:{self._server.server_port}", config=config
            )
        return self._clients[service]


def _one_at_a_time() -> Callable[..., Iterable[bytes]]:
    application, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def locked(environ: Any, start_response: Any) -> Iterable[bytes]:
        with lock:
            return application(environ, start_response)

    return locked
