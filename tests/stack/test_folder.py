"""A folder's own torrent on the embedded stack: from events, through delayed messages of the real queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libtorrent
import pytest

from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from support.deployed import deployed_on
from support.routes import s3_sqs
from support.waiting import until

if TYPE_CHECKING:
    from s3torrent.metainfo.model import Metainfo
    from support.deployed import Deployed
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

FOLDER = "shows/é+ü & 100%/"
TORRENT = "shows/é+ü & 100%.torrent"


@pytest.fixture(scope="module")
def folders(ministack: MiniStack) -> Deployed:
    return deployed_on(
        ministack, S3_BUCKET="", TORRENT_PREFIX_RULES="shows/*/", TORRENT_PREFIX_QUIET_SECONDS="2"
    )


def test_it_is_made_once_the_folder_is_quiet_and_anew_when_it_has_changed(folders: Deployed) -> None:
    """One torrent of all that lies below; the next names the one before."""
    s3 = folders.client("s3")
    bucket = folders.bucket(versioned=False)
    s3_sqs(folders, bucket)

    def torrent_of(*names: str) -> Metainfo | None:
        if TORRENT not in folders.keys(bucket):
            return None
        made = parse(s3.get_object(Bucket=bucket, Key=TORRENT)["Body"].read())
        return made if sorted(map(str, made.files)) == sorted(names) else None

    for name in ("1.mkv", "extras/2.mkv"):
        s3.put_object(Bucket=bucket, Key=FOLDER + name, Body=name.encode() * 1000)
    s3.put_object(Bucket=bucket, Key="shows/alone.mkv", Body=b"alone")
    first = until(lambda: torrent_of("1.mkv", "extras/2.mkv"), "the folder has its torrent", seconds=60)
    s3.put_object(Bucket=bucket, Key=FOLDER + "3.mkv", Body=b"3" * 1000)
    second = until(lambda: torrent_of("1.mkv", "extras/2.mkv", "3.mkv"), "the torrent follows", seconds=60)
    assert second.top[b"similar"] == [infohash.v1(first)]
    judged = libtorrent.torrent_info(second.encode())
    assert judged.num_files() == 3
    assert folders.ended(bucket, FOLDER, "COMPLETED")["torrentKey"] == TORRENT
    until(
        lambda: {f"{FOLDER}3.mkv.torrent", "shows/alone.mkv.torrent"} <= folders.keys(bucket),
        "each object has its own, too",
    )
