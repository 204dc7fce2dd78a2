"""The catalogue's HTML and feed, by jinja2, imported here alone and only when something is rendered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from s3torrent.catalog.entry import base_name
from s3torrent.catalog.links import harmless
from s3torrent.catalog.text import date_text, instant_text, parts, seen, size_text
from s3torrent.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

    from s3torrent.catalog.entry import Entry
    from s3torrent.catalog.links import Links
    from s3torrent.metainfo.model import Metainfo

ASSETS = ("catalog.css", "catalog.js", "icon.svg", "list.js", "rows.js", "search.js", "theme.js")
TEMPLATES = ("feed.xml", "index.html", "layout.html", "row.html", "torrent.html")
NEWEST = 100
MOST_STATIC_BYTES = 145_000
"""What the rows of the first page may take: keys of 1,024 bytes stand in their links three times over."""
MOST_FILES = 1000
"""Files that a page lists."""


@dataclass(frozen=True)
class Renderer:
    """``title`` is what the operator calls it."""

    title: str
    links: Links

    @cached_property
    def look(self) -> str:
        """Changes with whatever changes every page: the templates, the title, the addresses."""
        told = json.dumps([self.title, self.links.base, self.links.torrents, self.links.bucket])
        return hashlib.sha256("\0".join([told, *map(_template, TEMPLATES)]).encode()).hexdigest()[:16]

    def index(
        self, newest: Sequence[Entry], count: int, size: int, updated: int, shards: Mapping[str, str]
    ) -> bytes:
        """``newest`` first; ``shards``: path and digest of each."""
        rows: list[str] = []
        room = MOST_STATIC_BYTES
        for number, entry in enumerate(newest[:NEWEST]):
            row = self._render("row.html", number=number, **self._of(entry))
            room -= len(row)
            if room < 0 and rows:
                break
            rows.append(row)
        data = {
            "bucket": self.links.bucket,
            "torrents": self.links.torrents,
            "count": count,
            "shown": len(rows),
            "shards": [f"{path}?{digest[:12]}" for path, digest in shards.items()],
            "search": versioned("search.js"),
        }
        return self._whole(
            "index.html", up="", rows=_markup("".join(rows)), count=count, size=size, updated=updated,
            data=data, shown=len(rows),
        )  # fmt: skip

    def page(self, entry: Entry, metainfo: Metainfo | None = None) -> bytes:
        """``metainfo`` of a folder's torrent: what files are in it."""
        listed: list[tuple[str, int, str | None]] = [(entry.name, entry.size, entry.direct)]
        more = 0
        if entry.is_folder:
            found = metainfo.files if metainfo else ()
            listed = [(str(one), one.length, self.links.file(entry, one)) for one in found[:MOST_FILES]]
            more = len(found) - len(listed)
        return self._whole("torrent.html", up="../", files=listed, more=more, **self._of(entry, "../"))

    def feed(self, newest: Sequence[Entry], updated: int) -> bytes:
        """RSS 2.0, https://www.rssboard.org/rss-specification, enclosures of BEP 36. Needs ``base``."""
        listed = [self._of(entry) for entry in newest]
        return self._whole("feed.xml", items=listed, updated=updated, up="")

    def _of(self, entry: Entry, up: str = "") -> dict[str, Any]:
        folder = entry.key.removesuffix("/").rpartition("/")
        return {
            "entry": entry,
            "path": folder[0] + folder[1],
            "named": "" if entry.name == base_name(entry.key) else base_name(entry.key),
            "page": self.links.page(entry),
            "torrent": self.links.torrent(entry, up),
        }

    def _whole(self, template: str, **values: Any) -> bytes:
        return self._render(template, **values).encode()

    def _render(self, template: str, **values: Any) -> str:
        return _environment().get_template(template).render(title=self.title, links=self.links, **values)


def require() -> None:
    """Raises UsageError where jinja2 is missing."""
    _environment()


def asset(name: str) -> bytes:
    return files("s3torrent.catalog").joinpath("assets", name).read_bytes()


@cache
def versioned(name: str) -> str:
    """Where an asset lies, named by its content, too: no script meets an older one that a cache has kept."""
    return f"assets/{name}?{hashlib.sha256(asset(name)).hexdigest()[:12]}"


@cache
def _template(name: str) -> str:
    return files("s3torrent.catalog").joinpath("templates", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    try:
        import jinja2  # noqa: PLC0415 - one command and one kind of message need it
    except ImportError:
        raise UsageError(
            "the catalogue is rendered by jinja2, which is not installed",
            hint="install it: pip install 's3torrent[catalog]'",
        ) from None
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        shown=_shown,
        seen=seen,
        html=_html,
        inert=_inert,
        size=size_text,
        date=date_text,
        instant=instant_text,
        rfc822=lambda seconds: formatdate(seconds, usegmt=True),
        harmless=harmless,
        data=_data,
        versioned=versioned,
        thousands=lambda number: f"{number:,}",
    )
    return environment


def _markup(html: str) -> Any:
    from markupsafe import Markup  # noqa: PLC0415 - as above

    return Markup(html)  # noqa: S704 - rendered with every value escaped


def _shown(text: str) -> Any:
    """Foreign text as HTML, what is not to be seen as marked escapes."""
    from markupsafe import Markup  # noqa: PLC0415 - as above

    pieces = (
        Markup('<span class="esc">{}</span>').format(piece) if is_escape else piece
        for piece, is_escape in parts(text)
    )
    return Markup("").join(pieces)


def _html(text: str) -> str:
    """For what readers of feeds take for HTML, a description: escaped once more than XML wants."""
    from markupsafe import escape  # noqa: PLC0415 - as above

    return str(escape(seen(text)))


def _inert(text: str) -> str:
    """For a title, which some take for text and some for HTML: to neither is it a tag.

    https://www.rssboard.org/rss-profile#data-types-characterdata
    """
    return seen(text).replace("<", "&lt;")


def _data(value: Any) -> Any:
    r"""JSON that may stand in a <script>: no <, > or & is left in it (``\u003c``)."""
    text = json.dumps(value, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return _markup(text)
