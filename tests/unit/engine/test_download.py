"""The download of the transmission engine: ended by whoever waits for it, though not a byte arrives."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from s3torrent.engine.base import DOWNLOADING, Content, ContentFile
from s3torrent.engine.download import download
from s3torrent.engine.transmission import TransmissionEngine
from s3torrent.errors import NoSpace, OutOfTime, ReadInterrupted, S3TorrentError
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, ObjectVersion
from support.waiting import until

BODY = bytes(range(256)) * 1000
CHUNK = 50_000
STALLED_AT = 2 * CHUNK
SECONDS = 20
"""How long a stalled read lasts where nothing ends it: far more than any beat."""


@pytest.fixture
def memory() -> MemoryStore:
    memory = MemoryStore(chunk=CHUNK, now=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    memory.create_bucket("bucket")
    return memory


@pytest.fixture
def version(memory: MemoryStore) -> ObjectVersion:
    return memory.upload(ObjectRef("bucket", "key"), BODY)


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    """Set at the end at the latest, and the threads of the test are seen off."""
    event = threading.Event()
    yield event
    event.set()
    until(lambda: not downloads(), "the end of the download's thread")


def downloads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "download"]


def stalled(memory: MemoryStore, go_on: threading.Event, *, gone_on: list[bool]) -> FailingStore:
    def wait() -> None:
        gone_on.append(go_on.wait(SECONDS))

    return FailingStore(memory, [Fault("read", after=STALLED_AT, does=wait)])


def test_the_bytes_are_the_objects_and_the_last_word_is_all_of_them(
    memory: MemoryStore, version: ObjectVersion, tmp_path: Path
) -> None:
    told: list[tuple[int, str]] = []
    download(version, memory, tmp_path / "content" / "key", lambda *args: told.append(args))
    assert (tmp_path / "content" / "key").read_bytes() == BODY
    assert told[-1] == (len(BODY), DOWNLOADING)


def test_a_deadline_ends_a_download_in_which_nothing_arrives(
    memory: MemoryStore, version: ObjectVersion, tmp_path: Path, go_on: threading.Event
) -> None:
    gone_on: list[bool] = []
    told: list[int] = []

    def progress(done: int, phase: str = "", /) -> None:
        told.append(done)
        if told.count(STALLED_AT) == 2:  # once may be on its arrival
            raise OutOfTime("time is up")

    target = tmp_path / "content" / "key"
    with pytest.raises(OutOfTime):
        download(version, stalled(memory, go_on, gone_on=gone_on), target, progress)
    assert not gone_on, "the download was waited for, not ended"
    assert target.stat().st_size == 0, "the space is not had back"
    go_on.set()
    until(lambda: not downloads(), "the end of the download's thread")
    assert target.stat().st_size == 0, "a download that was given up wrote on"


def test_the_engine_ends_at_its_deadline_and_leaves_nothing_while_the_download_still_hangs(
    memory: MemoryStore, version: ObjectVersion, tmp_path: Path, go_on: threading.Event
) -> None:
    gone_on: list[bool] = []
    ticks: list[int] = []

    def progress(done: int, phase: str = "", /) -> None:
        ticks.append(done)
        if len(ticks) > STALLED_AT / CHUNK:  # one for each chunk that came, and one more
            raise OutOfTime("time is up")

    content = Content("key", (ContentFile(("key",), version),), single_file=True)
    engine = TransmissionEngine("/bin/true", tmp_path)
    with pytest.raises(OutOfTime):
        engine.build(content, TorrentPolicy(), stalled(memory, go_on, gone_on=gone_on), progress)
    assert not gone_on, "the download was waited for, not ended"
    assert list(tmp_path.iterdir()) == []
    go_on.set()
    until(lambda: not downloads(), "the end of the download's thread")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ReadInterrupted("broken"), RuntimeError("a defect")])
def test_what_the_reader_raises_is_raised(
    memory: MemoryStore, version: ObjectVersion, tmp_path: Path, error: Exception
) -> None:
    def strike() -> None:
        raise error

    failing = FailingStore(memory, [Fault("read", after=STALLED_AT, does=strike)])
    with pytest.raises(type(error)) as caught:
        download(version, failing, tmp_path / "content" / "key", lambda *_: None)
    assert caught.value is error


def test_a_place_that_cannot_be_written_is_a_typed_error(
    memory: MemoryStore, version: ObjectVersion, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoSpace, match=r"could not be written below .*: Not a directory") as caught:
        download(version, memory, tmp_path / "file" / "content" / "key", lambda *_: None)
    assert isinstance(caught.value, S3TorrentError)
