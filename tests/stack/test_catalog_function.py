"""The function keeps a catalogue up to date: from events, through a delayed message of the real queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from s3torrent.catalog import duty, manifest
from support.deployed import deployed_on
from support.routes import s3_sqs
from support.waiting import until

if TYPE_CHECKING:
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack


def test_a_torrent_is_in_the_catalogue_a_minute_later_and_leaves_it_with_its_object(
    ministack: MiniStack, bucket: str
) -> None:
    """Of the catalogue's own files there are no torrents, although each of them is an event. A run says first what
    it is about to change: what it names then is true when the run is over.
    """
    deployed = deployed_on(
        ministack, S3_BUCKET=bucket, TORRENT_CATALOG=f"s3://{bucket}/catalog", TORRENT_ON_DELETE="remove"
    )
    s3_sqs(deployed, bucket)
    s3 = deployed.client("s3")

    def listed() -> list[str] | None:
        if "catalog/catalog.json" not in deployed.keys(bucket):
            return None
        body = s3.get_object(Bucket=bucket, Key="catalog/catalog.json")["Body"].read()
        written = manifest.decode(body)
        assert written is not None
        return None if written.in_work else sorted(entry.key for entry in manifest.newest(body))

    for key in ("one", "two <b>"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    seconds = duty.WAIT_SECONDS + 60
    until(lambda: listed() == ["one", "two <b>"], "both are listed", seconds=seconds)
    s3.delete_object(Bucket=bucket, Key="one")
    until(lambda: listed() == ["two <b>"], "the one that was deleted is gone", seconds=seconds)
    keys = deployed.keys(bucket)
    assert not [key for key in keys if key.startswith("catalog/") and key.endswith(".torrent")]
    assert len([key for key in keys if key.startswith("catalog/t/")]) == 1
    assert deployed.ended(bucket, "catalog/", "COMPLETED")["reason"] == "1 torrents"
