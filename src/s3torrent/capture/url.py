"""The address that is recorded: hostile input. It is checked before use, and shown without its secrets."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from s3torrent.errors import UrlError

MOST_CHARACTERS = 8192
SHOWN_CHARACTERS = 200
SCHEMES = ("http", "https")

_URL = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?P<user>[^\s/?#'\"<>]*@)?(?P<path>[^\s?#'\"<>]*)(?P<rest>[?#][^\s'\"<>]*)?",
    re.IGNORECASE,
)


def check_url(url: str) -> str:
    """``url``, if it is http:// or https:// with a host. Raises UrlError."""
    try:
        parts = urlsplit(url)
        good = parts.scheme.lower() in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    # Python's parser drops tabs and line ends silently; the programs would not.
    if not good or len(url) > MOST_CHARACTERS or not url.isprintable() or " " in url:
        shown = redacted(url[:SHOWN_CHARACTERS])
        raise UrlError(
            f"the URL to record is {shown!r}; expected http://HOST/... or https://HOST/...",
            hint="give the address of a page or a stream, percent-encoded",
        )
    return url


def redacted(text: str) -> str:
    """The text with user names, passwords, query strings and fragments of all its URLs blotted out."""

    def blot(found: re.Match[str]) -> str:
        user = "***@" if found["user"] else ""
        rest = f"{found['rest'][0]}***" if found["rest"] else ""
        return f"{found['scheme']}{user}{found['path']}{rest}"

    return _URL.sub(blot, text)
