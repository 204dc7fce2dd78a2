"""What a person sees of a backfill while it runs."""

from __future__ import annotations

import io
import re
import sys

import pytest

from s3torrent.cli.progress import objects_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, total: int | None) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with objects_bar("s3://movies/shows/", total) as moved:
        for number in range(1, 1235):
            moved(number, number * 10)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


@pytest.mark.parametrize("total", [None, 20_000])
def test_on_a_terminal_objects_rate_and_time(monkeypatch: pytest.MonkeyPatch, total: int | None) -> None:
    """Of a listing the time that went by, as nobody knows its end; of a list the time that is left."""
    seen = shown(monkeypatch, Terminal(), total)
    assert re.search(r"s3://movies/shows/ .* 1,234 objects [\d,]+/s \d:\d\d:\d\d", seen), seen[-400:]


def test_elsewhere_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, io.StringIO(), 20_000) == ""
