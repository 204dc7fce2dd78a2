"""An S3 endpoint that takes uploads as quickly as it can read them, and keeps none: a process of its own.

It answers what an uploader asks: PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload, HEAD.
Small objects (a .torrent) it keeps; of large ones only their size. It checks nothing: MiniStack does, in the
tests.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
CHUNK = 1 << 20
LIFE_SECONDS = 1800
INITIATED = "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
COMPLETED = (
    '<CompleteMultipartUploadResult><ETag>"00000000000000000000000000000000-1"</ETag>'
    "</CompleteMultipartUploadResult>"
)
MODIFIED = "Mon, 23 Nov 2026 14:00:00 GMT"


@contextlib.contextmanager
def sink() -> Iterator[str]:
    """Its address."""
    with subprocess.Popen([sys.executable, Path(__file__)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sizes: dict[str, int] = {}  # noqa: RUF012 - of all objects, and of uploads by their part
    bodies: dict[str, bytes] = {}  # noqa: RUF012
    lock = threading.Lock()

    def do_PUT(self) -> None:
        path, query = self._asked()
        size, body = self._read()
        if "partNumber" in query:
            with self.lock:
                self.sizes[query["uploadId"][0]] = self.sizes.get(query["uploadId"][0], 0) + size
        else:
            self.sizes[path] = size
            self.bodies[path] = body
        self._answer(200, {"ETag": '"00000000000000000000000000000000"'})

    def do_POST(self) -> None:
        path, query = self._asked()
        self._read()
        if "uploads" in query:
            body = INITIATED.format(upload=f"{path}-{time.time_ns()}")
        else:
            self.sizes[path] = self.sizes.pop(query["uploadId"][0])
            body = COMPLETED
        self._answer(200, {"Content-Type": "application/xml"}, body.encode())

    def do_HEAD(self) -> None:
        path, _ = self._asked()
        if path.count("/") == 1:  # every bucket is there
            self._answer(200, {})
            return
        if path not in self.sizes:
            self._answer(404, {})
            return
        large = path not in self.bodies
        etag = '"00000000000000000000000000000000' + ('-1"' if large else '"')
        self._answer(200, {"ETag": etag, "Last-Modified": MODIFIED}, size=self.sizes[path])

    def do_GET(self) -> None:
        """An empty list of unfinished uploads, or a small object."""
        path, query = self._asked()
        if "uploads" in query:
            self._answer(200, {}, b"<ListMultipartUploadsResult></ListMultipartUploadsResult>")
        else:
            self._answer(200 if path in self.bodies else 404, {}, self.bodies.get(path, b""))

    def do_DELETE(self) -> None:
        path, _ = self._asked()
        self.sizes.pop(path, None)
        self.bodies.pop(path, None)
        self._answer(204, {})

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query, keep_blank_values=True)

    def _read(self) -> tuple[int, bytes]:
        """The body's size, and the body where it is small."""
        size = left = int(self.headers.get("Content-Length", 0))
        if size <= CHUNK:
            return size, self.rfile.read(size)
        buffer = memoryview(bytearray(CHUNK))
        while left:
            left -= self.rfile.readinto(buffer[: min(CHUNK, left)])
        return size, b""

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes = b"", size: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    threading.Timer(LIFE_SECONDS, server.shutdown).start()
    print(f"http://{HOST}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
