"""Single fields of S3's answers. What is none raises LookupError, TypeError or ValueError, for ``typed``."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from datetime import datetime


def etag_of(answer: Any) -> str:
    """Without S3's quotes."""
    etag: str = answer["ETag"].strip('"')
    if not etag:
        raise ValueError("an empty ETag")
    return etag


def size_of(number: int) -> int:
    """A number of bytes."""
    if not 0 <= number < 1 << 63:
        raise ValueError(f"a size of {number} bytes")
    return number


def modified_of(answer: Any) -> datetime:
    """Aware, UTC, in whole seconds."""
    modified: datetime = answer["LastModified"].astimezone(UTC).replace(microsecond=0)
    return modified


def plain(page: Any, text: str) -> str:
    """A key or marker of a page that was asked for with ``EncodingType=url``.

    Unencoded, a key with a control character makes the answer malformed XML.
    """
    return unquote_plus(text, errors="strict") if page.get("EncodingType") == "url" else text
