"""The board of the demo: what it shows of each upload, and when it says that something is wrong."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from s3torrent.devstack.board import Board, Upload
from s3torrent.errors import StackError
from s3torrent.status.base import COMPLETED, CREATING_TORRENT, FAILED, SKIPPED, StatusItem
from s3torrent.types import ObjectRef

AT = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ENDED = "2026-11-23T12:00:01.500Z"
HASH = "0123456789abcdef0123456789abcdef01234567"


class Followed:
    """One upload on a board, over a status table that the test writes."""

    def __init__(self, *, expected: str = COMPLETED, terminal: bool = False) -> None:
        self.table: dict[str, StatusItem] = {}
        self.out = io.StringIO()
        console = Console(
            file=self.out, force_terminal=terminal, width=120, color_system=None, _environ={"TERM": "xterm"}
        )
        self.board = Board(self.table.get, console)
        self.upload = Upload(ObjectRef("b", "k[1]"), "k[1]", 5, "v2", AT, expected)
        self.board.uploads.append(self.upload)

    def now(self, status: str, version_id: str | None = "v2", **attributes: Any) -> None:
        item = {"status": status, "versionId": version_id, "updatedAt": ENDED, **attributes}
        self.table["s3://b/k[1]"] = StatusItem(
            "s3://b/k[1]", {k: v for k, v in item.items() if v is not None}
        )
        self.board.poll()


def test_each_change_is_one_line_where_there_is_no_terminal() -> None:
    followed = Followed()
    with followed.board.shown():
        followed.board.poll()
        followed.now(CREATING_TORRENT)
        followed.now(CREATING_TORRENT)
        followed.now(COMPLETED, infoHashV1=HASH)
    assert [line.split() for line in followed.out.getvalue().splitlines()] == [
        ["CREATING_TORRENT", "k[1]", "5", "bytes"],
        ["COMPLETED", "k[1]", "5", "bytes", "1.5", "s", HASH],
    ]


def test_on_a_terminal_the_whole_table_is_shown() -> None:
    followed = Followed(terminal=True)
    with followed.board.shown():
        followed.now(COMPLETED, infoHashV1=HASH)
    last = followed.out.getvalue().rpartition("Object")[2].splitlines()[1]
    assert last.split() == ["k[1]", "5", "bytes", COMPLETED, "1.5", "s", HASH]


def test_the_item_of_the_version_before_is_not_taken_for_this_one() -> None:
    followed = Followed()
    followed.now(COMPLETED, version_id="v1", infoHashV1=HASH)
    assert not followed.board.done
    followed.now(COMPLETED, infoHashV1=HASH)
    assert followed.board.done


def test_a_v2_torrent_shows_its_own_info_hash() -> None:
    followed = Followed()
    followed.now(COMPLETED, infoHashV2=HASH + "89abcdef" * 3)
    assert followed.upload.told == HASH + "89abcdef" * 3


def test_a_skip_that_was_expected_shows_its_reason() -> None:
    followed = Followed(expected=SKIPPED)
    followed.now(SKIPPED, reason="it is empty", version_id=None)
    assert followed.board.done
    assert "it is empty" in followed.out.getvalue()


@pytest.mark.parametrize(
    ("expected", "status"),
    [(COMPLETED, FAILED), (COMPLETED, SKIPPED), (SKIPPED, COMPLETED), (SKIPPED, FAILED)],
)
def test_another_end_than_the_expected_is_an_error_with_reason_and_hint(expected: str, status: str) -> None:
    followed = Followed(expected=expected)
    with pytest.raises(
        StackError, match=rf"k\[1\] ended as {status}, expected {expected}: no room"
    ) as caught:
        followed.now(status, reason="no room", error={"hint": "make room"})
    assert caught.value.hint == "make room"
