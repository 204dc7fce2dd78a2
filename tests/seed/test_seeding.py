"""The whole way, on loopback: a torrent below the prefix -> daemon -> web seed -> another client, by the tracker."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import libtorrent as lt
import pytest

from s3torrent.devstack.recheck import OFFLINE
from s3torrent.metainfo.infohash import v1
from s3torrent.metainfo.parse import parse
from support.command import s3torrent
from support.reference import content
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.stack

SECONDS = 60
HARD_KEY = "shows/é+ü & 100%.bin"
NAME = "é+ü & 100%.bin"
BODY = content(300_001)
ARIA2 = [
    "aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
    "--enable-peer-exchange=false", "--interface=127.0.0.1", "--seed-time=0", "--bt-stop-timeout=30",
    "--file-allocation=none",
]  # fmt: skip


def by_aria2(torrent: bytes, folder: Path) -> None:
    file = folder.with_suffix(".torrent")
    file.write_bytes(torrent)
    done = subprocess.run(
        [*ARIA2, f"--dir={folder}", file],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def by_libtorrent(torrent: bytes, folder: Path) -> None:
    parameters = lt.load_torrent_buffer(torrent)
    parameters.save_path = str(folder)
    settings: Any = OFFLINE | {"ssrf_mitigation": False, "alert_mask": lt.alert.category_t.all_categories}
    session = lt.session(settings)
    handle = session.add_torrent(parameters)
    said: list[str] = []
    deadline = time.monotonic() + SECONDS
    while not handle.status().is_seeding:
        session.wait_for_alert(100)
        said += (str(alert) for alert in session.pop_alerts() if not isinstance(alert, lt.stats_alert))
        assert time.monotonic() < deadline, "\n".join(said[-30:])
    handle.flush_cache()
    session.remove_torrent(handle)
    while not any(isinstance(alert, lt.torrent_removed_alert) for alert in session.pop_alerts()):
        session.wait_for_alert(100)
        assert time.monotonic() < deadline, "libtorrent did not let the torrent go"


def made(watch: Any, key: str, body: bytes, *options: str) -> tuple[bytes, str]:
    """The object's torrent, and its info-hash."""
    watch.stack.client("s3").put_object(Bucket=watch.bucket, Key=key, Body=body)
    done = s3torrent(
        "create", f"s3://{watch.bucket}/{key}", "-o", "-", *options, endpoint=watch.stack.endpoint
    )
    assert (done.code, done.stderr) == (0, "")
    return done.stdout, v1(parse(done.stdout)).hex()


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(
            by_aria2,
            id="aria2",
            marks=pytest.mark.skipif(
                not shutil.which("aria2c"), reason="aria2c is not installed (apt: aria2)"
            ),
        ),
        pytest.param(by_libtorrent, id="libtorrent"),
    ],
)
def test_the_daemon_fetches_from_the_web_seed_and_serves_who_asks_the_tracker(
    watch: Any, daemon: Any, tracker: Any, run_watch: Any, shared: Path, tmp_path: Path,
    client: Callable[[bytes, Path], None],
) -> None:  # fmt: skip
    """The second client knows no web seed, and the object is gone by then: the bytes are the daemon's."""
    options = ("--tracker", tracker.url)
    seed = f"{watch.stack.endpoint}/{{bucket}}/{{key}}"
    torrent, info_hash = made(watch, HARD_KEY, BODY, *options, "--web-seed", seed)
    without_web_seed, same = made(watch, HARD_KEY, BODY, *options)
    assert (same, b"url-list" in torrent, b"url-list" in without_web_seed) == (info_hash, True, False)
    assert b"not authorized" in tracker.announce(bytes.fromhex(info_hash))

    log = shared / "watch.log"
    settings = {
        "TRANSMISSION_RPC": daemon.rpc,
        "CONTENT_FOLDER": str(daemon.content),
        "TRACKER_LIST": str(tracker.list),
        "WATCH_SECONDS": "4",  # in which the tracker reads its list, however busy the machine is
    }
    with run_watch(log, **settings):
        watch.put(f"0123456789abcdef-{NAME}.torrent", torrent)
        state = daemon.seeds(info_hash)
        until(lambda: watch.copies(".added") == [torrent], log.read_text)
    assert (watch.folder.parent / "content", state["downloadedEver"] >= len(BODY)) == (daemon.content, True)
    (file,) = (path for path in daemon.content.rglob("*") if path.is_file())
    assert (file.name, file.read_bytes()) == (NAME, BODY)

    watch.stack.client("s3").delete_object(Bucket=watch.bucket, Key=HARD_KEY)
    folder = tmp_path / "downloaded"
    folder.mkdir()
    client(without_web_seed, folder)
    assert (folder / NAME).read_bytes() == BODY


