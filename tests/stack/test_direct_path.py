"""put on the embedded stack: real S3, real table, the function live and woken by every upload."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import libtorrent as lt
import pytest

from s3torrent.devstack.recheck import recheck
from s3torrent.engine.native import NativeEngine
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.build import build_object
from s3torrent.pipeline.put import put
from s3torrent.pipeline.upload import Uploader
from s3torrent.status.dynamodb import DynamoStatus
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.local import LocalStore
from s3torrent.store.s3_upload import S3UploadStore
from s3torrent.types import ObjectRef
from s3torrent.wiring import clock
from support.command import PROGRAM, s3torrent
from support.cutting_proxy import CuttingProxy
from support.meddling_proxy import MeddlingProxy, Moment
from support.ministack import ENVIRONMENT
from support.reference import content
from support.routes import s3_sqs
from support.uploading import silent
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.deployed import Deployed

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

MIB = 1 << 20
PART = 8 * MIB
SIZE = 3 * PART + 4321
KEY = "shows/é+ü & 100%.mkv"
LEASE_SECONDS = 5


@pytest.fixture
def bucket(deployed: Deployed) -> str:
    """Versioned, its uploads wake the function."""
    name = deployed.bucket(versioned=True)
    s3_sqs(deployed, name)
    return name


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mkv"
    path.write_bytes(content(SIZE))
    return path


def settings(deployed: Deployed, endpoint: str | None = None) -> dict[str, str]:
    """Those of the function, so that both make one torrent."""
    return {
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": endpoint or deployed.stack.endpoint,
        "DDB_TABLE": deployed.table,
        "TORRENT_WEB_SEEDS": f"{deployed.stack.endpoint}/{{bucket}}/{{key}}",
        "TORRENT_LEASE_SECONDS": str(LEASE_SECONDS),
    }


def put_film(deployed: Deployed, film: Path, bucket: str, *options: str, endpoint: str | None = None) -> Any:
    return s3torrent("put", film, f"s3://{bucket}/{KEY}", *options, env=settings(deployed, endpoint))


def judged(deployed: Deployed, bucket: str, body: bytes, folder: Path) -> Any:
    """What libtorrent reads of the torrent, once it has found the content good."""
    info = lt.torrent_info(deployed.torrent(bucket, KEY))
    folder.mkdir()
    (folder / info.name()).write_bytes(body)
    assert recheck(deployed.torrent(bucket, KEY), folder) == info.num_pieces()
    return info


def unfinished(deployed: Deployed, bucket: str) -> list[Any]:
    return deployed.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", [])


def object_of(deployed: Deployed, bucket: str) -> bytes:
    return deployed.client("s3").get_object(Bucket=bucket, Key=KEY)["Body"].read()


def test_one_reading_makes_object_and_torrent(
    deployed: Deployed, bucket: str, film: Path, tmp_path: Path
) -> None:
    """COMPLETED, libtorrent likes it, its pieces are the parts, and the function read nothing."""
    done = put_film(deployed, film, bucket, "--json")
    assert done.code == 0, done.stderr
    told = json.loads(done.stdout)
    item = deployed.ended(bucket, KEY, "COMPLETED")
    assert told["infoHashV1"] == item["infoHashV1"]
    assert (item["bytesRead"], item["leaseOwner"].partition("/")[0]) == (0, "local")
    info = judged(deployed, bucket, content(SIZE), tmp_path / "judge")
    assert (info.name(), info.piece_length(), info.num_pieces()) == ("é+ü & 100%.mkv", PART, 4)
    until(lambda: _function_saw(deployed, bucket), "the function sees that the work is done")
    assert len(deployed.writes_of_torrent(bucket, KEY)) == 1


def _function_saw(deployed: Deployed, bucket: str) -> bool:
    lines = [line for line in deployed.stack.log.splitlines() if json.dumps(f"s3://{bucket}/{KEY}") in line]
    return any('"reason": "done before"' in line for line in lines)


def test_what_lies_there_is_replaced_only_with_force(deployed: Deployed, bucket: str, film: Path) -> None:
    """Exit code 2, and nothing changed; with --force the new one has its own torrent."""
    assert put_film(deployed, film, bucket).code == 0
    film.write_bytes(content(SIZE, "second"))
    refused = put_film(deployed, film, bucket)
    assert (refused.code, object_of(deployed, bucket)) == (2, content(SIZE))
    assert "--force" in refused.stderr
    assert put_film(deployed, film, bucket, "--force").code == 0
    assert object_of(deployed, bucket) == content(SIZE, "second")
    verified = s3torrent(
        "verify", f"s3://{bucket}/{KEY}.torrent", f"s3://{bucket}/{KEY}", endpoint=deployed.stack.endpoint
    )
    assert verified.code == 0


def test_a_network_that_breaks_in_the_middle_of_parts(deployed: Deployed, bucket: str, film: Path) -> None:
    """Cut five times, and refused twice after each: the same object and torrent all the same."""
    cuts = [2 * MIB, 7 * MIB, 15 * MIB, 21 * MIB, 30 * MIB]
    with CuttingProxy(deployed.stack.endpoint, cuts, down=2) as proxy:
        done = put_film(deployed, film, bucket, "--json", endpoint=proxy.endpoint)
        assert (done.code, proxy.struck) == (0, 5), done.stderr
    assert object_of(deployed, bucket) == content(SIZE)
    whole = put_film(deployed, film, deployed.bucket(versioned=False), "--json")
    assert json.loads(done.stdout)["infoHashV1"] == json.loads(whole.stdout)["infoHashV1"]


def test_two_puts_of_one_file_at_once(deployed: Deployed, bucket: str, film: Path) -> None:
    """Both end well with one object and one torrent, and no parts are left to be paid for."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: put_film(deployed, film, bucket), range(2)))
    codes = sorted(done.code for done in both)
    assert codes in ([0, 0], [0, 2], [0, 4]), both
    assert object_of(deployed, bucket) == content(SIZE)
    assert unfinished(deployed, bucket) == []
    deployed.ended(bucket, KEY, "COMPLETED")
    assert len(deployed.writes_of_torrent(bucket, KEY)) == 1


