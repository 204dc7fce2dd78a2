"""The store that fails on purpose fails exactly where its plan says."""

from __future__ import annotations

import pytest

from s3torrent.errors import (
    Archived,
    NoSuchObject,
    ObjectChanged,
    ObjectGone,
    ReadInterrupted,
    Throttled,
    WriteConflict,
)
from s3torrent.store.failing import FailingStore, Fault
from s3torrent.store.memory import MemoryStore
from s3torrent.types import ObjectRef, ObjectVersion

REF = ObjectRef("b", "a.bin")
CONTENT = bytes(range(100))


@pytest.fixture
def memory() -> MemoryStore:
    store = MemoryStore(chunk=30)
    store.create_bucket("b")
    return store


@pytest.fixture
def version(memory: MemoryStore) -> ObjectVersion:
    return memory.upload(REF, CONTENT)


def read_until_error(store: FailingStore, version: ObjectVersion, start: int = 0, end: int = 100) -> bytes:
    """What came before the error, which is chained to it."""
    got = b""
    try:
        for chunk in store.read(version, start, end):
            got += bytes(chunk)
    except Exception as error:
        error.add_note(got.hex())
        raise
    return got


@pytest.mark.parametrize("after", [0, 1, 29, 30, 31, 60, 99, 100])
def test_a_read_breaks_after_exactly_its_bytes(memory: MemoryStore, version: ObjectVersion, after: int):
    """Also in the middle of a chunk, before the first and after the last byte."""
    store = FailingStore(memory, [Fault("read", after=after, error=ReadInterrupted("cut"))])
    with pytest.raises(ReadInterrupted) as caught:
        read_until_error(store, version)
    assert bytes.fromhex(caught.value.__notes__[0]) == CONTENT[:after]
    assert read_until_error(store, version) == CONTENT


def test_several_faults_strike_one_read_in_order_of_their_bytes(memory: MemoryStore, version: ObjectVersion):
    """The plan need not be sorted."""
    struck: list[int] = []
    plan = [
        Fault("read", after=after, does=lambda after=after: struck.append(after))
        for after in (70, 10, 10, 35)
    ]
    assert read_until_error(FailingStore(memory, plan), version) == CONTENT
    assert struck == [10, 10, 35, 70]


@pytest.mark.parametrize("operation", ["head", "get", "put"])
def test_the_kth_call_fails(memory: MemoryStore, version: ObjectVersion, operation: str):
    """The second here; the first and the third pass."""
    store = FailingStore(memory, [Fault(operation, call=2, error=Throttled("503"))])
    call = {
        "head": lambda: store.head(REF),
        "get": lambda: store.get(REF, 100),
        "put": lambda: store.put(
            REF, CONTENT, replaces=memory.head(REF).version, content_type="x", metadata={}
        ),
    }[operation]
    call()
    with pytest.raises(Throttled):
        call()
    call()
    assert store.calls[operation] == 3


def test_every_call_fails(memory: MemoryStore):
    """With call=None."""
    store = FailingStore(memory, [Fault("head", call=None, error=Throttled("503"))])
    for _ in range(3):
        with pytest.raises(Throttled):
            store.head(REF)


def test_an_object_changed_or_deleted_while_it_is_read(memory: MemoryStore, version: ObjectVersion):
    """What ``does`` does to the object, the reader meets at its next chunk."""
    change = Fault("read", after=30, does=lambda: memory.upload(REF, CONTENT[::-1]))
    with pytest.raises(ObjectChanged):
        read_until_error(FailingStore(memory, [change]), version)
    version = memory.upload(REF, CONTENT)
    with pytest.raises(ObjectGone):
        read_until_error(
            FailingStore(memory, [Fault("read", after=30, does=lambda: memory.delete(REF))]), version
        )


def test_another_writer_between_head_and_put(memory: MemoryStore):
    """The put that follows conflicts."""
    store = FailingStore(memory, [Fault("put", does=lambda: memory.upload(REF, b"theirs"))])
    with pytest.raises(WriteConflict):
        store.put(REF, b"ours", replaces=None, content_type="x", metadata={})


class TestMemoryStore:
    def test_chunks_have_the_length_asked_for(self, memory: MemoryStore, version: ObjectVersion):
        """And the last is shorter."""
        assert [len(chunk) for chunk in memory.read(version, 5, 100)] == [30, 30, 30, 5]

    def test_an_archived_object_cannot_be_read(self, memory: MemoryStore):
        """HEAD works and tells the class."""
        version = memory.upload(REF, CONTENT, storage_class="DEEP_ARCHIVE", metadata={"a": "b"})
        head = memory.head(REF)
        assert (head.storage_class, head.metadata) == ("DEEP_ARCHIVE", {"a": "b"})
        with pytest.raises(Archived):
            list(memory.read(version, 0, 1))

    def test_deleting_what_is_not_there_is_no_error(self, memory: MemoryStore):
        """As with S3."""
        memory.delete(REF)
        with pytest.raises(NoSuchObject):
            memory.head(REF)