def test_torrents_of_files_of_one_name_do_not_disturb_each_other(watch: Any, daemon: Any) -> None:
    seed = f"{watch.stack.endpoint}/{{bucket}}/{{key}}"
    bodies = {"a/index.bin": content(50_000, "a"), "b/index.bin": content(40_000, "b")}
    hashes = []
    for key, body in bodies.items():
        torrent, info_hash = made(watch, key, body, "--web-seed", seed)
        watch.put(f"{info_hash[:16]}-index.bin.torrent", torrent)
        hashes.append(info_hash)
    watch.once(TRANSMISSION_RPC=daemon.rpc, CONTENT_FOLDER=str(daemon.content))
    for info_hash in hashes:
        daemon.seeds(info_hash)
    files = [path.read_bytes() for path in daemon.content.rglob("index.bin")]
    assert sorted(files) == sorted(bodies.values())


def test_content_that_lies_there_is_seeded_without_a_download(watch: Any, daemon: Any) -> None:
    torrent, info_hash = made(watch, "movie.bin", BODY)
    (daemon.content / "movie.bin").write_bytes(BODY)
    watch.put("0-movie.bin.torrent", torrent)
    watch.once(TRANSMISSION_RPC=daemon.rpc, CONTENT_FOLDER=str(daemon.content), CONTENT_LAYOUT="flat")
    assert daemon.seeds(info_hash)["downloadedEver"] == 0


def test_a_file_that_is_no_torrent_is_refused_and_the_others_go_on(watch: Any, daemon: Any) -> None:
    torrent, info_hash = made(watch, "movie.bin", BODY)
    watch.put("a.torrent", b"no torrent")
    watch.put("b.torrent", torrent)
    watch.put("c.torrent", b"nor this")
    settings = {"TRANSMISSION_RPC": daemon.rpc, "CONTENT_FOLDER": str(daemon.content)}
    said = watch.once(code=1, **settings)
    assert said.count("transmission-daemon refuses") == 2
    assert "invalid or corrupt torrent file" in said
    assert watch.copies(".refused") == [b"no torrent", b"nor this"]
    assert watch.copies(".added") == [torrent]
    assert set(daemon.torrents()) == {info_hash}
    assert watch.once(**settings) == ""


def test_a_torrent_that_was_brought_while_the_daemon_was_away_is_handed_over_later(
    watch: Any, daemon: Any
) -> None:
    torrent, info_hash = made(watch, "movie.bin", BODY)
    watch.put("movie.torrent", torrent)
    watch.once(code=1)
    assert daemon.torrents() == {}
    watch.once(TRANSMISSION_RPC=daemon.rpc, CONTENT_FOLDER=str(daemon.content))
    assert set(daemon.torrents()) == {info_hash}
    assert watch.copies(".added") == [torrent]


def test_a_torrent_is_started_once_the_tracker_has_had_time_to_read_its_list(
    watch: Any, daemon: Any, shared: Path
) -> None:
    torrent, info_hash = made(watch, "movie.bin", BODY)
    watch.put("movie.torrent", torrent)
    known = shared / "info-hashes"
    settings = {
        "TRANSMISSION_RPC": daemon.rpc,
        "CONTENT_FOLDER": str(daemon.content),
        "TRACKER_LIST": str(known),
    }
    assert "is started by the next run" in watch.once(**settings)
    assert known.read_text() == f"{info_hash}\n"
    until(lambda: daemon.torrents()[info_hash]["status"] == 0, "the torrent checked, and stopped")
    watch.once(**settings)
    until(lambda: daemon.torrents()[info_hash]["status"] != 0, "the torrent started")
    assert known.read_text() == f"{info_hash}\n"


def test_the_tracker_serves_the_torrents_of_its_list_alone(tracker: Any) -> None:
    ours, other = bytes(range(20)), bytes(range(1, 21))
    assert b"not authorized" in tracker.announce(ours)
    with tracker.list.open("a") as known:
        known.write(f"{ours.hex()}\n")
    until(lambda: b"interval" in tracker.announce(ours), lambda: tracker.announce(ours))
    assert b"not authorized" in tracker.announce(other)


def test_the_tracker_ends_when_it_is_asked_to(tracker: Any) -> None:
    tracker.process.terminate()
    assert tracker.process.wait(timeout=20) == 0
    until(lambda: tracker.announce(bytes(20)) == b"", "a tracker that is gone")


def test_a_list_that_cannot_be_written_is_named(seed_script: Any) -> None:
    done = subprocess.run(
        [seed_script("tracker.sh")],
        env={"PATH": os.environ["PATH"], "TRACKER_LIST": "/nowhere/info-hashes"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert "TRACKER_LIST is '/nowhere/info-hashes'; expected a file that this user may write" in done.stderr
