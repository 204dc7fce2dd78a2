"""Who publishes a catalogue, from the settings: for the command line and the function alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3torrent.catalog.duty import Duty
from s3torrent.catalog.folder import FolderTarget
from s3torrent.catalog.links import Links
from s3torrent.catalog.publish import Publisher
from s3torrent.catalog.render import Renderer, require
from s3torrent.catalog.site import SiteTarget, is_packed
from s3torrent.catalog.source import Source
from s3torrent.catalog.target import kind_of
from s3torrent.errors import ConfigError
from s3torrent.types import ObjectRef
from s3torrent.wiring import Clients, clock, s3_store, status_store

if TYPE_CHECKING:
    from pathlib import Path

    from s3torrent.catalog.target import Target
    from s3torrent.config import Settings
    from s3torrent.status.base import StatusStore

CONNECTIONS = 20


def publisher(
    settings: Settings,
    source: ObjectRef,
    place: ObjectRef | Path,
    *,
    title: str,
    url: str = "",
    files: str = "",
    private: bool = False,
    force: bool = False,
) -> Publisher:
    """``source``: bucket and prefix of the objects; ``place``: a folder, or bucket and prefix; ``title``: ""
    for the bucket's name; ``url``, with a / at its end, the page's; ``files``: template of the public URLs of
    the bucket's objects.

    Raises ConfigError where DDB_TABLE is not set, UsageError where jinja2 is missing.
    """
    require()
    if not settings.table:
        raise ConfigError("DDB_TABLE is not set; expected the name of the status table")
    clients = Clients(settings.endpoint_url, connections=CONNECTIONS, request_payer=settings.request_payer)
    hidden = [settings.control_prefix] if settings.control_prefix else []
    target: Target
    up = ""
    if isinstance(place, ObjectRef):
        from s3torrent.store.s3_site import S3Site  # noqa: PLC0415 - imports botocore

        site = S3Site(clients.client("s3"), place, kind_of=kind_of, packed=is_packed, force=force)
        target = SiteTarget(site)
        if place.bucket == source.bucket:
            hidden.append(place.key)
            up = "../" * place.key.count("/")
    else:
        target = FolderTarget(place, force=force)
    status = status_store(clients, settings.table, create_missing=False)
    found = Source(source.bucket, source.key, status, s3_store(clients), tuple(hidden), private)
    renderer = Renderer(title or source.bucket, Links(source.bucket, files, up, url))
    return Publisher(found, renderer, target, force=force)


def duty(settings: Settings, status: StatusStore) -> Duty:
    """Of the function, which ``settings.catalog`` says has one."""
    catalog = settings.catalog
    assert catalog
    source = ObjectRef(catalog.bucket, "")
    return Duty(
        catalog.place,
        status,
        lambda: publisher(
            settings, source, catalog.place, title=catalog.title, url=catalog.url, files=catalog.files
        ),
        clock,
    )
