"""Fixtures around the deployed function; a module asks for them by ``pytest_plugins = ["support.fixtures"]``."""

from __future__ import annotations

import contextlib
import zipfile
from typing import TYPE_CHECKING

import pytest

from s3torrent.devstack.package import build_zip
from support.deployed import Deployed, deployed_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.ministack import MiniStack


@pytest.fixture(scope="session")
def deployed(ministack: MiniStack) -> Deployed:
    """The function; each object's web seed is its own address on MiniStack."""
    seeds = f"{ministack.endpoint}/{{bucket}}/{{key}}"
    # A held event comes back when the lease ends: tests do not wait a minute for it.
    return deployed_on(ministack, S3_BUCKET="", TORRENT_WEB_SEEDS=seeds, TORRENT_LEASE_SECONDS="10")


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked function zip."""
    folder = tmp_path_factory.mktemp("function")
    with zipfile.ZipFile(build_zip(folder / "function.zip")) as archive:
        archive.extractall(folder / "code")
    return folder / "code"


@pytest.fixture
def own_table(ministack: MiniStack, table_name: str) -> Iterator[str]:
    """The name of a table that the test may make or have made; gone afterwards."""
    yield table_name
    client = ministack.client("dynamodb")
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=table_name)
