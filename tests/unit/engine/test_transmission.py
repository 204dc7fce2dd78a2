"""The transmission engine: the same info-hash as ours, and a named error for everything a program can do wrong."""

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from s3torrent.engine import transmission
from s3torrent.engine.base import DOWNLOADING, Built
from s3torrent.engine.native import NativeEngine
from s3torrent.engine.program import find_program
from s3torrent.engine.transmission import TransmissionEngine
from s3torrent.errors import (
    BadName,
    ConfigError,
    EmptyContent,
    NoSpace,
    ObjectChanged,
    OutOfTime,
    ProgramFailed,
    ProgramMissing,
    S3TorrentError,
)
from s3torrent.metainfo import infohash
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.pipeline.content import object_content
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef

REAL = shutil.which("transmission-create")
needs_program = pytest.mark.skipif(
    not REAL, reason="transmission-create is not installed (apt: transmission-cli)"
)
BODY = bytes(range(256)) * 1000
HARD = "shows/é+ü & 100%.bin"


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore(chunk=50_000, now=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    store.create_bucket("bucket")
    return store


def build(store: Any, engine: Any, policy: TorrentPolicy, key: str = HARD, progress: Any = None) -> Built:
    content = object_content(store.head(ObjectRef("bucket", key)))
    return engine.build(content, policy, store, progress or (lambda *_: None))


def engine(program: Path | str | None, temporary: Path) -> TransmissionEngine:
    return TransmissionEngine(str(program) if program else None, temporary)


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def left_behind(folder: Path) -> list[Path]:
    return list(folder.glob("s3torrent-*"))


@needs_program
@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("piece_length", [16384, 65536, "auto"])
@pytest.mark.parametrize(
    "key", [HARD, "-o", "--help", "日本/日本.bin", "a b", "new\nline", "x" * 255, "dir/$(touch pwned)"]
)
def test_both_engines_give_one_torrent_byte_for_byte(
    store: MemoryStore, tmp_path: Path, key: str, piece_length: Any, private: bool
) -> None:
    store.upload(ObjectRef("bucket", key), BODY)
    policy = TorrentPolicy(
        piece_length=piece_length,
        private=private,
        write_private_zero=not private,
        trackers=(("http://t.example/announce",), ("udp://u.example:1",)),
        web_seeds=("https://cdn.example/{key}",),
        comment="C",
    )
    ours = build(store, NativeEngine(1), policy, key)
    theirs = build(store, engine(REAL, tmp_path), policy, key)
    assert infohash.v1(theirs.metainfo) == infohash.v1(ours.metainfo)
    assert theirs.metainfo.encode() == ours.metainfo.encode()
    assert theirs.metainfo.name == key.rsplit("/", 1)[-1]
    assert theirs.bytes_read == len(BODY)
    assert not left_behind(tmp_path)


@needs_program
def test_a_changed_object_is_never_a_torrent(store: MemoryStore, tmp_path: Path) -> None:
    version = store.upload(ObjectRef("bucket", HARD), BODY)
    failing = FailingStore(
        store, [Fault("read", after=100_000, does=lambda: store.upload(version.ref, BODY[::-1]))]
    )
    with pytest.raises(ObjectChanged):
        build(failing, engine(REAL, tmp_path), TorrentPolicy())
    assert not left_behind(tmp_path)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("echo cannot do it; exit 0", ProgramFailed, "cannot do it"),
        ("echo wrong >&2; exit 1", ProgramFailed, "wrong"),
        ('echo d8:announce > "$2"', ProgramFailed, "no valid torrent"),
        ("kill -9 $$", ProgramFailed, "signal 9"),
        ("exec /no/such/loader", ProgramMissing, "127"),
        ("yes | head -c 1000000", ProgramFailed, "y y y"),
        ("yes & echo last words; sleep 0.3", ProgramFailed, "y y y"),
        ("exec >&- 2>&-; sleep 0.3", ProgramFailed, "it printed: nothing"),
        (r"printf 'red \033[31m\007 \302\233x'", ProgramFailed, r"red \\x1b\[31m\\x07 \\x9bx$"),
        ('mkdir "$2"; echo made', ProgramFailed, "no torrent that can be read .Is a directory.*made"),
        ('truncate -s 100M "$2"', ProgramFailed, "left 104,857,600 bytes; a torrent has at most"),
    ],
)
def test_success_is_judged_by_the_torrent_not_by_the_exit_code(
    store: MemoryStore, tmp_path: Path, text: str, error: type[S3TorrentError], said: str
) -> None:
    store.upload(ObjectRef("bucket", HARD), BODY)
    with pytest.raises(error, match=said) as caught:
        build(store, engine(script(tmp_path, text), tmp_path), TorrentPolicy())
    assert len(caught.value.message) < 1000
    assert not left_behind(tmp_path)


