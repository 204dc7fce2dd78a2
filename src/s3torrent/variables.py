"""Every variable of the environment that the function reads: its default and its meaning in a line."""

from __future__ import annotations

VARIABLES: dict[str, tuple[str, str]] = {
    "S3_BUCKET": ("", "Only this bucket's events are taken; empty: the bucket of the event"),
    "DDB_TABLE": ("", "DynamoDB table of the status items; required by the function, made where missing"),
    "TRACKERS": ("", "Announce URLs, comma-separated; each is a tier of its own"),
    "AWS_ENDPOINT_URL": ("", "Endpoint of a local stack, such as http://127.0.0.1:4566; empty: AWS"),
    "TORRENT_ENGINE": ("native", "`native`, or `transmission`: the program transmission-create (v1 only)"),
    "TRANSMISSION_CREATE": ("", "Path of transmission-create; empty: found on PATH or in /opt/bin"),
    "TORRENT_VERSION": ("v1", "`v1`, `v2` or `hybrid`"),
    "TORRENT_PIECE_LENGTH": ("auto", "`auto`, `by-size`, or a power of two from `16KiB` to `128MiB`"),
    "TORRENT_PRIVATE": ("0", "`1` writes `private` into the info dict (BEP 27), `write-0` writes it as 0"),
    "TORRENT_SOURCE": ("", "`source` in the info dict; changes the info-hash"),
    "TORRENT_COMMENT": ("", "Comment, outside the info dict"),
    "TORRENT_WEB_SEEDS": (
        "",
        "URL templates with `{key}` and, if wanted, `{bucket}`; comma-separated (BEP 19)",
    ),
    "TORRENT_CHECK_SEEDS": (
        "0",
        "`1` tries the web seeds of each torrent before it is published; the status item tells",
    ),
    "TORRENT_INCLUDE": ("", "Glob patterns over the whole key, comma-separated; empty: every key"),
    "TORRENT_EXCLUDE": ("", "Glob patterns over the whole key, comma-separated; wins over include"),
    "TORRENT_CONTROL_PREFIX": (".s3torrent/", "Keys below it are ours alone and get no torrent"),
    "TORRENT_ON_DELETE": (
        "keep",
        "`keep` or `remove` our torrent of an object that was deleted; `remove` needs s3:ListBucket",
    ),
    "TORRENT_WATCH_PREFIX": (
        "",
        "A second copy of each .torrent goes below it, for a seeding client (docs/seeding.md); empty: none",
    ),
    "TORRENT_CATALOG": (
        "",
        "s3://BUCKET/PREFIX where a catalogue of S3_BUCKET is kept up to date (docs/catalog.md); empty: none",
    ),
    "TORRENT_CATALOG_URL": ("", "Where that catalogue is found by people; its feed needs it"),
    "TORRENT_CATALOG_TITLE": ("", "Its heading; empty: the bucket's name"),
    "TORRENT_CATALOG_FILES": (
        "",
        "Where the bucket's objects are found, such as https://cdn.example.org/{key}; for links to .torrents",
    ),
    "TORRENT_PREFIX_RULES": (
        "",
        "Folders that get a torrent of their own, such as `shows/*/`; `*` matches no `/`; comma-separated",
    ),
    "TORRENT_PREFIX_QUIET_SECONDS": (
        "600",
        "How long nothing changes in such a folder before its torrent is made",
    ),
    "TORRENT_REQUEST_PAYER": ("0", "`1` agrees to pay for requests and transfer (requester-pays buckets)"),
    "TORRENT_LEASE_SECONDS": ("60", "How long a worker that fell silent keeps others from its object"),
    "TORRENT_CHECKPOINT_SECONDS": (
        "20",
        "How often what is hashed of a large object is kept for the next try; 0: after each range",
    ),
    "TORRENT_FANOUT_STATE_MACHINE": (
        "",
        "ARN of the state machine that the largest objects are handed to; empty: none are",
    ),
    "TORRENT_FANOUT_THRESHOLD": (
        "64GiB",
        "From that much to read on an object is handed over: a number of bytes, KiB, MiB, GiB or TiB",
    ),
    "TORRENT_THREADS": (
        "auto",
        "Connections for one object, 1 to 64; `auto`: 8, in Lambda 1 per 128 MB of memory, 4 to 16",
    ),
    "TORRENT_LOG_LEVEL": ("INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`"),
}
