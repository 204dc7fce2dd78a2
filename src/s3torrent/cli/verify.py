"""``s3torrent verify``: is this the torrent's content?"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3torrent.cli.completing import files
from s3torrent.cli.garbage import seldom_collected
from s3torrent.cli.locations import bucket_reader, locate, read_torrent, reader_of, threads_for
from s3torrent.cli.output import bytes_text, show_json, visible
from s3torrent.cli.progress import progress_bar
from s3torrent.errors import NoSuchObject, UsageError
from s3torrent.pipeline.prefix import is_prefix
from s3torrent.pipeline.verify import verify as verify_content
from s3torrent.types import ObjectRef
from s3torrent.wiring import local_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from s3torrent.metainfo.model import Metainfo
    from s3torrent.pipeline.verify import Verification
    from s3torrent.types import ObjectVersion


@click.command()
@click.argument("torrent", shell_complete=files)
@click.argument("content", shell_complete=files)
@click.option("--json", "as_json_", is_flag=True, help="As JSON on stdout (docs/json.md).")
@seldom_collected()
def verify(*, torrent: str, content: str, as_json_: bool) -> None:
    """Check CONTENT against TORRENT (a path, - or s3://BUCKET/KEY).

    CONTENT is a file, a directory, s3://BUCKET/KEY, or s3://BUCKET/PREFIX/ for what lies below. Names the bad
    pieces and the files they touch; exit code 1 if there are any.
    """
    metainfo = read_torrent(torrent)
    ref = locate(content, folders=True)
    found = _content(metainfo, ref)
    with progress_bar(metainfo.name, metainfo.size) as progress:
        result = verify_content(metainfo, found, reader_of(ref), threads=threads_for(ref), progress=progress)
    if as_json_:
        show_json(_as_json(result))
    else:
        _tell(result, metainfo)
    if not result.good:
        raise result.error(content)


def _content(metainfo: Metainfo, ref: ObjectRef) -> Mapping[tuple[str, ...], ObjectVersion]:
    """What lies at CONTENT, by path. For a single file a directory that holds it will do."""
    if ref.bucket:
        return _in_bucket(metainfo, ref)
    path = Path(ref.key)
    if metainfo.single_file:
        inside = path / metainfo.name
        place = inside if path.is_dir() and inside.is_file() else path
        return {metainfo.files[0].path: local_store().head(locate(str(place))).version}
    if path.is_file():
        raise UsageError(
            f"{metainfo.name!r} is a torrent of several files; {path} is one file",
            hint="give the directory that holds the files",
        )
    return dict(_found(metainfo, path))


def _in_bucket(metainfo: Metainfo, ref: ObjectRef) -> Mapping[tuple[str, ...], ObjectVersion]:
    """The same of a bucket, where a prefix is the directory."""
    store = bucket_reader()
    if metainfo.single_file:
        place = ObjectRef(ref.bucket, ref.key + metainfo.name) if is_prefix(ref) else ref
        return {metainfo.files[0].path: store.head(place).version}
    if not is_prefix(ref):
        raise UsageError(
            f"{metainfo.name!r} is a torrent of several files; {ref} is one object",
            hint="give the prefix that holds the files, with a slash at its end",
        )
    wanted = {ref.key + str(entry): entry.path for entry in metainfo.files}
    found = {}
    for version in store.list_objects(ref.bucket, ref.key):
        path = wanted.get(version.ref.key)
        if path:
            found[path] = version
    if not found:
        raise NoSuchObject(f"none of the torrent's {len(wanted):,} files lies below {ref}")
    return found


def _found(metainfo: Metainfo, folder: Path) -> Iterator[tuple[tuple[str, ...], ObjectVersion]]:
    """Only what the torrent names is looked at; whatever else lies there is not its business."""
    if not folder.is_dir():
        raise NoSuchObject(f"{folder} does not exist")
    store, top = local_store(), str(folder).rstrip("/")
    for entry in metainfo.files:
        with contextlib.suppress(NoSuchObject):
            yield entry.path, store.head(ObjectRef("", "/".join((top, *entry.path)))).version


def _as_json(result: Verification) -> dict[str, object]:
    return {
        "good": result.good,
        "pieceCount": result.piece_count,
        "badPieces": list(result.bad_pieces),
        "badFiles": list(result.bad_files),
        "missing": list(result.missing),
        "wrongSize": [
            {"path": wrong.path, "expected": wrong.expected, "found": wrong.found}
            for wrong in result.wrong_size
        ],
    }


def _tell(result: Verification, metainfo: Metainfo) -> None:
    if result.good:
        click.echo(f"good: all {result.piece_count:,} pieces, {bytes_text(metainfo.size)}")
    for path in result.missing:
        click.echo(f"missing: {visible(path)}")
    for wrong in result.wrong_size:
        sizes = f"{bytes_text(wrong.found)}; expected {bytes_text(wrong.expected)}"
        click.echo(f"wrong size: {visible(wrong.path)}: {sizes}")
    if result.bad_pieces:
        click.echo(f"bad pieces: {_runs(result.bad_pieces)}")
    for path in result.bad_files:
        click.echo(f"bad file: {visible(path)}")


def _runs(indices: tuple[int, ...]) -> str:
    """``0-3, 7, 9-10``."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)
