"""What every error and every text that leaves a parser must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3torrent.errors import S3TorrentError

LONGEST = 4000
"""Characters of a message: a line, that fits the status item (400 KB) many times over."""


def check_error(error: S3TorrentError, most: int = LONGEST) -> None:
    """It is one bounded line of Unicode that can be written anywhere, and so is its mend."""
    for text in (error.message, error.hint):
        check_text(text)
        assert len(text) <= most, f"{type(error).__name__} of {len(text):,} characters"
        assert "\n" not in text, repr(text)


def check_text(*texts: str | None) -> None:
    """None, or text that is UTF-8."""
    for text in texts:
        if text is not None:
            assert isinstance(text, str), repr(text)
            text.encode()
