"""What AWS allows, what it takes for it, and how quick a run of the function is: the figures behind scale.py.

Each was looked up on 24 November 2026 in stored copies of the pages (which bear no date of their own), or
measured here, or is an assumption and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from s3torrent.pipeline.backfill import EACH_SECONDS, HEADS, PRICES, PUTS, STATUS_WRITES

GUIDE = "Lambda Developer Guide"
DYNAMO = "DynamoDB Developer Guide"
MEASURED = "measured here"
ASSUMED = "**assumed**"


@dataclass(frozen=True, slots=True)
class Fact:
    value: float
    what: str
    source: str


FACTS: list[Fact] = []


def _fact(value: float, what: str, source: str) -> float:
    FACTS.append(Fact(value, what, source))
    return value


RUN_SECONDS = _fact(900, "seconds that a run lasts at most", f"{GUIDE}, *Lambda quotas*")
VCPU_MB = _fact(1769, "MB of memory that come with one vCPU", f"{GUIDE}, *Lambda quotas*")
BURST = _fact(1000, "runs that a function has at once from nothing", f"{GUIDE}, *Lambda scaling behavior*")
RAMP = _fact(
    100, "more runs a second (1,000 each 10 s, refilled continuously)", f"{GUIDE}, *Lambda scaling behavior*"
)
QUEUE_BURST = _fact(
    5,
    "runs that a queue begins with",
    f"{GUIDE}, *Configuring scaling behavior for SQS event source mappings*",
)
QUEUE_RAMP = _fact(5, "more a second (300 a minute)", "the same page")
QUEUE_MOST = _fact(
    1000, "runs that a queue has at once at most; a higher one has to be bought as provisioned pollers",
    "the same page, and *Lambda parameters for Amazon SQS event source mappings*",
)  # fmt: skip
IN_FLIGHT = _fact(
    120_000,
    "messages of a queue received and not yet deleted, about",
    "SQS Developer Guide, *standard queue quotas*",
)
GETS = _fact(
    5500,
    "GET and HEAD a second for each partitioned prefix",
    "AWS re:Post Knowledge Center, *http-5xx-errors-s3*",
)
WRITES = _fact(3500, "PUT and DELETE a second for each partitioned prefix", "the same page")
PARTITION_OBJECTS = _fact(
    10_000_000, "objects for each partition that S3 has made of a bucket", f"{ASSUMED}: AWS states no figure"
)
TABLE_FIRST = _fact(4000, "writes a second of a new on-demand table", f"{DYNAMO}, *On-demand capacity mode*")
TABLE_DOUBLES = _fact(
    1800,
    "seconds until twice the last peak is allowed",
    "AWS re:Post Knowledge Center, *on-demand-table-throttling-dynamodb*",
)
TABLE_MOST = _fact(
    40_000, "writes a second of a table, and of an index (quota)", f"{DYNAMO}, *On-demand capacity mode*"
)
PARTITION_WRITES = _fact(
    1000,
    "writes a second of one partition, so of one item",
    "AWS re:Post Knowledge Center, *on-demand-table-throttling-dynamodb*",
)
MAP_MOST = _fact(
    10_000,
    "children of a Distributed Map at once",
    "Step Functions Developer Guide, *Map state in Distributed mode*",
)
TRANSITIONS = _fact(
    5000, "state transitions a second (us-east-1)",
    f"{ASSUMED}: the guide's *service quotas* have it, but no stored copy showed that table",
)  # fmt: skip
TRANSITION_DOLLARS = _fact(25e-6, "dollars a state transition", "*AWS Step Functions pricing*")
BATCH_STARTS = _fact(1000, "tasks a second of S3 Batch Operations", f"{ASSUMED}: AWS states no figure")
BATCH_JOB_DOLLARS = _fact(
    0.25, "dollars a job of S3 Batch Operations", "at second hand (Yelp's account of September 2025)"
)
BATCH_TASK_DOLLARS = _fact(
    1e-6, "dollars a task of it", f"{ASSUMED}: *Amazon S3 pricing*, from memory; no stored copy"
)

BANDWIDTH = _fact(
    75e6, "bytes a second from S3 to one run, whatever its memory",
    "no AWS page; 50 to 87 MB/s by a stored account of 2023; `backfill` reckons with 100",
)  # fmt: skip
READ_CPU = _fact(
    2.8e-9, "CPU seconds a byte read over TLS and hashed as v1",
    f"{MEASURED} (`create` of 1 GiB from nginx, 3.4 to 4.3 s, less 0.7 s of start)",
)  # fmt: skip
OBJECT_CPU = _fact(0.026, "CPU seconds an object takes besides", f"{MEASURED} (`make` against MiniStack)")
CHECKPOINT_CPU = _fact(
    0.011,
    "CPU seconds that the assembly takes for a checkpoint",
    f"{MEASURED}: 1 ms to read it, and three requests",
)
COLD_SECONDS = _fact(
    1.0, "seconds until a new run begins its work, paid for", f"{MEASURED} (bench/RESULTS.md, `zip`)"
)
INDEX_WRITES = _fact(
    3, "writes to the table's index an object, beside the 2 to the table: one and, moved, two",
    f"{DYNAMO}, *Global secondary indexes* (items of up to 1 KB; assumed)",
)  # fmt: skip
FEED = _fact(
    500,
    "objects a second that one `backfill --queue` sends: 10 in 20 ms, one request after the other",
    ASSUMED,
)
ROUND_TRIP = _fact(
    round(EACH_SECONDS / (HEADS + PUTS + STATUS_WRITES + 1), 3), "seconds a request takes",
    "`pipeline/backfill.py`: what an object takes besides, over its requests",
)  # fmt: skip
MEDIAN, SIGMA, LARGEST = 1 << 20, 2.0, 64 << 30
"""Sizes of many objects: log-normal, of so many bytes and that spread, cut off where fan-out begins."""


def table() -> str:
    """In Markdown."""
    lines = ["| figure | what | source |", "| ---: | --- | --- |"]
    lines += [f"| {_number(fact.value)} | {fact.what} | {fact.source} |" for fact in FACTS]
    lines += [f"| {price:g} | dollars: `{name}` | `pipeline/backfill.py` |" for name, price in PRICES.items()]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 and value == int(value) else f"{value:g}"
