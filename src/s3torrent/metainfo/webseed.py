"""Addresses in a torrent: web seeds (BEP 19) and trackers (BEP 3, 15), encoded as RFC 3986 has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from s3torrent.errors import UrlError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

WEB_SEED_SCHEMES = ("http", "https")
TRACKER_SCHEMES = ("http", "https", "udp", "ws", "wss")

# Unreserved, reserved and whole percent-escapes: all that RFC 3986 lets stand in a URL.
_URL_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def encode_key(key: str) -> str:
    """An S3 key as the path of a URL: every byte of its UTF-8 percent-encoded but unreserved ones and ``/``.

    ``+`` becomes ``%2B``, for S3 reads a bare one as a space.
    """
    return quote(key, safe="/")


def object_url(template: str, bucket: str, key: str) -> str:
    """The URL of an object: ``{key}``, and ``{bucket}`` where there is one, filled in and encoded.

    ``template`` is e.g. ``https://cdn.example.org/{key}``. Raises UrlError for a template without ``{key}``,
    with another placeholder, or that gives no valid URL.
    """
    url = _filled(template, bucket, key)
    _check("web seed", url, WEB_SEED_SCHEMES)
    return url


def folder_url(template: str, bucket: str, prefix: str, name: str) -> str:
    """The URL that serves all objects below ``prefix`` ("" or ending in ``/``) as the folder ``name``.

    Clients add ``name/path`` to it (BEP 19), and that has to give ``template`` filled with the key
    ``prefix + path``. So the template ends in ``{key}``, the filled prefix in ``/name/``, and what is before
    is the URL. Raises UrlError where that does not hold, and as ``object_url``.
    """
    filled = _filled(template, bucket, prefix)
    if not template.endswith("{key}") or template.count("{key}") > 1:
        raise UrlError(
            f"web seed template {template!r} does not end in its one {{key}}, but clients add the path of "
            "each file to its end",
            hint="write it as https://cdn.example.org/{key}",
        )
    base = filled.removesuffix(encode_key(name) + "/")
    if base == filled or not base.endswith("/"):
        raise UrlError(
            f"web seed template {template!r} gives the folder {filled!r}, but clients look for the files in "
            f"a folder {name!r}, the torrent's name",
            hint="give a template whose last folder is that name (for a whole bucket such as "
            "https://s3.amazonaws.com/{bucket}/{key}), or make torrents of prefixes",
        )
    _check("web seed", base, WEB_SEED_SCHEMES)
    return base


def _filled(template: str, bucket: str, key: str) -> str:
    values = {"{key}": encode_key(key), "{bucket}": encode_key(bucket)}
    placeholders = _PLACEHOLDER.findall(template)
    if "{key}" not in placeholders:
        raise UrlError(
            f"web seed template {template!r} has no {{key}}; expected one such as https://cdn.example.org/{{key}}"
        )
    for unknown in set(placeholders) - values.keys():
        raise UrlError(f"web seed template {template!r} has {unknown}; expected only {{key}} and {{bucket}}")
    return _PLACEHOLDER.sub(lambda placeholder: values[placeholder[0]], template)


def check_web_seed(url: str, *, single_file: bool = True) -> str:
    """``url`` itself where it can serve as a web seed; raises UrlError with what is wrong.

    A single file's is the exact URL of the object: to one that ends in "/" clients add the file's name.
    """
    _check("web seed", url, WEB_SEED_SCHEMES)
    if "#" in url:
        raise UrlError(f"web seed {url!r} has a fragment", hint="write a # of the key as %23")
    if single_file and url.endswith("/"):
        raise UrlError(
            f"web seed {url!r} ends in /; expected the exact URL of the file",
            hint="leave the last / off, or give the whole URL of the object",
        )
    return url


def multi_file_base(url: str) -> str:
    """``url`` with the "/" at its end to which clients add name and path of each file (BEP 19)."""
    return url if url.endswith("/") else url + "/"


def check_tracker(url: str) -> str:
    """``url`` itself where it can be announced to; raises UrlError with what is wrong."""
    parts = _check("tracker", url, TRACKER_SCHEMES)
    if parts.scheme == "udp" and parts.port is None:
        raise UrlError(f"tracker {url!r} has no port; expected udp://HOST:PORT")
    return url


def _check(what: str, url: str, schemes: tuple[str, ...]) -> SplitResult:
    sound = _URL_CHARACTERS.match(url)
    assert sound is not None
    if sound.end() < len(url):
        raise UrlError(
            f"{what} {url!r} has {url[sound.end()]!r} at character {sound.end() + 1}; expected plain ASCII",
            hint="percent-encode what is not a letter, digit or URL punctuation (a space is %20)",
        )
    expected = f"expected {', '.join(schemes[:-1])} or {schemes[-1]}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlError(f"{what} {url!r}: {error}; expected SCHEME://HOST[:PORT]/PATH") from error
    if parts.scheme not in schemes:
        found = f"scheme {parts.scheme!r}" if parts.scheme else "no scheme"
        raise UrlError(f"{what} {url!r} has {found}; {expected}")
    if not parts.hostname:
        raise UrlError(f"{what} {url!r} has no host; {expected} and a host, as in {schemes[-1]}://HOST/")
    if port == 0:
        raise UrlError(f"{what} {url!r} has port 0; expected 1 to 65535")
    return parts
