"""nginx as an S3 endpoint whose reads are as quick as a file server's.

It answers GET and HEAD of one object from a file (ranges and If-Match included) and passes everything else
on to MiniStack, which on its own is one Python thread that copies every body several times.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from s3torrent.devstack.ministack import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 10.0
CERTIFICATE, SECRET = "certificate.pem", "key.pem"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CONFIGURATION = """\
daemon off; pid {folder}/pid; error_log {folder}/error.log; master_process off;
events {{}}
http {{
  access_log off; sendfile on; keepalive_requests 100000;
  {temporary}
  server {{
    listen {host}:{port}{listen_options};
    {tls}
    location = /{bucket}/{key} {{ alias {file}; }}
    location / {{ proxy_pass {endpoint}; proxy_http_version 1.1; proxy_set_header Host $http_host; }}
  }}
}}
"""


def installed() -> bool:
    return shutil.which("nginx") is not None


@contextlib.contextmanager
def nginx(
    file: Path, bucket: str, key: str, endpoint: str, folder: Path, *, tls: bool = False
) -> Iterator[str]:
    """Its address; all it writes lies in ``folder``, which is made. With ``tls`` the certificate, too."""
    folder.mkdir()
    if tls:
        _certify(folder)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder,
            temporary=" ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY),
            host=HOST,
            port=port,
            bucket=bucket,
            key=key,
            file=file,
            endpoint=endpoint,
            listen_options=" ssl" if tls else "",
            tls=f"ssl_certificate {folder}/{CERTIFICATE}; ssl_certificate_key {folder}/{SECRET};"
            if tls
            else "",
        )
    )
    command = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        "nginx",
        "-c",
        str(configuration),
    ]  # ends with a killed run, too
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield f"{'https' if tls else 'http'}://{HOST}:{port}"
        finally:
            process.terminate()


def _certify(folder: Path) -> None:
    """A certificate for the loopback address, signed by itself, for a day."""
    command = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    named = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}"]
    subprocess.run(
        [
            *command,
            "-nodes",
            "-days",
            "1",
            *named,
            "-keyout",
            str(folder / SECRET),
            "-out",
            str(folder / CERTIFICATE),
        ],
        check=True,
        capture_output=True,
        timeout=START_SECONDS,
    )


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nginx did not start; its status is {process.poll()}")
