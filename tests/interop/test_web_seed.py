"""Real clients download from the web seed alone: no tracker, no peer, no DHT; only the object in the bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libtorrent as lt
import pytest

from support.clients import CLIENTS, by_aria2, by_libtorrent, files_of, needs_aria2
from support.command import s3torrent
from support.reference import content
from support.trees import TREES, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.deployed import Deployed

pytest_plugins = ["support.fixtures"]
pytestmark = pytest.mark.stack

HARD_KEY = "shows/é+ü & 100%.bin"
BODY = content(300_001)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "downloaded"
    path.mkdir()
    return path


@pytest.mark.parametrize("client", CLIENTS)
def test_the_functions_torrent_of_a_hard_key(
    deployed: Deployed, folder: Path, client: Callable[[bytes, Path], None]
) -> None:
    bucket = deployed.bucket(versioned=False)
    deployed.client("s3").put_object(Bucket=bucket, Key=HARD_KEY, Body=BODY)
    deployed.invoke({"bucket": bucket, "key": HARD_KEY})
    torrent = deployed.torrent(bucket, HARD_KEY)
    where = f"{deployed.stack.endpoint}/{bucket}/shows/%C3%A9%2B%C3%BC%20%26%20100%25.bin"
    assert lt.bdecode(torrent)[b"url-list"] in (where.encode(), [where.encode()])
    client(torrent, folder)
    assert files_of(folder) == {"é+ü & 100%.bin": BODY}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_command_lines_torrent_of_a_directory(
    deployed: Deployed, tmp_path: Path, folder: Path, client: Callable[[bytes, Path], None]
) -> None:
    """v1, several files, unicode names, an empty file among them; the tree lies under the web seed's prefix."""
    tree = TREES["unicode"] | TREES["nested"] | {"empty": 0, "a b/100% + #1?.bin": 33_000}
    root = write_tree(tmp_path / "séries + more", tree)
    bucket, s3 = deployed.bucket(versioned=False), deployed.client("s3")
    for path, body in files_of(root).items():
        s3.put_object(Bucket=bucket, Key=f"{root.name}/{path}", Body=body)
    seed = f"{deployed.stack.endpoint}/{bucket}/"
    done = s3torrent("create", root, "-o", "-", "--web-seed", seed)
    assert (done.code, done.stderr) == (0, "")
    client(done.stdout, folder)
    assert files_of(folder / root.name) == files_of(root)


@pytest.mark.parametrize("version", ["v2", "hybrid"])
@pytest.mark.parametrize(
    "size", [16 * 16384, 300_001, 5000], ids=["whole pieces", "a last piece cut", "one piece cut"]
)
def test_a_v2_or_hybrid_torrent_of_an_object_by_libtorrent(
    deployed: Deployed, folder: Path, version: str, size: int
) -> None:
    """libtorrent 2.1 counts a pad of its own behind a v2 file whose last piece is cut, takes that for two files, and
    asks URL/NAME of a web seed that does not end in "/"; to one that does, it adds the name in either case. So a
    v2 torrent names the object's URL and its folder's.
    """
    bucket, endpoint, body = deployed.bucket(versioned=False), deployed.stack.endpoint, content(size)
    deployed.client("s3").put_object(Bucket=bucket, Key=HARD_KEY, Body=body)
    done = s3torrent(
        "create", f"s3://{bucket}/{HARD_KEY}", "-o", "-", "--torrent-version", version,
        "--web-seed", f"{endpoint}/{{bucket}}/{{key}}", endpoint=endpoint,
    )  # fmt: skip
    assert (done.code, done.stderr) == (0, "")
    hashes = lt.load_torrent_buffer(done.stdout).ti.info_hashes()
    assert (hashes.has_v1(), hashes.has_v2()) == (version == "hybrid", True)
    by_libtorrent(done.stdout, folder, some_seeds_fail=version == "v2")
    assert files_of(folder) == {"é+ü & 100%.bin": body}


@needs_aria2
def test_a_hybrid_torrent_of_an_object_by_aria2(deployed: Deployed, folder: Path) -> None:
    bucket, endpoint = deployed.bucket(versioned=False), deployed.stack.endpoint
    deployed.client("s3").put_object(Bucket=bucket, Key=HARD_KEY, Body=BODY)
    done = s3torrent(
        "create", f"s3://{bucket}/{HARD_KEY}", "-o", "-", "--torrent-version", "hybrid",
        "--web-seed", f"{endpoint}/{bucket}/shows/%C3%A9%2B%C3%BC%20%26%20100%25.bin", endpoint=endpoint,
    )  # fmt: skip
    by_aria2(done.stdout, folder)
    assert files_of(folder) == {"é+ü & 100%.bin": BODY}


def test_a_web_seed_that_serves_other_bytes_gives_no_download(deployed: Deployed, folder: Path) -> None:
    """libtorrent does judge: what passes above is not passed by anything."""
    bucket, s3 = deployed.bucket(versioned=False), deployed.client("s3")
    s3.put_object(Bucket=bucket, Key="a.bin", Body=BODY)
    deployed.invoke({"bucket": bucket, "key": "a.bin"})
    torrent = deployed.torrent(bucket, "a.bin")
    s3.put_object(Bucket=bucket, Key="a.bin", Body=BODY[:-1] + bytes([BODY[-1] ^ 1]))
    with pytest.raises(AssertionError, match="hash for piece 18 failed"):
        by_libtorrent(torrent, folder)
