"""``s3torrent create``: a torrent of a file, a folder, an object or all objects below a prefix."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3torrent.cli.completing import files
from s3torrent.cli.garbage import seldom_collected
from s3torrent.cli.locations import bucket_reader, locate, reader_of, threads_for
from s3torrent.cli.output import show_json, show_rows, visible
from s3torrent.cli.progress import progress_bar
from s3torrent.cli.summary import as_json, as_rows
from s3torrent.errors import NoSuchObject, OutputExists, SourceError, UrlError, UsageError, WriteConflict
from s3torrent.metainfo.piece_length import AUTO, BY_SIZE, parse_piece_length
from s3torrent.metainfo.policy import TorrentPolicy
from s3torrent.metainfo.webseed import check_tracker, check_web_seed, folder_url, object_url
from s3torrent.pipeline.build import build_object
from s3torrent.pipeline.content import name_of, tree_content
from s3torrent.pipeline.prefix import build_prefix, is_prefix, point_below, prefix_content, prefix_name
from s3torrent.pipeline.publish import CONTENT_TYPE
from s3torrent.types import TORRENT_SUFFIX, ObjectRef
from s3torrent.wiring import local_store, native_engine

if TYPE_CHECKING:
    from s3torrent.engine.base import Built, Engine

MOST_FILES = 20
"""Listed for people."""


@click.command()
@click.argument("source", shell_complete=files)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    shell_complete=files,
    help="Where to write it; - is stdout.  [default: NAME.torrent here]",
)
@click.option(
    "--tracker", "trackers", multiple=True, metavar="URL", help="Announce URL; each is a tier of its own."
)
@click.option(
    "--web-seed",
    "web_seeds",
    multiple=True,
    metavar="URL",
    help="URL of the content; in S3, {key} and {bucket} are filled in.",
)
@click.option(
    "--piece-length",
    default=AUTO,
    show_default=True,
    metavar="LENGTH",
    help="auto, by-size, or 16KiB to 128MiB.",
)
@click.option(
    "--torrent-version",
    type=click.Choice(["v1", "v2", "hybrid"]),
    default="v1",
    show_default=True,
    help="v1 is for every client, v2 for newer ones (BEP 52), hybrid for both.",
)
@click.option("--pad-files", is_flag=True, help="Let each file of a v1 folder begin with a piece (BEP 47).")
@click.option("--private", is_flag=True, help="Peers only from the trackers (BEP 27).")
@click.option("--source", "source_tag", metavar="TEXT", help="Tag in the info dict; changes the info-hash.")
@click.option("--comment", metavar="TEXT", help="A remark; the info-hash stays the same.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
@click.option("--json", "as_json_", is_flag=True, help="Describe the torrent as JSON on stdout.")
@seldom_collected()
def create(
    *,
    source: str,
    output: str | None,
    trackers: tuple[str, ...],
    web_seeds: tuple[str, ...],
    piece_length: str,
    torrent_version: str,
    pad_files: bool,
    private: bool,
    source_tag: str | None,
    comment: str | None,
    force: bool,
    as_json_: bool,
) -> None:
    """Make a torrent of SOURCE: a file, a directory, s3://BUCKET/KEY, or all below s3://BUCKET/PREFIX/."""
    if output == "-" and as_json_:
        raise UsageError("--output - and --json both want stdout", hint="write the torrent to a file")
    ref = locate(source, folders=True)
    policy = TorrentPolicy(
        version=torrent_version,
        piece_length=piece_length if piece_length in (AUTO, BY_SIZE) else parse_piece_length(piece_length),
        private=private,
        source=source_tag,
        comment=comment,
        trackers=tuple((check_tracker(url),) for url in trackers),
        web_seeds=web_seeds,
        pad_files=pad_files and torrent_version == "v1",  # the others have them, or need none
    )
    directory = is_prefix(ref) if ref.bucket else Path(ref.key).is_dir()
    for url in web_seeds:
        if "{" in url and not ref.bucket:
            raise UrlError(
                f"web seed {url!r} has a placeholder, but {source} has no bucket and no key",
                hint="give the URL at which the content will lie",
            )
        check_web_seed(_filled(url, ref), single_file=not directory)
    target = None if output == "-" else _target(ref, output, force=force)
    built = _build(ref, policy, directory=directory)
    body = built.metainfo.encode()
    if target is None:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    _write(target, body, force=force)
    if as_json_:
        show_json({"torrent": str(target), **as_json(built.metainfo)})
    else:
        show_rows([("Torrent", str(target)), *as_rows(built.metainfo, most_files=MOST_FILES)])
        click.echo(visible(f"piece length: {built.piece_length_reason}"), err=True)


