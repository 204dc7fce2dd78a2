"""Write the seeds of every target into ``corpus/``: ``python -m tests.fuzz.make_corpus``. Finds (``find-*``) stay."""

from __future__ import annotations

import base64
import json
import sys
from hashlib import sha1
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fuzz.s3_answers import CALLS as S3_CALLS  # noqa: E402 - the tests' folder must be on the path first
from fuzz.status_items import CALLS as STATUS_CALLS  # noqa: E402
from fuzz.status_items import JOB  # noqa: E402
from fuzz.targets import CORPUS  # noqa: E402
from fuzz.wire import answer  # noqa: E402

TESTS = HERE.parent
DATE = "Mon, 23 Nov 2026 14:00:00 GMT"
ETAG = '"abc"'
OBJECT = {
    "ETag": ETAG,
    "Last_Modified": DATE,
    "Content_Length": "10",
    "x_amz_meta_s3torrent_etag": "abc",
    "x_amz_storage_class": "GLACIER",
    "x_amz_version_id": "v1",
}
SUM = base64.b64encode(sha1(b"body").digest()).decode()
BAD_EVENTS = (
    "{}",
    "[]",
    '{"Records": []}',
    '{"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "[["}]}',
)


def error(status: int, code: str) -> bytes:
    return answer(status, f"<Error><Code>{code}</Code><Message>said</Message></Error>")


def s3() -> dict[str, bytes]:
    def xml(name: str, inner: str) -> bytes:
        return answer(200, f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{name}>')

    body = answer(206, b"cdefghi", ETag=ETAG, Content_Range="bytes 2-8/10", Content_Length="7")
    upload = "<Upload><Key>shows/é+ü.bin</Key><UploadId>u@N@</UploadId><Initiated>2026-11-23T14:00:00Z</Initiated></Upload>"
    part = f"<Part><PartNumber>@N@</PartNumber><ETag>{ETAG}</ETag><Size>4</Size><ChecksumSHA1>{SUM}</ChecksumSHA1></Part>"
    more = "<IsTruncated>true</IsTruncated><NextKeyMarker>k@N@</NextKeyMarker><NextUploadIdMarker>u@N@</NextUploadIdMarker>"

    def attributes(number: int, truncated: str) -> bytes:
        sums = f"<Checksum><ChecksumSHA1>{'A' * 27}=</ChecksumSHA1><ChecksumType>COMPOSITE</ChecksumType></Checksum>"
        one = (
            f"<Part><PartNumber>{number}</PartNumber><Size>5</Size><ChecksumSHA1>{SUM}</ChecksumSHA1></Part>"
        )
        pages = f"<PartsCount>2</PartsCount><IsTruncated>{truncated}</IsTruncated><NextPartNumberMarker>{number}</NextPartNumberMarker>"
        told = f"<ETag>abc</ETag><ObjectSize>10</ObjectSize>{sums}<ObjectParts>{pages}{one}</ObjectParts>"
        body = f'<GetObjectAttributesResponse xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{told}</GetObjectAttributesResponse>'
        return answer(200, body, Last_Modified=DATE)

    right: dict[str, tuple[bytes, ...]] = {
        "_head": (answer(200, **OBJECT),),
        "_read": (body, answer(200, b"abcdefghij", ETag=ETAG, Content_Length="10")),
        "_get": (answer(200, **OBJECT), answer(206, b"abcdefghij", ETag=ETAG, Content_Range="bytes 0-9/10")),
        "_put": (answer(200, ETag=ETAG, Date=DATE),),
        "_put_whole": (answer(200, ETag=ETAG),),
        "_begin": (xml("InitiateMultipartUploadResult", "<UploadId>u1</UploadId>"),),
        "_part": (answer(200, ETag=ETAG),),
        "_unfinished": (xml("ListMultipartUploadsResult", upload + more), xml("ListMultipartUploadsResult", upload)),
        "_parts": (
            xml("ListPartsResult", part + "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>"),
            xml("ListPartsResult", part),
        ),
        "_complete": (xml("CompleteMultipartUploadResult", f"<ETag>{ETAG}</ETag>"),),
        "_abort": (answer(204),),
        "_part_sha1s": (attributes(1, "true"), attributes(2, "false")),
    }  # fmt: skip
    seeds = {}
    for number, call in enumerate(S3_CALLS):
        name, first = call.__name__.strip("_"), bytes([number])
        seeds[name] = first + b"\0".join(right[call.__name__])
        seeds[f"{name}-slow-down"] = first + error(503, "SlowDown") + b"\0" + right[call.__name__][-1]
    for number, (status, code) in enumerate(
        [
            (403, "AccessDenied"),
            (404, "NoSuchUpload"),
            (412, "PreconditionFailed"),
            (400, "KMS.DisabledException"),
        ]
    ):
        seeds[f"error-{code}"] = bytes([number]) + error(status, code)
    return seeds


def status() -> dict[str, bytes]:
    item: dict[str, Any] = {
        "jobId": {"S": JOB.job_id},
        "status": {"S": "CREATING_TORRENT"},
        "etag": {"S": "abc"},
        "size": {"N": "5"},
        "policyId": {"S": "v1;auto"},
        "sequencer": {"S": "0059"},
        "attempt": {"N": "1"},
        "leaseOwner": {"S": "other"},
        "leaseExpiresAt": {"S": "2026-11-23T14:01:00.000Z"},
        "createdAt": {"S": "2026-11-23T13:00:00.000Z"},
        "updatedAt": {"S": "2026-11-23T13:00:00.000Z"},
    }
    reserved = item | {"uploadOwner": {"S": "recorder"}, "uploadExpiresAt": {"S": "2026-11-23T14:01:00.000Z"}}
    done = item | {"status": {"S": "COMPLETED"}, "magnet": {"S": "magnet:?"}}

    def met(found: dict[str, Any]) -> bytes:
        kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
        return (
            answer(400, json.dumps({"__type": kind, "message": "no", "Item": found}))
            + b"\0"
            + answer(200, "{}")
        )

    table = {
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "jobId", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "jobId", "AttributeType": "S"}],
    }
    read = {
        "_get": json.dumps({"Item": done | {"tags": {"L": [{"NULL": True}, {"SS": ["a"]}, {"B": "YQ=="}]}}}),
        "_list": json.dumps({"Items": [done], "LastEvaluatedKey": {"jobId": {"S": "x@N@"}}}),
        "_ensure": json.dumps({"Table": table}),
    }
    seeds = {}
    for number, call in enumerate(STATUS_CALLS):
        name, first = call.__name__.strip("_"), bytes([number])
        if call.__name__ in read:
            seeds[name] = first + answer(200, read[call.__name__])
        else:
            seeds[name] = first + answer(200, "{}")
            seeds[f"{name}-item"] = first + met(item)
    seeds["claim-reserved"] = b"\0" + met(reserved)
    seeds["claim-done"] = b"\0" + met(done)
    gone = json.dumps({"__type": "ResourceNotFoundException", "message": "no table"})
    seeds["claim-no-table"] = b"\0" + answer(400, gone) + b"\0" + answer(200, json.dumps({"Table": table}))
    return seeds


