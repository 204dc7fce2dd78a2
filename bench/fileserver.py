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
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CONFIGURATION = """\
daemon off; pid {folder}/pid; error_log {folder}/error.log; master_process off;
events {{}}
http {{
  access_log off; sendfile on; keepalive_requests 100000;
  {temporary}
  server {{
    listen {host}:{port};
    location = /{bucket}/{key} {{ alias {file}; }}
    location / {{ proxy_pass {endpoint}; proxy_http_version 1.1; proxy_set_header Host $http_host; }}
  }}
}}
"""


def installed() -> bool:
    return shutil.which("nginx") is not None


@contextlib.contextmanager
def nginx(file: Path, bucket: str, key: str, endpoint: str, folder: Path) -> Iterator[str]:
    """Its address; all it writes lies in ``folder``, which is made."""
    folder.mkdir()
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
        )
    )
    with subprocess.Popen(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nginx did not start; its status is {process.poll()}")
