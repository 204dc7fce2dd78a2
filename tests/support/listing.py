"""S3's ListObjectsV2 as AWS documents it, over as many objects as a test says: none of them is kept anywhere.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, quote_plus, urlsplit

from support.breaking_proxy import s3_client
from support.loopback import Handler, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable

ETAG = "0123456789abcdef0123456789abcdef"
MODIFIED = "2026-11-23T00:00:00.000Z"


class Listing(Loopback):
    """``with Listing(1_000_000) as s3: S3Store(s3.client).list_objects("bucket", "")``.

    The objects are ``000000000``, ``000000001``, ... of as many bytes as their number. ``faults`` maps the number of
    a request, from 1, to (status, code) of an error, or to a change of the answer's text. ``asked`` are the
    queries.
    """

    def __init__(self, count: int) -> None:
        super().__init__(_Handler)
        self.count = count
        self.faults: dict[int, tuple[int, str] | Callable[[str], str]] = {}
        self.asked: list[dict[str, str]] = []

    def __enter__(self) -> Self:
        super().__enter__()
        self.client = s3_client(self.endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        super().__exit__()


class _Handler(Handler):
    owner: Listing
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.owner.asked.append(query)
        fault = self.owner.faults.get(len(self.owner.asked))
        if isinstance(fault, tuple):
            status, code = fault
            self.answer(status, f"<Error><Code>{code}</Code><Message>said so</Message></Error>")
            return
        answer = self.page(query)
        self.answer(200, fault(answer) if fault else answer)

    def page(self, query: dict[str, str]) -> str:
        after = query.get("continuation-token") or query.get("start-after")
        first = int(after) + 1 if after else 0
        end = min(first + min(1000, int(query.get("max-keys", 1000))), self.owner.count)
        contents = "".join(
            f"<Contents><Key>{quote_plus(f'{number:09}')}</Key><LastModified>{MODIFIED}</LastModified>"
            f"<ETag>&quot;{ETAG}&quot;</ETag><Size>{number}</Size></Contents>"
            for number in range(first, end)
        )
        more = end < self.owner.count
        token = f"<NextContinuationToken>{end - 1:09}</NextContinuationToken>" if more else ""
        encoding = "<EncodingType>url</EncodingType>" if query.get("encoding-type") == "url" else ""
        return (
            f"<ListBucketResult><Name>bucket</Name>{encoding}<IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{contents}</ListBucketResult>"
        )

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
