"""What the environment says of the catalogue: ``config`` reads it, and has no room for its rules."""

from __future__ import annotations

from dataclasses import dataclass
from glob import escape
from urllib.parse import urlsplit

from s3torrent.errors import ConfigError, UrlError
from s3torrent.metainfo.webseed import check_web_seed, object_url
from s3torrent.types import ObjectRef

MOST_TITLE = 200


@dataclass(frozen=True, slots=True)
class CatalogSettings:
    """``place``: bucket and prefix, which ends in ``/``; ``bucket``: whose objects are listed; ``url``: "" or
    ending in ``/``; ``title``: "" for the bucket's name; ``files``: template of the objects' addresses.
    """

    place: ObjectRef
    bucket: str
    url: str
    title: str
    files: str = ""

    @property
    def excludes(self) -> tuple[str, ...]:
        """Glob patterns of what is no object of the operator's: the catalogue's own files."""
        return (f"{escape(self.place.key)}*",) if self.place.bucket == self.bucket else ()


def catalog_settings(
    place: str, url: str, title: str, files: str, *, bucket: str, private: bool
) -> CatalogSettings | None:
    """None where no place is named. Raises ConfigError that names the variable."""
    if not place:
        return None
    if private:
        raise ConfigError(
            "TORRENT_CATALOG is set with TORRENT_PRIVATE 1; a public list of private torrents gives their "
            "trackers away",
            hint="unset one of the two",
        )
    if not bucket:
        raise ConfigError(
            "TORRENT_CATALOG is set without S3_BUCKET; a catalogue is of one bucket's objects",
            hint="set S3_BUCKET to the bucket of the objects",
        )
    where, _, prefix = place.removeprefix("s3://").partition("/")
    prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    if not place.startswith("s3://") or not where or not prefix or prefix.startswith("/") or "//" in prefix:
        raise ConfigError(f"TORRENT_CATALOG is {place!r}; expected s3://BUCKET/PREFIX")
    if len(title) > MOST_TITLE or not title.isprintable():
        raise ConfigError(
            f"TORRENT_CATALOG_TITLE is {title[:40]!r}; expected at most {MOST_TITLE} characters of one line"
        )
    return CatalogSettings(
        ObjectRef(where, prefix),
        bucket,
        checked_url("TORRENT_CATALOG_URL", url),
        title,
        checked_files("TORRENT_CATALOG_FILES", files, bucket),
    )


def checked_url(name: str, url: str) -> str:
    """With a / at its end; "" where there is none."""
    if not url:
        return ""
    try:
        check_web_seed(url, single_file=False)
    except UrlError as error:
        raise ConfigError(f"{name}: {error.message.removeprefix('web seed ')}", hint=error.hint) from None
    _refuse_credentials(name, url)
    if urlsplit(url).query:
        raise ConfigError(
            f"{name} is {url!r}; expected the URL of a folder, without a query",
            hint=f"give {name} the address at which index.html is found",
        )
    return url if url.endswith("/") else f"{url}/"


def checked_files(name: str, template: str, bucket: str) -> str:
    """A template of the addresses of a bucket's objects, or ""."""
    try:
        if template:
            object_url(template, bucket, "key")
    except UrlError as error:
        told = error.message.removeprefix("web seed ").removeprefix("template ")
        raise ConfigError(f"{name}: {told}", hint=error.hint) from None
    _refuse_credentials(name, template)
    return template


def _refuse_credentials(name: str, url: str) -> None:
    if "@" in urlsplit(url).netloc:
        raise ConfigError(
            f"{name} has a user or password in it, and everybody could read it on the page",
            hint=f"leave out of {name} what stands before the @",
        )
