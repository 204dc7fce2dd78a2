"""A web server on loopback that serves one file well, and in every way that a web seed can go wrong."""

from __future__ import annotations

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>%s</Message></Error>"


class SeedServer:
    """``with SeedServer(body) as seeds``: ``seeds.url("/good")``; ``asked`` are the paths, in order."""

    def __init__(self, body: bytes, certificate: Path | None = None) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        seeds = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                seeds.asked.append((self.path, dict(self.headers)))
                seeds.answer(self, body)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self._server.server_address[1]}{path}"

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = request.path.partition("?")[0]
        start, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
        first, end = int(start), int(last) + 1
        match path.split("/")[1]:
            case "missing":
                send(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")
            case "private":
                send(request, 403, DENIED % b"Access Denied")
            case "expired":
                send(request, 403, DENIED % b"Request has expired")
            case "payer":
                send(request, 403, DENIED % b"The bucket is a Requester Pays bucket")
            case "cold":
                send(request, 403, b"<Error><Code>InvalidObjectState</Code></Error>")
            case "whole":
                send(request, 200, body)
            case "broken":
                send(request, 500, b"")
            case "busy":
                send(request, 503, b"<Error><Code>SlowDown</Code></Error>")
            case "other":
                send_range(request, bytes(len(body)), first, end)
            case "tail":  # its last piece is another one
                send_range(request, body[:-1] + bytes([body[-1] ^ 1]), first, end)
            case "longer":
                send_range(request, body + b"x", first, end)
            case "shorter":
                send(request, 416, b"")
            case "shifted":
                send_range(request, body, first, end, told=f"bytes {first + 1}-{end}/{len(body)}", shift=1)
            case "gzip":
                send_range(request, body, first, end, **{"Content-Encoding": "gzip"})
            case "cut":
                send_range(request, body, first, end, cut=10)
            case "moved":
                allowed = {"Access-Control-Allow-Origin": "*"}
                send(request, 302, b"", Location="/good/elsewhere", **allowed)
            case "moved-closed":
                send(request, 302, b"", Location="/good/elsewhere")
            case "page":
                send(request, 200, b"<html>Sign in</html>", **{"Content-Type": "text/html"})
            case "whole-gzip":
                send(request, 200, b"\x1f\x8b", **{"Content-Encoding": "gzip"})
            case "not-allowed":
                send(request, 405, b"")
            case "not-modified":
                send(request, 304, b"")
            case "round":
                send(request, 307, b"", Location=request.path)
            case "nowhere":
                send(request, 301, b"<Error><Code>PermanentRedirect</Code></Error>")
            case "closed":
                send_range(request, body, first, end, origin="https://only.example")
            case "plus":  # as S3: a bare + is a space, and there is no such key
                good = "%2B" in path and "+" not in path
                send_range(request, body, first, end) if good else send(request, 404, b"")
            case "once":  # a key with a space
                send_range(request, body, first, end) if "%20" in path else send(request, 404, b"")
            case _:
                send_range(request, body, first, end)


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def send_range(
    request: BaseHTTPRequestHandler,
    body: bytes,
    first: int,
    end: int,
    *,
    told: str = "",
    shift: int = 0,
    cut: int = 0,
    origin: str = "*",
    **headers: str,
) -> None:
    part = body[first + shift : end + shift].ljust(end - first, b"\0")
    request.send_response(206)
    told = told or f"bytes {first}-{end - 1}/{len(body)}"
    sent = {"Content-Range": told, "Access-Control-Allow-Origin": origin, **headers}
    for name, value in {"Content-Length": str(len(part)), **sent}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(part[: len(part) - cut])
    if cut:
        request.close_connection = True


def certificate(folder: Path) -> Path:
    """Key and certificate of 127.0.0.1 that nobody has signed but itself, in one file."""
    path = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "crt.pem"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    path.write_bytes((folder / "key.pem").read_bytes() + (folder / "crt.pem").read_bytes())
    return path
