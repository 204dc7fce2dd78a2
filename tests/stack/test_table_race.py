"""Many processes start at once against no table, on the embedded stack."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.ministack import ENVIRONMENT

if TYPE_CHECKING:
    from support.ministack import MiniStack

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

PROCESSES = 64
STARTED_TOGETHER = """
import os, sys
from datetime import UTC, datetime
from s3torrent.status.base import Claimed, Job
from s3torrent.types import ObjectRef, ObjectVersion
from s3torrent.wiring import Clients, status_store

table, processes = sys.argv[1], int(sys.argv[2])
ready_reader, ready = os.pipe()
held, go = os.pipe()
children = []
status = status_store(Clients(os.environ["AWS_ENDPOINT_URL"]), table)  # its connections come with the first call
for number in range(processes):
    if not (child := os.fork()):
        os.close(go)
        os.close(ready_reader)
        ref = ObjectRef("bucket", str(number))
        version = ObjectVersion(ref, None, "etag", 1, datetime.now(UTC))
        os.write(ready, b".")
        os.read(held, 1)  # the end of the pipe, for all at the same time
        claim = status.claim(Job(str(ref), version, "policy"), owner=str(number), lease_seconds=60)
        os._exit(0 if isinstance(claim, Claimed) else 3)
    children.append(child)
os.close(ready)
for _ in range(processes):
    assert os.read(ready_reader, 1), "a process ended before it began"
os.close(held)
os.close(go)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
sys.exit(f"exit codes: {codes}" if any(codes) else 0)
"""
"""Imports once, forks, and lets all go together. An exception ends a child with its traceback."""


def test_64_processes_make_one_table_and_no_error(ministack: MiniStack, own_table: str) -> None:
    """Each claims an object of its own first thing, and has it."""
    done = subprocess.run(
        [sys.executable, "-c", STARTED_TOGETHER, own_table, str(PROCESSES)],
        env={"PATH": os.defpath, **ENVIRONMENT, "AWS_ENDPOINT_URL": ministack.endpoint},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    client = ministack.client("dynamodb")
    names = [name for page in client.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    assert names.count(own_table) == 1
    items = client.scan(TableName=own_table, ConsistentRead=True)["Items"]
    assert sorted(int(item["key"]["S"]) for item in items) == list(range(PROCESSES))
    expiry = client.describe_time_to_live(TableName=own_table)["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "ENABLED"
