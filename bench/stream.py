"""The function's own process makes the torrent of a large object: its time, its memory, what it writes."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fileserver
from peers import DOWNLOAD_NAME, download_then_create
from row import Row
from s3torrent.devstack.ministack import CREDENTIALS, REGION, MiniStack
from s3torrent.devstack.package import build_zip
from s3torrent.wiring import Clients
from scratch import in_words, scratch, write_content
from support.runtime_api import RuntimeApi
from timing import interleaved, wall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BUCKET, KEY, TABLE = "bench", "object.bin", "bench"
CONTENT = "content"
REPETITIONS = 5
DEADLINE_SECONDS = 120
PEAK_MIB = 200
AT_MOST = 0.5
LOG_KIB = 64
"""What an invocation may write: its log."""


def measure(large: int) -> Iterator[Row]:
    """The object is read from nginx, where that is installed, and from MiniStack itself."""
    with scratch(4 * large) as folder, contextlib.ExitStack() as cleanup:
        content = write_content(folder / CONTENT, large)
        stack = cleanup.enter_context(MiniStack(0))
        clients = Clients(stack.endpoint, REGION, CREDENTIALS)
        cleanup.callback(clients.close)
        clients.client("s3").create_bucket(Bucket=BUCKET)
        clients.client("s3").upload_file(str(content), BUCKET, KEY)
        if fileserver.installed():
            server = fileserver.nginx(content, BUCKET, KEY, stack.endpoint, folder / "nginx-files")
            yield from _measure_at("nginx", cleanup.enter_context(server), clients, folder, AT_MOST)
        yield from _measure_at("MiniStack", stack.endpoint, clients, folder, AT_MOST)


def _measure_at(name: str, endpoint: str, clients: Clients, folder: Path, at_most: float) -> Iterator[Row]:
    code, temporary, downloads = (folder / name / part for part in ("code", "tmp", "downloads"))
    for made in (code, temporary, downloads):
        made.mkdir(parents=True)
    with zipfile.ZipFile(build_zip(folder / "function.zip")) as archive:
        archive.extractall(code)
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
        "DDB_TABLE": TABLE,
        "TMPDIR": str(temporary),
        "PYTHONDONTWRITEBYTECODE": "1",  # in Lambda the code is read-only
    }
    reader = Clients(endpoint, REGION, CREDENTIALS)
    with RuntimeApi(code, env=environment) as function, contextlib.closing(reader):

        def ours() -> float:
            _forget(clients)
            return wall(lambda: _make(function))

        def peer() -> float:
            return download_then_create(reader.client("s3"), BUCKET, KEY, downloads)

        ours()  # warm: clients are made, the table is there
        written, files = _written(function.pid), _files(code, temporary)
        times = interleaved(REPETITIONS, {"ours": ours, "peer": peer})
        written = _written(function.pid) - written
        new_files = _files(code, temporary) - files
        peak = function.peak_memory()
    what = f"stream {in_words((folder / CONTENT).stat().st_size)} from {name}"
    yield Row.of_times(what, times["ours"], DOWNLOAD_NAME, times["peer"], at_most)
    yield Row.of_limit(f"{what}: peak memory (VmHWM)", peak / (1 << 20), PEAK_MIB, "MiB")
    yield Row.of_limit(
        f"{what}: written per invocation, the log included", written / 1024 / REPETITIONS, LOG_KIB, "KiB"
    )
    yield Row(f"{what}: files left in cwd and TMPDIR", str(len(new_files)), "", "", "0", not new_files)


EVENT: Mapping[str, Any] = {
    "Records": [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": BUCKET}, "object": {"key": KEY}},
        }
    ]
}


def _make(function: RuntimeApi) -> None:
    result = function.invoke(EVENT, DEADLINE_SECONDS)
    if not result.ok:
        error = f"{result.error_type}: {result.error_message}"
        raise RuntimeError(f"the function failed: {error}; its log:\n{function.stdout}\n{function.stderr}")
    [outcome] = result.payload["results"]
    if outcome["status"] != "COMPLETED" or not outcome.get("bytesRead"):
        raise RuntimeError(f"nothing was hashed: {outcome}")


def _forget(clients: Clients) -> None:
    """Take away the torrent and its status item, so that the same event makes them anew."""
    clients.client("s3").delete_object(Bucket=BUCKET, Key=f"{KEY}.torrent")
    dynamodb = clients.client("dynamodb")
    with contextlib.suppress(dynamodb.exceptions.ResourceNotFoundException):  # before the first time
        dynamodb.delete_item(TableName=TABLE, Key={"jobId": {"S": f"s3://{BUCKET}/{KEY}"}})


def _written(pid: int) -> int:
    """Bytes that the process has written by write(2), to whatever it was; to sockets it writes by send(2)."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def _files(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}
