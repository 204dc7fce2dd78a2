"""One torrent of the catalogue: what its row and its page tell, whatever they are made from."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from s3torrent.errors import UrlError
from s3torrent.metainfo.webseed import check_tracker, check_web_seed, encode_key
from s3torrent.status.timestamp import from_text
from s3torrent.types import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from s3torrent.status.base import StatusItem

V1 = re.compile(r"[0-9a-f]{40}", re.ASCII)
V2 = re.compile(r"[0-9a-f]{64}", re.ASCII)
MOST_SIZE = 1 << 53
"""Beyond, JavaScript counts no bytes; S3's largest object is a 180th of it."""
LATEST = 253_402_300_799
"""31 December 9999, the last second that a calendar has."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``at``: when the torrent was completed, in seconds since 1970. ``v1``, ``v2``: info-hashes in hex, ""
    for none. ``trackers`` and ``seeds`` are sound URLs. What is compared is all that its row holds.
    """

    key: str
    size: int
    at: int
    v1: str
    v2: str
    torrent_size: int
    name: str
    trackers: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    piece_length: int = field(default=0, compare=False)
    piece_count: int = field(default=0, compare=False)

    @property
    def is_folder(self) -> bool:
        return self.key.endswith("/")

    @property
    def torrent_key(self) -> str:
        return ObjectRef("", self.key).torrent.key

    @property
    def magnet(self) -> str:
        """As ``metainfo.magnet`` writes it."""
        terms = [f"xt=urn:btih:{self.v1}"] if self.v1 else []
        terms += [f"xt=urn:btmh:1220{self.v2}"] if self.v2 else []
        terms.append(f"dn={quote(self.name, safe='')}")
        terms += (f"tr={quote(url, safe='')}" for url in self.trackers)
        terms += (f"ws={quote(url, safe='')}" for url in self.seeds)
        return "magnet:?" + "&".join(terms)

    @property
    def urn(self) -> str:
        """The torrent's own name, the same wherever it is listed."""
        return f"urn:btih:{self.v1}" if self.v1 else f"urn:btmh:1220{self.v2}"

    @property
    def direct(self) -> str | None:
        """Where the object itself can be had: its web seed, if a URL can reach it."""
        if self.is_folder or not reachable(self.key):
            return None
        return next((seed for seed in self.seeds if not seed.endswith("/")), None)


def page_id(bucket: str, key: str) -> str:
    """Of an object's page, 16 hex digits: of its name and not of its content, so that the address stays when
    the object is replaced.
    """
    return hashlib.sha256(f"s3://{bucket}/{key}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def base_name(key: str) -> str:
    """The name of a torrent of that key; of ``a/b/`` ``b``."""
    return key.removesuffix("/").rsplit("/", 1)[-1]


def reachable(key: str) -> bool:
    """Whether a URL can name the object: every client takes ``.`` and ``..`` out of a path."""
    return not {".", ".."} & set(key.split("/"))


def of_item(item: StatusItem, key: str) -> Entry | None:
    """The COMPLETED item of ``key``; None where it does not tell enough, as people edit the table."""
    try:
        entry = _of_item(item, key)
        key.encode()  # a lone surrogate is in no key of S3
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    sound = 0 <= entry.size < MOST_SIZE and 0 <= entry.torrent_size < MOST_SIZE and 0 <= entry.at <= LATEST
    return entry if sound and (entry.v1 or entry.v2) else None


def _of_item(item: StatusItem, key: str) -> Entry:
    told = item.attributes
    link = told.get("magnet")
    terms = parse_qsl(link.removeprefix("magnet:?"), separator="&") if isinstance(link, str) else []
    names = [value for name, value in terms if name == "dn"]
    return Entry(
        key=key,
        size=_number(told["size"]),
        at=int(from_text(told["completedAt"]).timestamp()),
        v1=_hash(told, "infoHashV1", V1),
        v2=_hash(told, "infoHashV2", V2),
        torrent_size=_number(told["torrentSize"]),
        name=names[0] if names else base_name(key),
        trackers=_sound(terms, "tr", check_tracker),
        seeds=_sound(terms, "ws", lambda url: check_web_seed(url, single_file=False)),
        piece_length=_number(told.get("pieceLength", 0)),
        piece_count=_number(told.get("pieceCount", 0)),
    )


def _sound(terms: list[tuple[str, str]], wanted: str, check: Callable[[str], str]) -> tuple[str, ...]:
    found = []
    for name, value in terms:
        if name == wanted:
            try:
                found.append(check(value))
            except UrlError:
                continue
    return tuple(found)


def _hash(told: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = told.get(name)
    return value if isinstance(value, str) and form.fullmatch(value) else ""


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value


def template_of(seed: str, key: str) -> str:
    """A web seed with ``{key}`` for the key at its end, so that many objects share one."""
    encoded = encode_key(key)
    return seed.removesuffix(encoded) + "{key}" if encoded and seed.endswith(encoded) else seed


def filled(template: str, key: str) -> str:
    return template.replace("{key}", encode_key(key))
