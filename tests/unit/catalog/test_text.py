"""Names of strangers and plain numbers, as they are shown."""

import pytest

from s3torrent.catalog.text import date_text, instant_text, parts, seen, size_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1280, "1.3 KiB"),  # a tie: rounded up, as the script does
        (1024**2 - 1, "1024.0 KiB"),
        (5 * 1024**4, "5.0 TiB"),
        (3000 * 1024**5, "3000.0 PiB"),
    ],
)
def test_sizes_are_short_and_in_binary_units(count: int, text: str) -> None:
    assert size_text(count) == text


def test_what_is_not_to_be_seen_is_an_escape() -> None:
    assert seen("a\nb\tc\u202ed\x1b\u200b\U000e0041") == r"a\nb\tc\u202ed\x1b\u200b\U000e0041"


def test_what_is_to_be_seen_stays() -> None:
    text = "é + 日本 שלום 👩\u200d🚀 \\n <b>"
    assert seen(text) == text
    assert parts(text) == [(text, False)]


def test_escapes_are_told_from_text_that_looks_like_one() -> None:
    assert parts("a\\n\nb") == [("a\\n", False), (r"\n", True), ("b", False)]


def test_dates_are_utc() -> None:
    assert (date_text(1793577600), instant_text(1793577600)) == ("2 Nov 2026", "2026-11-02T00:00:00Z")