def _build(ref: ObjectRef, policy: TorrentPolicy, *, directory: bool) -> Built:
    engine = native_engine(threads_for(ref))
    if ref.bucket:
        return _build_from_s3(ref, policy, engine)
    reader = reader_of(ref)
    if not directory:
        head = reader.head(ref)
        with progress_bar(name_of(ref), head.version.size) as progress:
            return build_object(head, policy, engine, reader, progress)
    root = _named(ref)
    content = tree_content(root.name, local_store().walk(root))
    with progress_bar(content.name, content.size) as progress:
        return engine.build(content, policy, reader, progress)


def _build_from_s3(ref: ObjectRef, policy: TorrentPolicy, engine: Engine) -> Built:
    store = bucket_reader()
    if is_prefix(ref):
        content = prefix_content(ref, store, version=policy.version)
        with progress_bar(content.name, content.size) as progress:
            return build_prefix(ref, content, policy, engine, store=store, progress=progress)
    try:
        head = store.head(ref)
    except NoSuchObject as error:
        point_below(ref, store, error)
        raise
    with progress_bar(name_of(ref), head.version.size) as progress:
        return build_object(head, policy, engine, store, progress)


def _filled(web_seed: str, ref: ObjectRef) -> str:
    if "{key}" not in web_seed:
        return web_seed
    if is_prefix(ref):
        return folder_url(web_seed, ref.bucket, ref.key, prefix_name(ref))
    return object_url(web_seed, ref.bucket, ref.key)


def _name(ref: ObjectRef) -> str:
    """What the torrent will be called."""
    if not ref.bucket:
        return _named(ref).name
    return prefix_name(ref) if is_prefix(ref) else name_of(ref)


def _named(ref: ObjectRef) -> Path:
    """The local path with a last segment that names it: of ``..`` the folder's own; a link keeps its name."""
    path = Path(ref.key)
    return path.resolve() if path.name in ("", "..") else path


def _target(ref: ObjectRef, output: str | None, *, force: bool) -> Path:
    """Where the torrent goes; looked at before the hashing, so that nobody waits for a refusal."""
    if output and output.startswith("s3://"):
        raise UsageError(
            f"--output {output!r}: a torrent is written to a file", hint="aws s3 cp puts it into S3"
        )
    name = _name(ref)
    target = Path(output) if output else Path(name + TORRENT_SUFFIX)
    if target.is_dir():
        target /= name + TORRENT_SUFFIX
    if target.exists() and not force:
        raise OutputExists(f"{target} is there already")
    if not target.absolute().parent.is_dir():
        raise UsageError(
            f"--output {target}: the folder {target.parent} does not exist", hint="make it first"
        )
    return target


def _write(target: Path, body: bytes, *, force: bool) -> None:
    """Whole or not at all; without --force never over a file that appeared meanwhile."""
    store, ref = local_store(), ObjectRef("", str(target.absolute()))
    try:
        replaces = store.head(ref).version if force and target.exists() else None
        store.put(ref, body, replaces=replaces, content_type=CONTENT_TYPE, metadata={})
    except WriteConflict:
        raise OutputExists(f"{target} appeared while its torrent was made") from None
    except SourceError as error:
        raise UsageError(f"cannot write {target}: {error.message}", hint=error.hint) from None
