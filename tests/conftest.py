"""What every test may ask for: the embedded stack, and fresh names on it."""

from __future__ import annotations

import os
import signal
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from support.ministack import MiniStack

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shell without job control starts what it puts into the background with SIGINT ignored, and children inherit
# that; the tests interrupt theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def _no_account() -> Iterator[None]:
    """No test sees the AWS settings of the machine it runs on."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def ministack(_no_account: None) -> Iterator[MiniStack]:
    """One MiniStack for the session (for each worker of xdist); its state is shared, so use fresh names."""
    with MiniStack() as stack:
        yield stack


@pytest.fixture
def bucket(ministack: MiniStack) -> str:
    """A fresh, empty, unversioned bucket."""
    name = f"test-{uuid.uuid4().hex[:20]}"
    ministack.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def versioned_bucket(ministack: MiniStack, bucket: str) -> str:
    """A fresh, empty bucket with versioning enabled."""
    ministack.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


@pytest.fixture
def table_name() -> str:
    """The name of a table that does not exist yet."""
    return f"test-{uuid.uuid4().hex[:20]}"
