"""Write docs/costs.md from the price table of ``backfill --dry-run``: ``python docs/make_costs.py``. A test compares."""

from pathlib import Path

from s3torrent.engine.cut import ranges_in
from s3torrent.pipeline.backfill import (
    EACH_SECONDS,
    HEADS,
    PRICES,
    PUTS,
    QUEUE_CALLS,
    RATE,
    STATUS_WRITES,
    Tally,
)

MEMORIES = (512, 1769)
GB = 10**9
"""As transfer is sold."""
EGRESS = 0.09
"""US dollars a GB out to the internet, of the first 10 TB a month. See the sources on the page."""
INDEX_WRITES = 3
"""Of an object, to the table's index: bench/figures.py has where it comes from."""
FROM_PEERS = (0.0, 0.5, 0.9, 0.99)
MIB, GIB = 1 << 20, 1 << 30
EXAMPLES = (
    ("a recording of 1 GiB, downloaded 100 times", 1, GIB, 100),
    ("a data set of 100 GiB, downloaded 50 times", 1, 100 * GIB, 50),
    ("a million objects of 100 KiB, each downloaded 3 times", 1_000_000, 100 << 10, 3),
)

HEAD = """# Costs

What a torrent costs to make, what a download costs with it and without, and where the one pays for the other. Everything here is computed by `docs/make_costs.py` from the constants of the code
(`pipeline/backfill.py`, the same that `s3torrent backfill --dry-run` reckons with) and the prices below. **Nothing was measured on a bill, and the prices were not checked against today's list**: look them up for
your region before you decide.

## To make one torrent

An object of any size, through the queue, costs these requests ([how they are served](scale.md)):

| what | how many | dollars |
|---|---:|---:|
{requests}
and one GET for each range that is read: 8 to 64 MiB each, so {ranges}.

Lambda is paid by the memory it has, for as long as it runs: {each:g} s for the requests, and a second for each {rate} MB. More memory does not make it quicker as long as the
transfer from S3 is what it waits for ([scale](scale.md#what-comes-of-it)), so `memory_mb = 512` is the cheapest for v1; Terraform's default is 1,769 MB, one vCPU. Reading from S3 within a region costs no transfer.

| object | GET requests | GB-seconds, 512 MB | dollars, 512 MB | dollars, 1,769 MB |
|---|---:|---:|---:|---:|
{makes}
- **Nothing to read**: where S3 holds the SHA-1 of each piece ([ADR 15](adr/0015-zero-read.md)), or `s3torrent put` or the recorder made the torrent, nothing of the object is fetched. The function then takes the first table's requests at most, one more for each 1,000 parts, and {each:g} s.
- **The index** of the table takes up to {index} more writes an object, which `--dry-run` leaves out: {index_dollars} for a million objects. [Scale](scale.md) counts them.
- **A large object by fan-out** costs the same Lambda time and up to a dollar of state transitions ([scale](scale.md#the-tables)). How [v2 and hybrid](../bench/README.md) compare in CPU time is in the benchmarks; what that makes in Lambda was not measured.
- **What stays**: the .torrent lies in S3 (20 to 40 kB for most objects, [at most 10 MB](piece-length.md)), the status item in DynamoDB, a line in the log. The dashboard and six alarms cost what CloudWatch takes for them. These are not in the tables.
- Failures and repeats, the second in which a new run of the function begins, the free tiers and rebates are left out, too.

## What a download costs

Without BitTorrent, each download is the whole object out of S3. With it, downloaders serve each other, and S3 serves, as web seed, what they do not get from each other:

    dollars without  =  downloads x size x price
    dollars with     =  downloads x size x (1 - p) x price  +  the torrent

`p` is the share of all downloaded bytes that comes from other downloaders or from seeders of yours. Somebody has to have each byte first, so at least one whole copy leaves S3: `p` is at most `1 - 1/downloads`, unless a seeder of
yours has the content already. (A seeder elsewhere that fetches it from S3 pays for that one copy.) So the number of copies that S3 sends out is `downloads x (1 - p)`, and never below one.

**`p` is not promised, and was not measured.** It depends on how many download at the same time, how long their clients go on seeding, whether a tracker or the DHT brings them together, and on how
each client divides its requests between peers and web seeds. With nobody else in the swarm `p` is 0, and the torrent costs its making and saves nothing. In private torrents the trackers alone bring peers together (BEP 27).

The web seed's own GETs are left out: at one for each piece they are {web_gets} for a GiB in pieces of 1 MiB, beside {web_bytes} for its bytes. What clients ask for at a time was not measured.

{examples}
## Break-even

A torrent pays as soon as peers carry `cost of the torrent / price` bytes, once, of all downloads together:

| object | its torrent, 512 MB | paid for by | which is |
|---|---:|---:|---:|
{breakeven}
So for large objects the torrent is a small part of one download, and for small ones it costs about as much as one or more whole downloads: below about {tiny} the torrent of one object (at 512 MB) costs more than a download of it.
Make one torrent of a whole folder of small objects instead (`prefix_rules`, [deploy](deploy.md#one-torrent-for-a-folder)), or leave them out (`TORRENT_INCLUDE`, `TORRENT_EXCLUDE`).

## Other ways to save

A CDN before S3 changes the price in all of these, not the formula: use its price a GB, and web seeds that name it. A [seeder](seeding.md) on a machine with unmetered transfer has `p` near 1 for its
own clients, and costs that machine.

## The prices

US dollars in us-east-1, x86 functions, on-demand tables, as AWS listed them in 2025; the note in `pipeline/backfill.py` says the same.

| price | of | dollars |
|---|---|---:|
{prices}
Transfer out: the first 10 TB of a month, at list, decimal GB. The first 100 GB a month of an account are free and the price falls above 10 TB ($0.085 to 50 TB, $0.07 to 150 TB, $0.05 above); the tables leave
out both. AWS's own page showed no numbers in the stored copy that was looked at on 2026-11-24, so this is at second hand:
[leanopstech.com, April 2026](https://leanopstech.com/blog/aws-data-transfer-pricing-2026/), [cloud-cost-557.pages.dev, June 2026](https://cloud-cost-557.pages.dev/blog/estimate-aws-data-transfer-bill/) and
[thenegotiationexperts.com](https://thenegotiationexperts.com/blog/aws-egress-data-transfer-cost-negotiation/) agree on them.
"""