BEFORE = {
    "the first part": Moment("PUT", "", 1),
    "the third part": Moment("PUT", "", 3),
    "the last part": Moment("PUT", "", 4),
}
AFTER = {
    "its completion is on its way": Moment("POST", "", 2),
    "it is completed": Moment("HEAD", "", 2),
}


def killed_at(deployed: Deployed, film: Path, bucket: str, moment: Moment, suffix: str = "") -> None:
    """SIGKILL, just before that request of the uploader goes on to S3."""
    with MeddlingProxy(deployed.stack.endpoint) as proxy:
        process = subprocess.Popen(
            [PROGRAM, "put", film, f"s3://{bucket}/{KEY}"],
            env={"PATH": os.defpath, "LANG": "C.UTF-8", **settings(deployed, proxy.endpoint)},
            stderr=subprocess.PIPE,
        )
        proxy.at(
            replace(moment, path=f"/{bucket}/{KEY}{suffix}"), lambda: process.send_signal(signal.SIGKILL)
        )
        _, said = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, said
        assert proxy.pending == []


@pytest.mark.parametrize("moment", BEFORE)
def test_killed_before_it_is_complete(deployed: Deployed, bucket: str, film: Path, moment: str) -> None:
    """Nothing is to be seen, no torrent of a half object; the same command again goes on where it ended."""
    killed_at(deployed, film, bucket, BEFORE[moment])
    assert deployed.keys(bucket) == set()
    [upload] = unfinished(deployed, bucket)
    done = put_film(deployed, film, bucket)
    assert done.code == 0, done.stderr
    assert object_of(deployed, bucket) == content(SIZE)
    assert unfinished(deployed, bucket) == []
    assert upload["Key"] == KEY
    assert deployed.ended(bucket, KEY, "COMPLETED")["bytesRead"] == 0


@pytest.mark.parametrize("moment", [*AFTER, "the torrent is on its way"])
def test_killed_after_the_upload(
    deployed: Deployed, bucket: str, film: Path, tmp_path: Path, moment: str
) -> None:
    """The event finishes it, as soon as the lease has run out, with the very torrent that was to be."""
    if moment in AFTER:
        killed_at(deployed, film, bucket, AFTER[moment])
    else:
        killed_at(deployed, film, bucket, Moment("PUT", "", 1), ".torrent")
    item = deployed.ended(bucket, KEY, "COMPLETED")
    assert item["pieceLength"] == PART
    judged(deployed, bucket, content(SIZE), tmp_path / "judge")
    assert len(deployed.writes_of_torrent(bucket, KEY)) == 1


def test_a_hundred_races(deployed: Deployed, bucket: str, tmp_path: Path) -> None:
    """Recorder against function, slowed down at random steps, some with no lease at all: one torrent, right."""
    s3 = S3UploadStore(deployed.client("s3"))
    status = DynamoStatus(deployed.client("dynamodb"), deployed.table, clock)
    policy = TorrentPolicy(web_seeds=(settings(deployed)["TORRENT_WEB_SEEDS"],))
    local, dice = LocalStore(), random.Random(7)

    def race(number: int) -> ObjectRef:
        path = tmp_path / f"{number}.mkv"
        path.write_bytes(content(150_000 + number, str(number)))
        slow = [
            Fault(step, call=call, does=partial(time.sleep, dice.uniform(0, 0.2)))
            for step, call in (("complete_upload", 1), ("head", 3), ("put", 1))
        ]
        uploader = Uploader(
            store=FailingStore(s3, slow),
            status=status,
            policy=policy,
            owner=f"racer-{number}",
            lease_seconds=dice.choice([0.0, 0.05, 60.0]),
            threads=2,
            smallest_part=64 * 1024,
        )
        ref = ObjectRef(bucket, f"races/{number}.mkv")
        version = local.head(ObjectRef("", str(path))).version
        put(uploader, version, local, ref, progress=silent)
        return ref

    with ThreadPoolExecutor(4) as pool:
        refs = list(pool.map(race, range(100)))
    for ref in refs:
        deployed.ended(bucket, ref.key, "COMPLETED")
        right = build_object(s3.head(ref), policy, NativeEngine(1), s3, silent).metainfo.encode()
        assert deployed.torrent(bucket, ref.key) == right
        assert len(deployed.writes_of_torrent(bucket, ref.key)) == 1
