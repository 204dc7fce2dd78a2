"""Scale on paper: how long the largest objects and buckets take, what that costs, and what holds it up.

    scale.py [--json | --write]

A model, no measurement: runs of the function begin as AWS lets them, each works through one task after
the other, and what the tasks ask of S3, DynamoDB and the queue is served in turn, no faster than each may.
How an object is cut, what it asks for and what that costs are the package's own constants; the rest is in
figures.py.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

import figures
from runs import Meter, Ran, Task, begins, simulate
from s3torrent.config import VARIABLES
from s3torrent.engine.cut import ranges_in
from s3torrent.engine.slices import slice_count
from s3torrent.hashing.layout import Layout
from s3torrent.metainfo.piece_length import choose
from s3torrent.pipeline.backfill import EACH_SECONDS, HEADS, PRICES, PUTS, QUEUE_CALLS, STATUS_WRITES
from s3torrent.pipeline.fanout import READERS
from s3torrent.pipeline.make import Maker
from s3torrent.pipeline.spread import LEASE_SECONDS
from s3torrent.status.changes import SHARDS
from s3torrent.time_left import END_MARGIN_MS

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).resolve().parents[1] / "docs/scale.md"
MARK = "<!-- what follows is printed by bench/scale.py -->\n\n"
MEMORIES = (512, 1769, 3538, 10_240)
CONCURRENCIES = (10, 100, 1000, 3000)
BUNDLES = 6000
"""Tasks that many objects are simulated as: some for each of the most runs."""
LARGE = {"5 TB in one object": 5 * 10**12, "48.8 TiB in one object": 10_000 * (5 << 30)}
MANY = {"10 million objects": 10_000_000, "1 billion objects": 1_000_000_000}
FEEDS = {"queue": 1, "queue, 8 feeds": 8}
"""How many `backfill --queue`, each of prefixes of its own, fill the queue."""
SERVICES = ("lambda", "s3", "dynamodb", "sqs", "stepFunctions", "batchOperations")


def rate(memory: int) -> float:
    """Bytes a second of one run: its share of a CPU, or its bandwidth."""
    return min(figures.BANDWIDTH, memory / figures.VCPU_MB / figures.READ_CPU)


def object_seconds(memory: int) -> float:
    """What an object takes besides its bytes: its requests, on one thread."""
    return EACH_SECONDS - figures.OBJECT_CPU + figures.OBJECT_CPU / min(1.0, memory / figures.VCPU_MB)


def table_meters(partitions: int = 1) -> dict[str, Meter]:
    """S3's of the bucket, and the table's."""
    first, doubles, most = figures.TABLE_FIRST, figures.TABLE_DOUBLES, figures.TABLE_MOST
    index = min(most, len(SHARDS) * figures.PARTITION_WRITES)
    return {
        "S3 reads": Meter(figures.GETS * partitions),
        "S3 writes": Meter(figures.WRITES * partitions),
        "table": Meter(first, most=most, doubles=doubles),
        "table's index": Meter(min(first, index), most=index, doubles=doubles),
    }


@dataclass
class Answer:
    """One row: what is done how, and what it takes."""

    what: str
    way: str
    memory: int
    concurrency: int
    seconds: float
    dollars: dict[str, float]
    runs: int
    held_by: str

    @property
    def total(self) -> float:
        return sum(self.dollars.values())

    def as_dict(self) -> dict[str, object]:
        dollars = {name: round(amount, 2) for name, amount in self.dollars.items()}
        told: dict[str, object] = {"what": self.what, "way": self.way, "memoryMb": self.memory}
        told |= {"concurrency": self.concurrency, "seconds": round(self.seconds), "runs": self.runs}
        return told | {"dollars": {**dollars, "total": round(self.total, 2)}, "heldBy": self.held_by}


def costs(
    memory: int, paid: float, runs: float, *, gets: float, puts: float, writes: float, **others: float
) -> dict[str, float]:
    """By service; ``writes`` to the table and its index, ``others`` in dollars."""
    return {
        "lambda": paid * memory / 1024 * PRICES["lambdaGbSecond"] + runs * PRICES["lambdaRequest"],
        "s3": gets * PRICES["s3Get"] + puts * PRICES["s3Put"],
        "dynamodb": writes * PRICES["dynamodbWrite"],
        **dict.fromkeys(SERVICES[3:], 0.0),
        **others,
    }


def holder(ran: Ran, moving: float, otherwise: str) -> str:
    """What the runs wait for most, where that is a hundredth of their time; else what they do most."""
    waited = max(ran.waits, key=ran.waits.__getitem__, default="")
    if waited and ran.waits[waited] > ran.paid / 100:
        return waited
    return "bandwidth" if moving > ran.paid / 2 else otherwise


def one_stream(what: str, size: int, memory: int) -> Answer:
    """Runs one after the other, each from the checkpoint of the last, through the queue."""
    work = figures.RUN_SECONDS - END_MARGIN_MS / 1000 - EACH_SECONDS
    runs = math.ceil(size / (work * rate(memory)))
    busy = size / runs / rate(memory)
    lease = float(VARIABLES["TORRENT_LEASE_SECONDS"][0])
    keeps, renewals = busy // Maker.checkpoint_seconds + 1, busy // (lease / 3)
    gets, puts = ranges_in(size) + runs * (HEADS + 2), runs * keeps + PUTS
    ran = simulate(runs, Task(busy + EACH_SECONDS, {}), [0.0], {})
    writes = runs * (STATUS_WRITES + figures.INDEX_WRITES + 3 * renewals)
    dollars = costs(
        memory, ran.paid, runs, gets=gets, puts=puts, writes=writes, sqs=runs * 3 * PRICES["sqsRequest"]
    )
    return Answer(
        what, "one stream", memory, 1, ran.wall, dollars, runs, holder(ran, busy * runs, "requests")
    )


def fan_out(what: str, size: int, memory: int, concurrency: int) -> Answer:
    """The state machine: plan, slices, assembly (terraform/backend/torrent-fanout.asl.json)."""
    slices = slice_count(large_layout(size))
    busy = size / slices / rate(memory)
    keeps, renewals = busy // Maker.checkpoint_seconds + 1, 1 + busy // (LEASE_SECONDS / 3)
    asked = {
        "S3 reads": ranges_in(size) / slices + 2,
        "S3 writes": keeps,
        "the status item": 2 * renewals,  # its place in the index is moved, by two writes to one partition
        "transitions": 4.0,  # the child, HashRange, Hashed, SliceDone
    }
    meters = table_meters() | {
        "the status item": Meter(figures.PARTITION_WRITES),
        "transitions": Meter(figures.TRANSITIONS, paid=False),
    }
    most = min(concurrency, int(figures.MAP_MOST))
    task = Task(busy + EACH_SECONDS, asked)
    ran = simulate(slices, task, begins(most, figures.BURST, figures.RAMP), meters)
    around = 2 * EACH_SECONDS + 2 * figures.COLD_SECONDS
    # HEAD, GET and DELETE of each checkpoint, by so many threads, and what they take of one CPU together.
    waiting, working = (
        3 * figures.ROUND_TRIP / READERS,
        figures.CHECKPOINT_CPU / min(1.0, memory / figures.VCPU_MB),
    )
    assembly = slices * max(waiting, working)
    wall = ran.wall + around + assembly
    dollars = costs(
        memory,
        ran.paid + around + assembly,
        slices + 3,
        gets=slices * (asked["S3 reads"] + 2) + 3 * HEADS,
        puts=slices * keeps + PUTS,
        writes=slices * 3 * renewals + 3 * (STATUS_WRITES + figures.INDEX_WRITES),
        stepFunctions=(slices * asked["transitions"] + 6) * figures.TRANSITION_DOLLARS,
    )
    held = "the assembly" if assembly > wall / 3 else holder(ran, busy * slices, "requests")
    return Answer(what, "fan-out", memory, concurrency, wall, dollars, slices + 3, held)


@cache
def large_layout(size: int) -> Layout:
    return Layout.of_files([size], choose(size, version="v1").piece_length, "v1")


@cache
def sizes() -> tuple[float, float]:
    """Bytes and ranges of an object in the mean: by powers of two of the size."""
    middle, spread = math.log(figures.MEDIAN), figures.SIGMA
    number, weight = NormalDist(middle, spread), NormalDist(middle + spread**2, spread)
    edges = [math.log(1 << power) for power in range(figures.LARGEST.bit_length())]
    objects = [number.cdf(high) - number.cdf(low) for low, high in pairwise(edges)]
    moved = [weight.cdf(high) - weight.cdf(low) for low, high in pairwise(edges)]
    each = math.exp(middle + spread**2 / 2)
    ranges = sum(
        share * ranges_in(round(each * heavy / share)) for share, heavy in zip(objects, moved, strict=True)
    )
    return each * sum(moved) / sum(objects), ranges / sum(objects)


def needs(way: str) -> dict[str, float]:
    """What an object asks of each meter."""
    asked = {"S3 reads": HEADS + sizes()[1], "S3 writes": float(PUTS), "table": float(STATUS_WRITES)}
    begun = "the feed" if way in FEEDS else "Batch Operations"
    return asked | {"table's index": figures.INDEX_WRITES, begun: 1.0}


@cache
def ran_many(way: str, count: int, seconds: float, concurrency: int) -> Ran:
    """``count`` objects of ``seconds`` each."""
    bundle = count / BUNDLES
    meters = table_meters(max(1, round(count / figures.PARTITION_OBJECTS)))
    if way in FEEDS:
        meters["the feed"] = Meter(figures.FEED * FEEDS[way], paid=False)
        starts = begins(concurrency, figures.QUEUE_BURST, figures.QUEUE_RAMP)
    else:
        meters["Batch Operations"] = Meter(figures.BATCH_STARTS, paid=False)
        starts = begins(concurrency, figures.BURST, figures.RAMP)
    takes = {name: units * bundle for name, units in needs(way).items()}
    return simulate(BUNDLES, Task(seconds * bundle, takes), starts, meters)


def many(way: str, what: str, count: int, memory: int, concurrency: int) -> Answer:
    """Objects of all sizes, one a run: through the queue, or by S3 Batch Operations."""
    moving = sizes()[0] / rate(memory)
    most = min(concurrency, int(figures.QUEUE_MOST)) if way in FEEDS else concurrency
    ran = ran_many(way, count, object_seconds(memory) + moving, most)
    asked = needs(way)
    others = {"sqs": count * QUEUE_CALLS * PRICES["sqsRequest"]}
    if way not in FEEDS:
        others = {"batchOperations": figures.BATCH_JOB_DOLLARS + count * figures.BATCH_TASK_DOLLARS}
    dollars = costs(
        memory,
        ran.paid,
        count,
        gets=asked["S3 reads"] * count,
        puts=asked["S3 writes"] * count,
        writes=(asked["table"] + asked["table's index"]) * count,
        **others,
    )
    held = holder(ran, moving * count, "requests of each object")
    if way in FEEDS and concurrency > figures.QUEUE_MOST and not ran.waits:
        held = "1,000 runs a queue"
    return Answer(what, way, memory, concurrency, ran.wall, dollars, count, held)


def answers(what: str) -> list[Answer]:
    """All ways to do it, with each memory size and concurrency."""
    found: list[Answer] = []
    ways: list[Callable[[int, int], Answer]] = []
    if what in LARGE:
        found += [one_stream(what, LARGE[what], memory) for memory in MEMORIES]
        ways = [partial(fan_out, what, LARGE[what])]
    else:
        ways = [partial(many, way, what, MANY[what]) for way in (*FEEDS, "S3 Batch Operations")]
    return found + [way(memory, most) for way in ways for memory in MEMORIES for most in CONCURRENCIES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="every row as JSON")
    parser.add_argument("--write", action="store_true", help="into docs/scale.md, behind its mark")
    asked = parser.parse_args()
    if asked.json:
        rows = [answer.as_dict() for what in (*LARGE, *MANY) for answer in answers(what)]
        json.dump(rows, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return
    from scale_tables import page

    printed = page({what: answers(what) for what in (*LARGE, *MANY)})
    if asked.write:
        head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
        PAGE.write_text(f"{head}{mark}{printed}", encoding="utf-8")
    else:
        sys.stdout.write(printed)


if __name__ == "__main__":
    main()
