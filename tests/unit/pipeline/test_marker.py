"""Where a backfill is: written down whole, and only gone on from by the same backfill."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from s3torrent.errors import UsageError
from s3torrent.pipeline.marker import EACH, Marker

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_written_now_and_then_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "marker"
    marker = Marker.read(str(path), "b", "p/", "keys x")
    assert marker.after == ""
    marker.moved("k\u00e9\n", EACH - 1)
    assert not path.exists()
    marker.moved("last", 1)
    assert Marker.read(str(path), "b", "p/", "keys x").after == "last"
    assert [one.name for one in tmp_path.iterdir()] == ["marker"]


def test_one_of_before_there_were_other_sources_is_of_a_listing(tmp_path: Path) -> None:
    path = tmp_path / "marker"
    path.write_text(json.dumps({"bucket": "b", "prefix": "", "after": "x"}))
    assert Marker.read(str(path), "b", "").after == "x"
    with pytest.raises(UsageError, match="from listing, not of s3://b/ from keys f"):
        Marker.read(str(path), "b", "", "keys f")


def test_one_of_other_filters_is_refused(tmp_path: Path) -> None:
    """Behind its place lies what these filters had left out."""
    path = str(tmp_path / "marker")
    Marker.read(path, "b", "", filters="include ('a*',)").write()
    assert Marker.read(path, "b", "", filters="include ('a*',)")
    with pytest.raises(UsageError, match=r"with other filters: include \('a\*',\); expected none"):
        Marker.read(path, "b", "")


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b'{"bucket": "b"}', b"\xff"])
def test_what_is_no_marker_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "marker"
    path.write_bytes(body)
    with pytest.raises(UsageError, match="is no marker of a backfill"):
        Marker.read(str(path), "b", "")


def test_where_it_cannot_be_written_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        Marker.read(str(tmp_path / "none" / "marker"), "b", "").write()


def test_without_a_file_nothing_is_kept() -> None:
    marker = Marker.read(None, "b", "")
    marker.moved("x", EACH)
    assert marker.after == "x"
