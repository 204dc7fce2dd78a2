"""Where the pages' links lead: nothing but http, https, magnet and our own relative paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from s3torrent.catalog.entry import Entry, filled, page_id, reachable
from s3torrent.metainfo.webseed import encode_key, multi_file_base, object_url

if TYPE_CHECKING:
    from s3torrent.metainfo.model import FileEntry

SCHEMES = ("http", "https", "magnet")
PAGES = "t/"


@dataclass(frozen=True, slots=True)
class Links:
    """``files``: template of the public URLs of the bucket's objects, "" where nobody named one. ``up``: the
    way from the catalogue's folder to the root of the same bucket (``../``), "" where it lies elsewhere.
    ``base``: the catalogue's own URL with a / at its end, "" where nobody named it.
    """

    bucket: str
    files: str = ""
    up: str = ""
    base: str = ""

    @property
    def torrents(self) -> str:
        """Template of the .torrents' URLs, seen from the catalogue's folder; "" for none."""
        if self.files:
            return self.files.replace("{bucket}", encode_key(self.bucket))
        return f"{self.up}{{key}}" if self.up else ""

    def page(self, entry: Entry) -> str:
        return f"{PAGES}{page_id(self.bucket, entry.key)}.html"

    def torrent(self, entry: Entry, up: str = "") -> str | None:
        """Of the .torrent, for a page that lies ``up`` from the catalogue's folder; beside the web seed where
        no template is known. None where no URL is.
        """
        if not reachable(entry.key):
            return None
        if self.files:
            return object_url(self.files, self.bucket, entry.torrent_key)
        if self.up:
            return up + filled(self.torrents, entry.torrent_key)
        if entry.is_folder:  # clients add the name to the web seed, and .torrent lies beside what they find
            return (
                f"{multi_file_base(entry.seeds[0])}{quote(entry.name, safe='')}.torrent"
                if entry.seeds
                else None
            )
        encoded, direct = encode_key(entry.key), entry.direct
        if direct and direct.endswith(encoded):
            return direct.removesuffix(encoded) + encode_key(entry.torrent_key)
        return None

    def absolute(self, url: str | None) -> str | None:
        """The same from anywhere, where ``base`` is known; what is above the root stays at the root."""
        if url is None or not self.base or urlsplit(url).scheme:
            return url
        root, steps = self.base, url
        while steps.startswith("../"):
            steps = steps.removeprefix("../")
            above = root.rstrip("/").rpartition("/")[0] + "/"
            root = above if urlsplit(above).netloc else root
        return root + steps

    def file(self, entry: Entry, file: FileEntry) -> str | None:
        """Of one file of a folder's torrent, by its web seed (BEP 19)."""
        seed = next(iter(entry.seeds), None)
        if seed is None or not reachable("/".join(file.path)):
            return None
        return multi_file_base(seed) + "/".join(quote(part, safe="") for part in (entry.name, *file.path))


def harmless(url: str | None) -> str | None:
    """``url`` where it may be a link: ours are relative, climb or name a folder, and have no scheme."""
    if not url:
        return None
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return None
    relative = not scheme and not url.startswith(("/", "\\")) and ":" not in url.partition("/")[0]
    return url if relative or scheme in SCHEMES else None
