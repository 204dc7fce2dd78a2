"""``s3torrent edit``: other trackers, web seeds or comment, the same info-hash."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from s3torrent.cli.edit_run import Run, Work
from s3torrent.cli.locations import locate
from s3torrent.cli.output import visible
from s3torrent.errors import OutputExists, UsageError
from s3torrent.metainfo.edit import Edit
from s3torrent.metainfo.webseed import check_tracker, folder_url, object_url
from s3torrent.pipeline.edit import Undo
from s3torrent.types import TORRENT_SUFFIX, ObjectRef
from s3torrent.wiring import clock, s3_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from s3torrent.metainfo.model import Metainfo
    from s3torrent.pipeline.edit import Edited, Editor


@click.command()
@click.argument("torrents", metavar="[TORRENT | s3://BUCKET/PREFIX]...", nargs=-1)
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

    With DDB_TABLE set, the magnet links in the status table follow. Exit code 1 where one
    could not be edited.
    """
    wish = Edit(trackers, remove_trackers, replaced, web_seeds, remove_web_seeds, comment)
    _require_sense(torrents, wish, restore)
    run = Run(dry_run=dry_run, foreign=foreign)
    if restore:
        with restore.open(encoding="utf-8") as lines:
            run.all_of(_undone(lines, run), str(restore), None, as_json=as_json)
    else:
        places = [(text, _place(text)) for text in torrents]
        many = any(is_prefix for _, (_, is_prefix) in places)
        if many and not undo_file:
            undo_file = Path(f"s3torrent-undo-{clock():%Y%m%dT%H%M%SZ}.jsonl")
        works = _works(places, wish, run)
        with _undo(None if dry_run else undo_file) as undo:
            run.all_of(works, torrents[0], undo, as_json=as_json)
        if undo and run.changed:
            click.echo(visible(f"to undo it: s3torrent edit --restore {undo_file}"), err=True)
        elif undo and undo_file:
            undo_file.unlink()
    if as_json:
        click.echo(json.dumps({"summary": run.as_dict(undo_file if run.changed and not dry_run else None)}))
    elif run.looked_at > 1 or not run.changed:
        counts = [f"{run.changed:,} of {run.looked_at:,} {'would change' if dry_run else 'changed'}"]
        counts += [f"{run.left_alone:,} not ours"] * bool(run.left_alone)
        counts += [f"{run.failed:,} failed"] * bool(run.failed)
        click.echo(", ".join(counts))
    if run.failed:
        raise click.exceptions.Exit(1)


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
        return ObjectRef("", str(Path(text).resolve())), False  # a link stays one
    ref = locate(text if "/" in text[5:] else f"{text}/", folders=True)
    return ref, not ref.key.endswith(TORRENT_SUFFIX)


def _works(places: list[tuple[str, tuple[ObjectRef, bool]]], wish: Edit, run: Run) -> Iterator[Work]:
    for text, (ref, is_prefix) in places:
        if not is_prefix:
            editor = run.editor(ref, named=True)
            yield Work(text, editor, _editing(editor, ref, wish), alone=len(places) == 1)
            continue
        _require_templates(wish)
        editor = run.editor(ref, named=False)
        for version in s3_store(run.clients()).list_objects(ref.bucket, ref.key):
            if version.ref.key.endswith(TORRENT_SUFFIX):
                yield Work(str(version.ref), editor, _editing(editor, version.ref, wish))


def _editing(editor: Editor, ref: ObjectRef, wish: Edit) -> Callable[[], Edited]:
    def edited() -> Edited:
        return editor.edited(ref, lambda metainfo: _filled(wish, ref, metainfo))

    return edited


def _undone(lines: Iterable[str], run: Run) -> Iterator[Work]:
    for line in lines:
        if not line.endswith("\n"):
            return  # the edit was killed while it wrote it, before it touched that torrent
        undo = Undo.of(line)
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


@contextlib.contextmanager
def _undo(path: Path | None) -> Iterator[IO[str] | None]:
    if path is None:
        yield None
        return
    try:
        opened = path.open("x", encoding="utf-8")
    except FileExistsError:
        raise OutputExists(f"{path} is there already", hint="name another file for --undo") from None
    except OSError as error:
        raise UsageError(f"--undo {path} cannot be written: {error.strerror}") from None
    with opened:
        yield opened