def config() -> dict[str, bytes]:
    full = """S3_BUCKET=bucket\nDDB_TABLE=table\nTRACKERS=udp://t.example:1337,http://t.example/announce
AWS_ENDPOINT_URL=http://127.0.0.1:4566\nTORRENT_ENGINE=native\nTORRENT_VERSION=hybrid\nTORRENT_PIECE_LENGTH=64KiB
TORRENT_PRIVATE=write-0\nTORRENT_SOURCE=src\nTORRENT_COMMENT=é\nTORRENT_WEB_SEEDS=https://c.example/{bucket}/{key}
TORRENT_INCLUDE=*.mkv\nTORRENT_EXCLUDE=[ab]*,?\nTORRENT_WATCH_PREFIX=watch/\nTORRENT_LEASE_SECONDS=60.5
TORRENT_THREADS=4\nTORRENT_LOG_LEVEL=debug\nJOB_ID=job-7\nTTL_DAYS=30\nRECORD_MODE=pipe\nRECORD_HEARTBEAT_SECONDS=1e1"""
    transmission = (
        "TORRENT_ENGINE=transmission\nTRANSMISSION_CREATE=/opt/bin/x\nDDB_TABLE=arn:aws:dynamodb:eu:1:table/t"
    )
    return {"full": full.encode(), "transmission": transmission.encode(), "empty": b""}


def main() -> None:
    torrents = sorted((TESTS / "vectors").glob("*/*.torrent"))
    small = [path for path in torrents if path.stat().st_size < 700]
    events = sorted((TESTS / "events").glob("*.json"))
    kinds = {path.name.split(".")[0]: path for path in events}
    sets: dict[str, dict[str, bytes]] = {
        "torrent": {path.stem: path.read_bytes() for path in small},
        "bencode": {path.stem: path.read_bytes() for path in small[::8]}
        | {"all": b"d1:ai-1e1:bl2:xy0:ded0:i0eeee"},
        "event": {path.stem: path.read_bytes() for path in {*kinds.values(), *events[::6]}}
        | {f"bad-{number}": text.encode() for number, text in enumerate(BAD_EVENTS)},
        "s3": s3(),
        "status": status(),
        "config": config(),
    }
    for target, seeds in sets.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("find-"):
                old.unlink()
        for name, data in seeds.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