@needs_program
def test_a_torrent_of_another_piece_length_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    """What 3.00 does with a -s it does not like: it takes another and says so in passing."""
    store.upload(ObjectRef("bucket", HARD), BODY)
    program = script(tmp_path, f'exec {REAL} -o "$2" -s 1024 "$5"')
    with pytest.raises(ProgramFailed, match=r"expected .*16384"):
        build(store, engine(program, tmp_path), TorrentPolicy(piece_length=16384))


@needs_program
@pytest.mark.parametrize("private", [False, True])
def test_a_torrent_with_another_private_flag_is_refused(
    store: MemoryStore, tmp_path: Path, private: bool
) -> None:
    """A program that drops -p would make a torrent for everybody; one that adds it, one for nobody."""
    store.upload(ObjectRef("bucket", HARD), BODY)
    given = "" if private else "-p -t http://t.example/announce"
    program = script(tmp_path, f'for source; do :; done; exec {REAL} -o "$2" -s "$4" {given} "$source"')
    with pytest.raises(ProgramFailed, match=rf"\(.*{not private}\); expected \(.*{private}\)"):
        build(store, engine(program, tmp_path), TorrentPolicy(piece_length=16384, private=private))


def test_what_it_prints_takes_no_space(store: MemoryStore, tmp_path: Path) -> None:
    store.upload(ObjectRef("bucket", HARD), BODY)
    with pytest.raises(ProgramFailed, match=r"printed: fifo$"):
        build(store, engine(script(tmp_path, "stat -Lc %F /dev/stdout"), tmp_path), TorrentPolicy())


def test_a_program_past_its_time_is_killed_with_all_it_started(store: MemoryStore, tmp_path: Path) -> None:
    store.upload(ObjectRef("bucket", HARD), BODY)
    pids = tmp_path / "pids"
    program = script(tmp_path, f"sleep 600 & echo $! $$ > {pids}; wait")

    def progress(done: int, phase: str = "") -> None:
        if phase != DOWNLOADING and pids.exists() and pids.read_text():
            raise OutOfTime("time is up")

    with pytest.raises(OutOfTime):
        build(store, engine(program, tmp_path), TorrentPolicy(), progress=progress)
    for pid in pids.read_text().split():
        wait_until_gone(int(pid))
    assert not left_behind(tmp_path)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} lives on")


