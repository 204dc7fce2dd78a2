"""``make`` once, in a process that can be killed: ``one_make.py BUCKET KEY``, the settings as the function has them.

``ONE_MAKE_RANGE_BYTES`` and ``ONE_MAKE_LEASE_SECONDS`` are for the tests alone: small ranges, short leases.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from s3torrent import config, wiring
from s3torrent.engine import cut
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.pipeline.outcome import Outcome


def one_make(bucket: str, key: str, environ: Mapping[str, str]) -> Outcome:
    maker = wiring.maker(config.from_environment(environ))
    maker = replace(maker, lease_seconds=float(environ["ONE_MAKE_LEASE_SECONDS"]))
    return maker.make(TorrentRequest(ObjectRef(bucket, key), event="ObjectCreated:Put"))


def shorten_ranges(environ: Mapping[str, str]) -> None:
    cut.LEAST_RANGE = cut.MOST_RANGE = int(environ["ONE_MAKE_RANGE_BYTES"])


if __name__ == "__main__":
    shorten_ranges(os.environ)
    one_make(sys.argv[1], sys.argv[2], os.environ)
