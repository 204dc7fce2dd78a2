"""``s3torrent edit``: other trackers, web seeds or comment, the same info-hash."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3torrent.cli.completing import files
from s3torrent.cli.edit_run import Run, Work
from s3torrent.cli.locations import locate
from s3torrent.cli.output import visible
from s3torrent.cli.undo_file import UndoFile, Undos
from s3torrent.errors import S3TorrentError, UsageError
from s3torrent.metainfo.edit import Edit
from s3torrent.metainfo.webseed import check_tracker, folder_url, object_url
from s3torrent.types import TORRENT_SUFFIX, ObjectRef
from s3torrent.wiring import s3_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3torrent.metainfo.model import Metainfo
    from s3torrent.pipeline.edit import Edited, Editor


@click.command()
@click.argument("torrents", metavar="[TORRENT | s3://BUCKET/PREFIX]...", nargs=-1, shell_complete=files)
@click.option("--tracker", "trackers", multiple=True, metavar="URL", help="Add it, as a tier of its own.")
@click.option("--remove-tracker", "remove_trackers", multiple=True, metavar="URL", help="Take it out.")
@click.option(
    "--announce-replace",
    "replaced",
    nargs=2,
    multiple=True,
    metavar="OLD NEW",
    help="In every announce URL, OLD becomes NEW.",
)
@click.option(
    "--web-seed",
    "web_seeds",
    multiple=True,
    metavar="URL",
    help="Add it; in S3, {key} and {bucket} of the object are filled in.",
)
@click.option("--remove-web-seed", "remove_web_seeds", multiple=True, metavar="URL", help="Take it out.")
@click.option("--comment", metavar="TEXT", help='Set it; "" takes it out.')
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option(
    "--undo",
    "undo_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write there what --restore needs.  [default for a prefix: s3torrent-undo-TIME.jsonl]",
)
@click.option(
    "--restore",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Undo the edit that wrote FILE.",
)
@click.option("--foreign", is_flag=True, help="Below a prefix: also torrents that s3torrent did not make.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each torrent, then a summary.")
def edit(
    *,
    torrents: tuple[str, ...],
    trackers: tuple[str, ...],
    remove_trackers: tuple[str, ...],
    replaced: tuple[tuple[str, str], ...],
    web_seeds: tuple[str, ...],
    remove_web_seeds: tuple[str, ...],
    comment: str | None,
    dry_run: bool,
    undo_file: Path | None,
    restore: Path | None,
    foreign: bool,
    as_json: bool,
) -> None:
    """Change what is beside the info dict of torrents: paths, s3://BUCKET/KEY.torrent, or all below
    s3://BUCKET/PREFIX. Nothing is hashed, and the info-hash stays.

    With DDB_TABLE set, the magnet links in the status table follow, also those that an earlier
    edit left behind. An object keeps its headers and metadata, and its tags where they may be
    read (s3:GetObjectTagging) and written (s3:PutObjectTagging). Exit code 1 where one could not
    be edited, its status item could not follow, or no torrent lies below a prefix.
    """
    wish = Edit(trackers, remove_trackers, replaced, web_seeds, remove_web_seeds, comment)
    _require_sense(torrents, wish, restore)
    run = Run(dry_run=dry_run, foreign=foreign)
    undo, cut = None, False
    if restore:
        with contextlib.closing(Undos(restore)) as undos:
            _require_all(undos, run)
            run.all_of(_undone(undos, run), str(restore), as_json=as_json)
            cut = undos.cut
    else:
        places = [(text, _place(text)) for text in torrents]
        for _, (ref, _) in places:
            if ref.bucket:
                run.require_table(ref)
        works = _works(places, wish, run)
        many = any(is_prefix for _, (_, is_prefix) in places)
        if dry_run or not (many or undo_file):
            run.all_of(works, torrents[0], as_json=as_json)
        else:
            with UndoFile(undo_file) as undo:
                run.all_of(works, torrents[0], undo, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"summary": run.as_dict(undo.path if undo and undo.lines else None)}))
    elif run.looked_at > 1 or not (run.changed or run.empty):
        _tell_counts(run, dry_run=dry_run)
    if cut:
        told = f"the last line of {restore} is cut: what it was to tell of was left as it is"
        click.echo(visible(told), err=True)
    if run.failed or run.behind or run.empty or cut:
        raise click.exceptions.Exit(1)


def _tell_counts(run: Run, *, dry_run: bool) -> None:
    counts = [f"{run.changed:,} of {run.looked_at:,} {'would change' if dry_run else 'changed'}"]
    counts += [f"{run.amended:,} status items follow"] * bool(run.amended)
    counts += [f"{run.behind:,} status items could not"] * bool(run.behind)
    counts += [f"{run.left_alone:,} not ours"] * bool(run.left_alone)
    counts += [f"{run.failed:,} failed"] * bool(run.failed)
    click.echo(", ".join(counts))


def _require_sense(torrents: tuple[str, ...], wish: Edit, restore: Path | None) -> None:
    if restore:
        if torrents or not wish.empty:
            raise UsageError("--restore undoes a whole edit, and takes nothing else")
        return
    if not torrents:
        raise UsageError("no torrent is named", hint="give a path, s3://BUCKET/KEY.torrent or a prefix")
    if wish.empty:
        raise UsageError("nothing to change was given", hint="s3torrent edit --help lists what may change")
    for url in wish.trackers:
        check_tracker(url)
    for old, _ in wish.replace:
        if not old:
            raise UsageError("--announce-replace has an empty OLD; expected a part of a URL")


def _place(text: str) -> tuple[ObjectRef, bool]:
    """Where it is, and whether it is a prefix and not one torrent."""
    if not text.startswith("s3://"):
        try:
            return ObjectRef("", str(Path(text).resolve())), False  # a link stays one
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a NUL
            raise UsageError(f"{text!r} is no path: {error}") from None
    ref = locate(text if "/" in text[5:] else f"{text}/", folders=True)
    return ref, not ref.key.endswith(TORRENT_SUFFIX)


def _works(places: list[tuple[str, tuple[ObjectRef, bool]]], wish: Edit, run: Run) -> Iterator[Work]:
    for text, (ref, is_prefix) in places:
        if not is_prefix:
            editor = run.editor(ref, named=True)
            yield Work(text, editor, _editing(editor, ref, wish), alone=len(places) == 1)
            continue
        _require_templates(wish)
        editor, found = run.editor(ref, named=False), False
        for version in s3_store(run.clients()).list_objects(ref.bucket, ref.key):
            if version.ref.key.endswith(TORRENT_SUFFIX):
                found = True
                yield Work(str(version.ref), editor, _editing(editor, version.ref, wish))
        if not found:
            run.nothing_below(text, _named_so(ref, run))


def _named_so(ref: ObjectRef, run: Run) -> str:
    """A hint: the torrent of the object or folder that was named in its place; "" where there is none."""
    torrent = ObjectRef(ref.bucket, f"{ref.key.rstrip('/')}{TORRENT_SUFFIX}")
    try:
        s3_store(run.clients()).head(torrent)
    except S3TorrentError:
        return ""
    return f"give {torrent}"


def _editing(editor: Editor, ref: ObjectRef, wish: Edit) -> Callable[[], Edited]:
    def edited() -> Edited:
        return editor.edited(ref, lambda metainfo: _filled(wish, ref, metainfo))

    return edited


def _require_all(undos: Undos, run: Run) -> None:
    """Every line is one, and every place can be reached, before the first torrent is touched."""
    asked = False
    for undo in undos:
        ref, _ = _place(undo.torrent)
        if ref.bucket and not asked:
            asked = True
            run.require_table(ref)


def _undone(undos: Undos, run: Run) -> Iterator[Work]:
    for undo in undos:
        ref, _ = _place(undo.torrent)
        editor = run.editor(ref, named=True)
        yield Work(undo.torrent, editor, lambda editor=editor, undo=undo, ref=ref: editor.undone(undo, ref))  # type: ignore[misc]


def _require_templates(wish: Edit) -> None:
    for url in wish.web_seeds:
        if "{key}" not in url:
            raise UsageError(
                f"--web-seed {url!r} has no {{key}}, but a prefix holds many torrents",
                hint="write it as https://cdn.example.org/{key}",
            )


def _filled(wish: Edit, ref: ObjectRef, metainfo: Metainfo) -> Edit:
    """With the templates of web seeds, also of those to remove, filled in for this torrent."""
    key = ref.key.removesuffix(TORRENT_SUFFIX)

    def filled(url: str) -> str:
        if "{" not in url:
            return url
        if not ref.bucket:
            raise UsageError(
                f"web seed {url!r} has a placeholder, but {ref} has no bucket and no key",
                hint="give the URL at which the content lies",
            )
        if metainfo.single_file:
            return object_url(url, ref.bucket, key)
        return folder_url(url, ref.bucket, f"{key}/", metainfo.name)

    return replace(
        wish,
        web_seeds=tuple(map(filled, wish.web_seeds)),
        remove_web_seeds=tuple(map(filled, wish.remove_web_seeds)),
    )
