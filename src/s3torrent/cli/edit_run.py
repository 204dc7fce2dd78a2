"""One run of ``edit``: the torrents in work, the stores they lie in, and what was done to them."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from s3torrent.cli.main import complain
from s3torrent.cli.output import visible
from s3torrent.cli.progress import objects_bar
from s3torrent.config import from_environment
from s3torrent.errors import ForeignTorrent, S3TorrentError, TableMissing
from s3torrent.metainfo import infohash
from s3torrent.pipeline.edit import Editor
from s3torrent.pipeline.in_order import in_order
from s3torrent.wiring import Clients, local_store, s3_store, status_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from s3torrent.cli.undo_file import UndoFile
    from s3torrent.pipeline.edit import Edited
    from s3torrent.types import ObjectRef

AT_ONCE = 16
"""Torrents in work at the same time: each waits for three or four small answers."""
MOST_BEGUN = 4 * AT_ONCE


class Work:
    """One torrent to edit; ``alone``: the only one that was named."""

    def __init__(
        self, name: str, editor: Editor, edited: Callable[[], Edited], *, alone: bool = False
    ) -> None:
        self.name, self.editor, self.edited, self.alone = name, editor, edited, alone


@dataclass(frozen=True, slots=True)
class Done:
    """``amended``: its status item told otherwise, and follows. ``behind``: why the item could not follow."""

    edited: Edited
    amended: bool = False
    behind: S3TorrentError | None = None


class Run:
    """What was done so far, and the stores it is done to."""

    def __init__(self, *, dry_run: bool, foreign: bool) -> None:
        self._dry_run, self._foreign = dry_run, foreign
        self.looked_at = self.changed = self.failed = self.left_alone = 0
        self.amended = self.behind = self.empty = 0
        self._lock = threading.Lock()
        self._clients: Clients | None = None
        self._editors: dict[tuple[bool, bool], Editor] = {}

    def clients(self) -> Clients:
        if self._clients is None:
            settings = from_environment(os.environ)
            self._table = settings.table
            self._clients = Clients(
                settings.endpoint_url, connections=AT_ONCE + 2, request_payer=settings.request_payer
            )
        return self._clients

    def editor(self, ref: ObjectRef, *, named: bool) -> Editor:
        """``named`` torrents may be anybody's."""
        key = (bool(ref.bucket), named or self._foreign)
        with self._lock:
            if key not in self._editors:
                self._editors[key] = self._made(in_s3=key[0], foreign=key[1])
            return self._editors[key]

    def _made(self, *, in_s3: bool, foreign: bool) -> Editor:
        if not in_s3:
            return Editor(local_store())
        clients = self.clients()
        status = status_store(clients, self._table, create_missing=False) if self._table else None
        return Editor(s3_store(clients), status, foreign=foreign)

    def require_table(self, ref: ObjectRef) -> None:
        """Before anything is changed there: a name of the table that is wrong is told once."""
        try:
            self.editor(ref, named=True).require_table()
        except TableMissing as error:
            error.hint = "correct DDB_TABLE, or unset it: magnet links in a table do not follow then"
            raise

    def all_of(
        self, works: Iterable[Work], label: str, undo: UndoFile | None = None, *, as_json: bool
    ) -> None:
        """Each on a thread; told in order. An error of the only one is raised, of many told on stderr."""
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            with objects_bar(label, None) as moved:
                for work, done in in_order(pool, lambda work: self._one(work, undo), works, MOST_BEGUN):
                    self.looked_at += 1
                    moved(self.looked_at, 0)
                    if isinstance(done, S3TorrentError):
                        self._failed(work, done, as_json=as_json)
                    else:
                        self.changed += done.edited.changed
                        self.amended += done.amended
                        self.behind += done.behind is not None
                        _tell(done, as_json=as_json, dry_run=self._dry_run)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def nothing_below(self, prefix: str, hint: str) -> None:
        """No torrent lies there: a key whose .torrent was meant, perhaps."""
        self.empty += 1
        complain(f"error: no torrent lies below {prefix}", hint)

    def _one(self, work: Work, undo: UndoFile | None) -> Done | S3TorrentError:
        try:
            edited = work.edited()
            if edited.changed and not self._dry_run:
                if undo:
                    undo.write(edited.undo_line())  # before the torrent: what is killed here can be undone
                work.editor.write(edited)
        except S3TorrentError as error:
            return error
        try:
            return Done(edited, amended=work.editor.follow(edited, dry_run=self._dry_run))
        except S3TorrentError as error:
            return Done(edited, behind=error)

    def _failed(self, work: Work, error: S3TorrentError, *, as_json: bool) -> None:
        if work.alone:
            raise error
        if isinstance(error, ForeignTorrent):
            self.left_alone += 1
        else:
            self.failed += 1
        if as_json:
            click.echo(json.dumps({"torrent": work.name, "changed": False, "error": error.as_dict()}))
        named = "" if error.message.startswith(work.name) else f"{work.name}: "
        complain(f"{named}{error.message}", "" if isinstance(error, ForeignTorrent) else error.hint)

    def as_dict(self, undo: Path | None) -> dict[str, Any]:
        """docs/json.md has the schema."""
        return {
            "torrents": self.looked_at,
            "changed": self.changed,
            "itemsAmended": self.amended,
            "itemsBehind": self.behind,
            "leftAlone": self.left_alone,
            "failed": self.failed,
            "dryRun": self._dry_run,
            "undo": str(undo) if undo else None,
        }


def _tell(done: Done, *, as_json: bool, dry_run: bool) -> None:
    edited, after, error = done.edited, done.edited.after, done.behind
    if error:
        is_so = "was changed" if edited.changed and not dry_run else "stays as it is"
        click.echo(
            visible(f"{edited.ref} {is_so}, but its status item could not follow: {error.message}"), err=True
        )
        if not dry_run:
            click.echo("hint: run the same command again once the table answers: the item follows", err=True)
    if as_json:
        told = {
            "torrent": str(edited.ref),
            "changed": edited.changed,
            "item": "behind" if error else "amended" if done.amended else None,
            "infoHashV1": infohash.v1_hex(after),
            "infoHashV2": infohash.v2_hex(after),
            "trackers": [list(tier) for tier in after.trackers],
            "webSeeds": list(after.web_seeds),
            "comment": after.comment,
            "error": error.as_dict() if error else None,
        }
        click.echo(json.dumps(told))
        return
    would = "would change" if dry_run else "changed"
    if edited.changed:
        click.echo(visible(f"{would}: {edited.ref}"))
    elif done.amended:
        click.echo(visible(f"{would}: the status item of {edited.ref}"))