MEANINGS = {
    "lambdaGbSecond": "a GB of a function's memory for a second",
    "lambdaRequest": "a run of the function",
    "s3Get": "GET, HEAD",
    "s3Put": "PUT, LIST",
    "dynamodbWrite": "a write of up to 1 KB",
    "sqsRequest": "send, receive or delete",
}


def dollars(amount: float) -> str:
    """Three digits, never in powers of ten: ``$0.00000512``, ``$1,330``."""
    if amount >= 1000:
        return f"${amount:,.0f}"
    if amount >= 1:
        return f"${amount:,.2f}"
    digits = 2
    while digits < 12 and round(amount, digits) < 10 ** (2 - digits):
        digits += 1
    return f"${amount:.{digits}f}"


def binary(size: float) -> str:
    """``100 GiB``, ``1.5 MiB``."""
    for name, unit in (("TiB", 1 << 40), ("GiB", GIB), ("MiB", MIB), ("KiB", 1 << 10)):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes"


def amount(number: float) -> str:
    """Three digits: ``0.151``, ``5,498``."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def tally(count: int, size: int) -> Tally:
    return Tally(wanted=count, bytes=count * size, ranges=count * ranges_in(size))


def requests() -> str:
    counted = (
        ("HEAD of the object, of its torrent, and of the object again", HEADS, "s3Get"),
        ("PUT of the .torrent", PUTS, "s3Put"),
        ("writes of the status item: claimed, COMPLETED", STATUS_WRITES, "dynamodbWrite"),
        ("SQS: sent in tens, received and deleted one by one", QUEUE_CALLS, "sqsRequest"),
        ("runs of the function", 1, "lambdaRequest"),
    )
    lines = [f"| {what} | {count:g} | {dollars(count * PRICES[price])} |\n" for what, count, price in counted]
    total = sum(count * PRICES[price] for _, count, price in counted)
    return "".join(lines) + f"| **all of these** | | **{dollars(total)}** |\n"


def makes() -> str:
    rows = []
    for size in (100 << 10, MIB, 100 * MIB, GIB, 10 * GIB, 100 * GIB, 1 << 40):
        one = tally(1, size)
        cost = " | ".join(dollars(one.dollars(memory)) for memory in MEMORIES)
        rows.append(f"| {binary(size)} | {one.ranges:,} | {amount(one.seconds() * 512 / 1024)} | {cost} |\n")
    return "".join(rows)


def examples() -> str:
    parts = []
    for what, count, size, downloads in EXAMPLES:
        moved = count * size * downloads
        making = tally(count, size).dollars(MEMORIES[0])
        most = 1 - 1 / downloads
        without = moved / GB * EGRESS
        parts.append(
            f"**{what[0].upper()}{what[1:]}**: {moved / GB:,.0f} GB, {dollars(without)} without. "
            f"Torrents (512 MB): {dollars(making)}.\n\n"
            "| from peers, p | S3 sends out | dollars with | saved |\n|---:|---:|---:|---:|\n"
        )
        for share in [*(one for one in FROM_PEERS if one < most), most]:
            sent = moved * (1 - share)
            total = sent / GB * EGRESS + making
            told = f"{share:.0%}" if share < most else f"{share:.3g} (the most)"
            parts.append(f"| {told} | {sent / GB:,.1f} GB | {dollars(total)} | {signed(without - total)} |\n")
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def signed(amount: float) -> str:
    return dollars(amount) if amount >= 0 else f"-{dollars(-amount)}"


def breakeven() -> str:
    rows = []
    for size in (100 << 10, MIB, 100 * MIB, GIB, 100 * GIB):
        making = tally(1, size).dollars(MEMORIES[0])
        moved = making / EGRESS * GB
        share = moved / size
        told = f"{share:.1%} of one download" if share < 1 else f"{share:.2g} whole downloads"
        rows.append(f"| {binary(size)} | {dollars(making)} | {binary(moved)} | {told} |\n")
    return "".join(rows)


def tiny() -> str:
    """The size at which a torrent costs what a download does."""
    low, high = 1, GIB
    while low < high:
        middle = (low + high) // 2
        if tally(1, middle).dollars(MEMORIES[0]) > middle / GB * EGRESS:
            low = middle + 1
        else:
            high = middle
    return binary(round(low, -3))


def prices() -> str:
    rows = [
        f"| `{name}` | {MEANINGS[name]} | {price:.10f}".rstrip("0") + " |\n" for name, price in PRICES.items()
    ]
    return "".join(rows) + f"| `egress` | a GB out to the internet | {EGRESS} |\n"


def page() -> str:
    counts = [f"{ranges_in(size):,} for {binary(size)}" for size in (MIB, GIB, 100 * GIB, 1 << 40)]
    return HEAD.format(
        requests=requests(),
        ranges=", ".join(counts),
        each=EACH_SECONDS,
        rate=f"{RATE // 10**6}",
        makes=makes(),
        index=INDEX_WRITES,
        index_dollars=dollars(INDEX_WRITES * PRICES["dynamodbWrite"] * 10**6),
        examples=examples(),
        web_gets=dollars(GIB / MIB * PRICES["s3Get"]),
        web_bytes=dollars(GIB / GB * EGRESS),
        breakeven=breakeven(),
        tiny=tiny(),
        prices=prices(),
    )


if __name__ == "__main__":
    Path(__file__).with_name("costs.md").write_text(page())
