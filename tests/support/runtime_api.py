"""The service side of Lambda's Runtime API on loopback, with AWS's own Python runtime client as its child.

The unpacked function zip runs in a process of its own under ``python -m awslambdaric``, as it does in Lambda:
true error types, true deadlines, and memory that can be measured.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API" (runtimes-api) and "Defined runtime
environment variables" (configuration-envvars).
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_PREFIX = "/2018-06-01/runtime"
_INIT_SECONDS = 60.0
_STOP_SECONDS = 5.0
_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What ``aws lambda invoke`` would show.

    ``payload`` is the answer, or the error document where not ``ok``; ``error_type`` is the exception's class
    name, or Lambda's own: ``Runtime.ExitError`` (the process ended), ``Sandbox.Timedout`` (and was killed).
    """

    ok: bool
    payload: Any
    error_type: str | None = None
    error_message: str | None = None


class RuntimeApi:
    """A context manager: starts the function, takes invocations one after the other, stops it.

    ``code`` is the folder of the unpacked zip. The child sees Lambda's environment variables and ``env``,
    and nothing of the test's own environment but PATH.
    """

    def __init__(
        self,
        code: Path,
        *,
        handler: str = "s3torrent.lambda_handler.handler",
        env: Mapping[str, str] | None = None,
        name: str = "s3torrent",
        memory_mb: int = 512,
    ) -> None:
        self._code = code
        self._handler = handler
        self._name = name
        self._memory_mb = memory_mb
        self._extra_env = dict(env or {})
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._output = stack.enter_context(tempfile.NamedTemporaryFile())
            self._errors = stack.enter_context(tempfile.NamedTemporaryFile())
            self._service = _Service()
            stack.callback(self._service.stop)
            self._child = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", self._handler],
                cwd=self._code,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._errors,
            )
            watcher = threading.Thread(target=self._watch)
            watcher.start()
            stack.callback(watcher.join)
            stack.callback(self._stop_child)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def stdout(self) -> str:
        """What the function has written so far; in Lambda, its log."""
        return Path(self._output.name).read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        return Path(self._errors.name).read_text(encoding="utf-8", errors="replace")

    def peak_memory(self) -> int:
        """The most bytes the function's process has held at once (VmHWM of the running process)."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise LookupError(f"no VmHWM in /proc/{self.pid}/status")

    def invoke(self, event: Any, deadline_seconds: float = 60) -> InvocationResult:
        """Invoke once and wait for the answer, at most until the deadline, which the function is told.

        As in Lambda the time of the imports does not count, and past the deadline the process is killed.
        """
        if not self._service.ready.wait(_INIT_SECONDS):
            raise TimeoutError(f"the function did not start in {_INIT_SECONDS:.0f} s: {self.stderr}")
        result = self._service.ask(event, deadline_seconds, self._name)
        if result is None:
            self._stop_child()
            message = f"Task timed out after {deadline_seconds:.2f} seconds"
            return InvocationResult(False, None, "Sandbox.Timedout", message)
        return result

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str(self._code),
            "LAMBDA_TASK_ROOT": str(self._code),
            "_HANDLER": self._handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_LAMBDA_RUNTIME_API": self._service.address,
            "AWS_LAMBDA_FUNCTION_NAME": self._name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self._name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "test",
            **self._extra_env,
        }

    def _watch(self) -> None:
        self._service.child_ended(self._child.wait())

    def _stop_child(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


@dataclass(frozen=True, slots=True)
class _Invocation:
    request_id: str
    body: bytes
    deadline_ms: int
    function: str


class _Service:
    """The HTTP server, and between its threads and ``invoke`` two queues."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        """The function asks for work, or never will."""
        self._pending: queue.Queue[_Invocation | None] = queue.Queue()
        self._results: queue.Queue[tuple[str | None, InvocationResult]] = queue.Queue()
        self._ended: InvocationResult | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._pending.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def ask(self, event: Any, seconds: float, function: str) -> InvocationResult | None:
        """The answer to one invocation; None when it does not come in time."""
        if self._ended is not None:
            return self._ended
        request_id = str(uuid.uuid4())
        deadline_ms = int((time.time() + seconds) * 1000)
        self._pending.put(_Invocation(request_id, json.dumps(event).encode(), deadline_ms, function))
        until = time.monotonic() + seconds
        while True:
            try:
                answered, result = self._results.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return None
            if answered in (request_id, None):  # None: the process ended, whatever was asked
                return result

    def next(self) -> _Invocation | None:
        """Blocks until there is work; None: the service stops."""
        self.ready.set()
        return self._pending.get()

    def answer(self, request_id: str, body: bytes) -> None:
        self._results.put((request_id, InvocationResult(True, json.loads(body))))

    def fail(self, request_id: str, body: bytes) -> None:
        self._results.put((request_id, _failure(body)))

    def fail_init(self, body: bytes) -> None:
        self._end(_failure(body))

    def child_ended(self, code: int) -> None:
        message = f"Runtime exited with error: exit status {code}"
        self._end(InvocationResult(False, None, "Runtime.ExitError", message))

    def _end(self, result: InvocationResult) -> None:
        """The first reason stays: a failed init is followed by the exit of its process."""
        if self._ended is None:
            self._ended = result
            self._results.put((None, result))
        self.ready.set()

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != f"{_PREFIX}/invocation/next":
                    self.reply(404)
                    return
                invocation = service.next()
                if invocation is None:
                    self.close_connection = True
                    return
                arn = f"arn:aws:lambda:{_REGION}:000000000000:function:{invocation.function}"
                trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": arn,
                    "Lambda-Runtime-Trace-Id": trace,
                }
                self.reply(200, invocation.body, headers)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                match self.path.removeprefix(_PREFIX).strip("/").split("/"):
                    case ["invocation", request_id, "response"]:
                        service.answer(request_id, body)
                    case ["invocation", request_id, "error"]:
                        service.fail(request_id, body)
                    case ["init", "error"]:
                        service.fail_init(body)
                    case _:
                        self.reply(404)
                        return
                self.reply(202, b'{"status":"OK"}')

            def reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
                try:
                    self.send_response(status)
                    for name, value in (headers or {}).items():
                        self.send_header(name, value)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except ConnectionError:
                    self.close_connection = True  # the function was stopped meanwhile

            def log_message(self, *args: object) -> None:
                pass  # the test's output is the function's

        return Handler


def _failure(body: bytes) -> InvocationResult:
    document = json.loads(body)
    return InvocationResult(False, document, document.get("errorType"), document.get("errorMessage"))
