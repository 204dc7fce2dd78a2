"""Temporary folders: gone at the end, swept away after a killed process, and left alone while one lives."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from s3torrent.engine.base import Content, ContentFile
from s3torrent.engine.scratch import LOCK, PREFIX, scratch_folder, sweep, temporary_folder
from s3torrent.engine.transmission import TransmissionEngine
from s3torrent.errors import NoSpace, ProgramFailed
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef

HOLDER = """
import sys
from pathlib import Path
from s3torrent.engine.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "content").mkdir()
    (folder / "content" / "half").write_bytes(b"x" * 100_000)
    print(folder, flush=True)
    sys.stdin.read()
"""


def holder(temporary: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that holds a folder until it is killed or its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, temporary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, Path(process.stdout.readline().strip())


def ends(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)


def test_what_a_killed_process_left_goes_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    dead, left = holder(tmp_path)
    living, held = holder(tmp_path)
    try:
        dead.send_signal(signal.SIGKILL)
        ends(dead)
        assert left.name.startswith(PREFIX)
        assert (left / "content" / "half").exists()
        sweep(tmp_path)
        assert not left.exists()
        assert (held / "content" / "half").exists()
    finally:
        ends(living)
    assert not held.exists()


def test_a_folder_of_this_very_process_stays(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        sweep(tmp_path)
        assert folder.is_dir()
    assert not folder.exists()


def test_a_folder_that_is_just_being_made_stays(tmp_path: Path) -> None:
    """Between its making and its lock nobody holds it."""
    new = tmp_path / f"{PREFIX}new"
    new.mkdir()
    (new / f"{LOCK}.new").touch()
    sweep(tmp_path)
    assert new.is_dir()


def test_nothing_of_others_is_touched(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / "s3torrent-demo-1").mkdir()
    (tmp_path / "s3torrent-demo-1" / LOCK).touch()
    fifo = tmp_path / f"{PREFIX}fifo"
    fifo.mkdir()
    os.mkfifo(fifo / LOCK)  # opened to be written to, it would hang
    sweep(tmp_path)
    assert (elsewhere / LOCK).exists()
    assert (tmp_path / f"{PREFIX}file").exists()
    assert (tmp_path / "s3torrent-demo-1").is_dir()


def test_the_engine_sweeps_before_it_looks_for_space(tmp_path: Path) -> None:
    process, left = holder(tmp_path)
    process.kill()
    ends(process)
    store = MemoryStore()
    store.create_bucket("bucket")
    version = store.upload(ObjectRef("bucket", "key"), b"body")
    content = Content("key", (ContentFile(("key",), version),), single_file=True)
    engine = TransmissionEngine("/bin/true", tmp_path)
    with pytest.raises(ProgramFailed, match="left no torrent"):
        engine.build(content, TorrentPolicy(), store, lambda *_: None)
    assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_without_any_temporary_folder_the_mend_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(NoSpace, match="there is no temporary folder") as caught:
        temporary_folder(None)
    assert "TMPDIR" in caught.value.hint
    assert temporary_folder(tmp_path) == tmp_path
