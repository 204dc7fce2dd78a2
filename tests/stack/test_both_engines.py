"""Both engines through the whole chain: upload, queue, function, torrent; the layer's own program where it is built."""

import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from s3torrent.metainfo import infohash
from s3torrent.metainfo.parse import parse
from support.deployed import deployed_on
from support.ministack import MiniStack
from support.routes import s3_sqs

pytestmark = pytest.mark.stack

PROGRAM = shutil.which("transmission-create")
ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "terraform/backend/lambda/transmission_tools_layer.zip"
HARD_KEY = "shows/é+ü & 100%.bin"
BODY = bytes(range(256)) * 3000
COMMON = {
    "S3_BUCKET": "",
    "TORRENT_PRIVATE": "write-0",
    "TORRENT_PIECE_LENGTH": "64KiB",
    "TRACKERS": "udp://t.example:1337",
}

needs_program = pytest.mark.skipif(
    not PROGRAM, reason="transmission-create is not installed (apt: transmission-cli)"
)


def torrent_by(stack: MiniStack, key: str, **environment: str) -> tuple[Any, dict[str, Any]]:
    deployed = deployed_on(stack, **COMMON, **environment)
    bucket = deployed.bucket(versioned=False)
    s3_sqs(deployed, bucket)
    deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=BODY)
    item = deployed.ended(bucket, key, "COMPLETED")
    return parse(deployed.torrent(bucket, key)), item


@needs_program
def test_both_engines_give_the_same_info_hash_and_the_objects_base_name(ministack: MiniStack) -> None:
    native, native_item = torrent_by(ministack, HARD_KEY)
    other, other_item = torrent_by(
        ministack, HARD_KEY, TORRENT_ENGINE="transmission", TRANSMISSION_CREATE=str(PROGRAM)
    )
    assert infohash.v1(other) == infohash.v1(native)
    assert other.name == native.name == "é+ü & 100%.bin"
    assert (native_item["engine"], other_item["engine"]) == ("native", "transmission")
    assert other_item["infoHashV1"] == native_item["infoHashV1"] == infohash.v1(native).hex()
    assert native_item["bytesRead"] == other_item["bytesRead"] == len(BODY)


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer, unpacked: MiniStack has no /opt, so the function is told where its program lies."""
    archive = tmp_path_factory.mktemp("layer") / "layer.zip"
    if LAYER.exists():
        archive = LAYER
    else:
        built = subprocess.run(
            [ROOT / "util/build-transmission-lambda-layer.sh", "--output", archive],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if built.returncode:
            pytest.skip(f"the layer could not be built here: {built.stderr.strip().splitlines()[-1]}")
    folder = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            Path(opened.extract(info, folder)).chmod(info.external_attr >> 16 or 0o755)
    return folder


def test_the_layers_own_program_gives_the_same_info_hash(ministack: MiniStack, layer: Path) -> None:
    native, _ = torrent_by(ministack, HARD_KEY)
    program = str(layer / "bin/transmission-create")
    other, _ = torrent_by(ministack, HARD_KEY, TORRENT_ENGINE="transmission", TRANSMISSION_CREATE=program)
    assert infohash.v1(other) == infohash.v1(native)


def test_without_its_program_the_function_says_what_is_missing_and_the_event_comes_back(
    ministack: MiniStack,
) -> None:
    deployed = deployed_on(
        ministack, S3_BUCKET="", TORRENT_ENGINE="transmission", TRANSMISSION_CREATE="/no/such/program"
    )
    bucket = deployed.bucket(versioned=False)
    s3_sqs(deployed, bucket)
    deployed.client("s3").put_object(Bucket=bucket, Key="k", Body=BODY)
    error = deployed.ended(bucket, "k", "FAILED")["error"]
    assert (error["type"], error["retryable"]) == ("ProgramMissing", False)
    assert "/no/such/program" in error["message"]
    assert "layer" in error["hint"]
