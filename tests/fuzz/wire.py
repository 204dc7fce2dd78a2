"""Answers of a server, told in a fuzzer's bytes, for a real botocore client without a network.

``data`` is one byte that chooses the call, then answers, a zero byte between two of them. The last is given again
and again, and ``@N@`` in it is the number of the request: so pages can go on for ever, each unlike the one before.
An answer is ``STATUS``, lines of ``NAME: VALUE``, an empty line, the body.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.session import Session
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

MOST_REQUESTS = 1000
"""More for one call is a hang: nothing bounds it."""


class EndlessRequests(Exception):
    """A call that does not come to its end; no error of ours, so that no target lets it through."""


class Server:
    """What stands behind ``client``; ``answers`` it gives are set anew for each input."""

    def __init__(self, service: str) -> None:
        config = Config(
            signature_version=UNSIGNED,
            retries={"mode": "standard", "total_max_attempts": 1},
            s3={"addressing_style": "path"},
            response_checksum_validation="when_required",
        )
        self.client: Any = Session().create_client(
            service, region_name="us-east-1", endpoint_url="http://stub.invalid", config=config
        )
        self.client.meta.events.register("before-send", self._answer)
        self._answers: list[bytes] = []
        self._asked = 0

    def load(self, data: bytes) -> None:
        self._answers, self._asked = data.split(b"\0"), 0

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        self._asked += 1
        if self._asked > MOST_REQUESTS:
            raise EndlessRequests(request.url)
        answer = self._answers[min(self._asked, len(self._answers)) - 1]
        answer = answer.replace(b"@N@", b"%d" % self._asked)
        head, _, body = answer.partition(b"\n\n")
        status, *lines = head.split(b"\n")
        headers = {
            name.decode("latin-1").strip(): value.decode("latin-1").strip()
            for name, _, value in (line.partition(b":") for line in lines)
        }
        code = int(status) if status.isdigit() and len(status) == 3 else 200
        raw = HTTPResponse(
            io.BytesIO(body), headers, status=code, preload_content=False, request_method=request.method
        )
        response = AWSResponse(request.url, code, headers, raw)
        if not request.stream_output:
            try:  # as botocore.httpsession does
                _ = response.content
            except HTTPError as error:
                raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
        return response


@cache
def server(service: str) -> Server:
    """One for each service: to make a client takes longer than a thousand calls."""
    return Server(service)


def answer(status: int, body: bytes | str = b"", **headers: str) -> bytes:
    """One answer as it is told above; ``_`` in a header's name stands for ``-``."""
    lines = [str(status), *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\n".join(lines).encode("latin-1") + b"\n\n" + (body if isinstance(body, bytes) else body.encode())
