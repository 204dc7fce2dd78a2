"""Deletions on the embedded stack: real events, versions and delete markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.deployed import deployed_on
from support.reference import content
from support.routes import s3_sqs
from support.waiting import until

if TYPE_CHECKING:
    from support.deployed import Deployed
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

KEY = "shows/é+ü & 100%.bin"


@pytest.fixture(scope="module")
def removing(ministack: MiniStack) -> Deployed:
    """The function with TORRENT_ON_DELETE=remove."""
    return deployed_on(ministack, S3_BUCKET="", TORRENT_ON_DELETE="remove")


def uploaded(deployed: Deployed, *, versioned: bool) -> str:
    bucket = deployed.bucket(versioned=versioned)
    s3_sqs(deployed, bucket)
    deployed.client("s3").put_object(Bucket=bucket, Key=KEY, Body=content(5000))
    deployed.ended(bucket, KEY, "COMPLETED")
    return bucket


@pytest.mark.parametrize("versioned", [False, True])
def test_the_torrent_stays_and_the_status_tells(deployed: Deployed, versioned: bool) -> None:
    bucket = uploaded(deployed, versioned=versioned)
    deployed.client("s3").delete_object(Bucket=bucket, Key=KEY)
    item = deployed.ended(bucket, KEY, "DELETED")
    assert item["torrentKey"] == f"{KEY}.torrent"
    assert deployed.keys(bucket) == {f"{KEY}.torrent"}


@pytest.mark.parametrize("versioned", [False, True])
def test_the_torrent_goes_where_that_is_wanted_and_comes_back(
    removing: Deployed,
    versioned: bool,
) -> None:
    """Undeleting (removing the delete marker) or uploading again brings it back."""
    s3 = removing.client("s3")
    bucket = uploaded(removing, versioned=versioned)
    marker = s3.delete_object(Bucket=bucket, Key=KEY).get("VersionId")
    until(lambda: not removing.keys(bucket), "the torrent is removed")
    removing.ended(bucket, KEY, "DELETED")
    if versioned:
        s3.delete_object(Bucket=bucket, Key=KEY, VersionId=marker)
    else:
        s3.put_object(Bucket=bucket, Key=KEY, Body=content(5000))
    removing.ended(bucket, KEY, "COMPLETED")
    assert removing.keys(bucket) == {KEY, f"{KEY}.torrent"}


def test_somebody_s_own_torrent_never_goes(removing: Deployed) -> None:
    s3 = removing.client("s3")
    bucket = removing.bucket(versioned=False)
    s3.put_object(Bucket=bucket, Key=f"{KEY}.torrent", Body=b"theirs")
    s3_sqs(removing, bucket)
    s3.put_object(Bucket=bucket, Key=KEY, Body=content(5000))
    removing.ended(bucket, KEY, "SKIPPED")
    s3.delete_object(Bucket=bucket, Key=KEY)
    removing.ended(bucket, KEY, "DELETED")
    assert removing.torrent(bucket, KEY) == b"theirs"
