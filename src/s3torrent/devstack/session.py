"""MiniStack with s3torrent deployed on it, as one thing to hold: for the demo and for ``s3torrent dev``."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3torrent import wiring
from s3torrent.devstack.deploy import Deployment, Names, deploy, step
from s3torrent.devstack.ministack import CREDENTIALS, REGION, MiniStack
from s3torrent.devstack.package import build_zip
from s3torrent.errors import StackError
from s3torrent.live.server import live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

STOPPERS = (signal.SIGINT, signal.SIGTERM)

USAGE = """\
s3torrent is up. In another terminal:

  export AWS_ENDPOINT_URL={endpoint}
  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION={region}
{settings}
  aws s3 cp FILE s3://{bucket}/
  aws s3 ls s3://{bucket}/
  s3torrent inspect s3://{bucket}/FILE.torrent
  s3torrent put FILE s3://{bucket}/films/
  s3torrent status

{page} shows the jobs.
The function's log is in {log}
Ctrl-C stops it; nothing of it remains.
"""


@dataclass(frozen=True, slots=True)
class DevSession:
    stack: MiniStack
    clients: wiring.Clients
    deployment: Deployment
    settings: Mapping[str, str]
    """What the function and who uploads must agree on."""

    def usage(self, page: str) -> str:
        """How to use it with the AWS CLI. ``page``: where the jobs are shown."""
        return USAGE.format(
            page=page,
            endpoint=self.stack.endpoint,
            key=CREDENTIALS[0],
            secret=CREDENTIALS[1],
            region=REGION,
            bucket=self.deployment.names.bucket,
            log=self.stack.log_file,
            settings="".join(
                f"  export {name}={shlex.quote(value)}\n" for name, value in sorted(self.settings.items())
            ),
        )


@contextlib.contextmanager
def dev_session(
    port: int | None = None, environment: Mapping[str, str] | None = None, *, versioned: bool = True
) -> Iterator[DevSession]:
    """Start, package, deploy; at the end all is stopped. ``environment`` is added to the function's.

    Each object's web seed is its own address on the stack. ``versioned`` is the bucket's: MiniStack answers
    a range of a named version with all of it, so large objects want no versions. Raises StackError.
    """
    with contextlib.ExitStack() as cleanup:
        stack = cleanup.enter_context(MiniStack(port))
        clients = wiring.Clients(stack.endpoint, REGION, CREDENTIALS)
        cleanup.callback(clients.close)
        archive = build_zip(stack.folder / "s3torrent-lambda.zip")
        variables = {
            "AWS_ENDPOINT_URL": stack.endpoint,
            "TORRENT_WEB_SEEDS": f"{stack.endpoint}/{{bucket}}/{{key}}",
            **(environment or {}),
        }
        deployment = deploy(clients, Names(), archive, environment=variables, versioned=versioned)
        _try_out(clients, deployment.names)
        shared = {"DDB_TABLE": deployment.names.table, **variables}
        if "TORRENT_CATALOG" in variables:  # which is of one bucket's objects
            shared["S3_BUCKET"] = deployment.names.bucket
        del shared["AWS_ENDPOINT_URL"]
        yield DevSession(stack, clients, deployment, shared)


def _try_out(clients: wiring.Clients, names: Names) -> None:
    """Call the function once: what it cannot run with is told now, and the first upload finds it warm."""
    payload = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": names.bucket})
    with step("function", names.function):
        answer = clients.client("lambda").invoke(FunctionName=names.function, Payload=payload)
    if "FunctionError" in answer:
        said = json.load(answer["Payload"]).get("errorMessage")
        raise StackError(f"function {names.function} does not run: {said}")


@contextlib.contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does, so that all is cleaned up. Main thread only."""
    before = [(number, signal.signal(number, signal.default_int_handler)) for number in STOPPERS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed_at_the_end() -> Iterator[None]:
    """Once the block is left, further signals are ignored: what is being stopped is stopped whole."""
    try:
        yield
    finally:
        for number in STOPPERS:
            signal.signal(number, signal.SIG_IGN)


def run_dev(
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    say: Callable[[str], None],
) -> None:
    """Keep the stack up until SIGINT or SIGTERM, then return. ``say`` is given the usage, once it is up.

    Raises StackError when it cannot be had or dies.
    """
    with (
        contextlib.suppress(KeyboardInterrupt),
        terminated_like_interrupted(),
        dev_session(port, environment, versioned=False) as session,
        live(wiring.status_store(session.clients, session.deployment.names.table)) as page,
        undisturbed_at_the_end(),
    ):
        say(session.usage(page))
        while True:
            session.stack.check()
            time.sleep(0.5)