def test_the_program_sees_none_of_our_environment(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    store.upload(ObjectRef("bucket", HARD), BODY)
    with pytest.raises(ProgramFailed) as caught:
        build(store, engine(script(tmp_path, "env; cat"), tmp_path), TorrentPolicy())
    assert "hidden" not in caught.value.message
    assert "LC_ALL=C.UTF-8" in caught.value.message


def test_a_folder_that_is_not_there_is_named_before_a_byte_is_read(
    store: MemoryStore, tmp_path: Path
) -> None:
    store.upload(ObjectRef("bucket", HARD), BODY)
    counting = FailingStore(store, [])
    with pytest.raises(NoSpace, match=r"the temporary folder .*nowhere is not there") as caught:
        build(counting, engine(script(tmp_path, "true"), tmp_path / "nowhere"), TorrentPolicy())
    assert "TMPDIR" in caught.value.hint
    assert counting.calls["read"] == 0


def test_space_is_looked_at_before_a_byte_is_read(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upload(ObjectRef("bucket", HARD), BODY)
    monkeypatch.setattr(transmission, "SPARE_BYTES", 1 << 60)
    counting = FailingStore(store, [])
    with pytest.raises(NoSpace, match="are free"):
        build(counting, engine(script(tmp_path, "true"), tmp_path), TorrentPolicy())
    assert counting.calls["read"] == 0


def test_a_disk_that_fills_up_is_named_and_cleaned_up(store: MemoryStore, tmp_path: Path) -> None:
    small = Path("/dev/full")
    if not small.exists():
        pytest.skip("no /dev/full on this system")
    store.upload(ObjectRef("bucket", HARD), BODY)
    full = engine(script(tmp_path, "true"), tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        real_open = Path.open
        patch.setattr(
            Path,
            "open",
            lambda self, mode="r", **told: real_open(
                small if mode == "xb" else self, "wb" if mode == "xb" else mode, **told
            ),
        )
        with pytest.raises(NoSpace, match="No space left"):
            build(store, full, TorrentPolicy())
    assert not left_behind(tmp_path)


def test_a_name_no_file_can_have_is_skipped(store: MemoryStore, tmp_path: Path) -> None:
    store.upload(ObjectRef("bucket", "ü" * 128), BODY)
    with pytest.raises(BadName, match="256 bytes"):
        build(store, engine(script(tmp_path, "true"), tmp_path), TorrentPolicy(), "ü" * 128)


def test_an_empty_object_has_no_torrent(store: MemoryStore, tmp_path: Path) -> None:
    store.upload(ObjectRef("bucket", HARD), b"")
    with pytest.raises(EmptyContent):
        build(store, engine(script(tmp_path, "true"), tmp_path), TorrentPolicy())


@pytest.mark.parametrize("policy", [TorrentPolicy(version="v2"), TorrentPolicy(source="S")])
def test_what_the_program_cannot_do_is_refused(
    store: MemoryStore, tmp_path: Path, policy: TorrentPolicy
) -> None:
    store.upload(ObjectRef("bucket", HARD), BODY)
    with pytest.raises(ConfigError):
        build(store, engine(script(tmp_path, "true"), tmp_path), policy)


def test_the_program_is_found_where_it_is_named_or_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = script(tmp_path, "true")
    assert find_program(str(program)) == str(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    program.rename(tmp_path / "transmission-create")
    assert find_program(None) == str(tmp_path / "transmission-create")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr("s3torrent.engine.program.LAYER_PATH", str(tmp_path / "transmission-create"))
    assert find_program(None) == str(tmp_path / "transmission-create")


@needs_program
def test_a_relative_program_is_found_though_it_runs_in_another_folder(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store.upload(ObjectRef("bucket", HARD), BODY)
    script(tmp_path, f'exec {REAL} "$@"')
    assert build(store, engine("./program", Path()), TorrentPolicy()).metainfo.size == len(BODY)
    (tmp_path / "program").rename(tmp_path / "transmission-create")
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert find_program(None) == str(tmp_path / "transmission-create")


@pytest.mark.parametrize("given", ["missing", "not-executable", "folder"])
def test_a_program_that_is_not_there_or_not_one_is_named(tmp_path: Path, given: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "not-executable").write_text("#!/bin/sh")
    (tmp_path / "not-executable").chmod(0o644)
    with pytest.raises(ProgramMissing, match="TRANSMISSION_CREATE is"):
        find_program(str(tmp_path / given))


def test_without_a_program_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("s3torrent.engine.program.LAYER_PATH", str(tmp_path / "transmission-create"))
    with pytest.raises(ProgramMissing, match="neither on PATH nor at"):
        find_program(None)
