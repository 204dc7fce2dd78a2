"""The mend of what an audit found, where there is one: the same ``make`` as for an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.errors import NotTorrentable, S3TorrentError
from s3torrent.pipeline.findings import Kind
from s3torrent.status.base import COMPLETED, DELETED
from s3torrent.types import DIRECT, TorrentRequest

if TYPE_CHECKING:
    from s3torrent.pipeline.findings import Finding
    from s3torrent.pipeline.make import Maker

GONE = "ObjectRemoved:Delete"


def mend(finding: Finding, maker: Maker) -> str:
    """What is still wrong, "" where it was mended. A file that is not ours is never touched.

    An object that is gone is taken as if its deletion had been told: its torrent goes where TORRENT_ON_DELETE
    is ``remove``, and is kept, and noted, where it is ``keep``.
    """
    if finding.kind is Kind.FOREIGN:
        return "never touched: move or delete it yourself"
    try:
        request = TorrentRequest(finding.ref, event=GONE if finding.gone else DIRECT)
        outcome = maker.make(request, anew=finding.anew)
    except NotTorrentable as error:
        return error.message
    except S3TorrentError as error:
        return f"{error.message}; {error.hint}" if error.hint else error.message
    return "" if outcome.status in (COMPLETED, DELETED) else outcome.reason
