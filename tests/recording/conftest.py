"""A bucket whose uploads wake the function, and a container that records into it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from recording.broadcast import Streams, make_streams
from recording.container import Container
from support.fixtures import deployed  # noqa: F401 - a fixture
from support.routes import s3_sqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.deployed import Deployed


@pytest.fixture(scope="session")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Streams:
    if not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg")
    return make_streams(tmp_path_factory.mktemp("streams"))


@pytest.fixture
def container(deployed: Deployed, tmp_path: Path) -> Iterator[Container]:  # noqa: F811 - as pytest has it
    bucket = deployed.bucket(versioned=True)
    s3_sqs(deployed, bucket)
    files = tmp_path / "disk"
    files.mkdir()
    made = Container(deployed, bucket, files)
    yield made
    made.clear()
