"""The specification's own engine: download, run transmission-create, keep its info dict.

Its info dict is taken as it is; trackers, web seeds and the rest stand outside it and are ours. Space:
the object's size on disk, for as long as it runs. The program (3.00) exits 0 even where it failed, so
success is a torrent that parses and says what was asked for. The content is not read again: its piece
hashes are believed.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from s3torrent.engine.base import Built
from s3torrent.engine.document import piece_length_of, web_seeds_of
from s3torrent.engine.download import download
from s3torrent.engine.program import find_program, run_program
from s3torrent.engine.scratch import scratch_folder, sweep, temporary_folder
from s3torrent.errors import (
    BadName,
    ConfigError,
    EmptyContent,
    MetainfoError,
    NoSpace,
    ProgramFailed,
)
from s3torrent.metainfo.build import surroundings
from s3torrent.metainfo.parse import parse
from s3torrent.metainfo.policy import CREATED_BY

if TYPE_CHECKING:
    from pathlib import Path

    from s3torrent.engine.base import Content, Progress, RangeMemory
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.store.base import ObjectReader

SPARE_BYTES = 16 << 20
"""Room beside the object: the torrent itself, and what else the place is used for."""

TORRENT_BYTES = 64 << 20
"""More is no torrent of ours: metainfo/piece_length.py keeps them under 10,000,000."""

NO_TRACKER = "http://127.0.0.1/announce"
"""3.00 makes a private torrent only with a tracker; what stands outside its info dict is dropped."""

NAME_BYTES = 255
"""What Linux allows a file's name."""


class TransmissionEngine:
    """``program``: path of transmission-create, None to look for it; ``temporary``: where objects are put."""

    name = "transmission"

    def __init__(self, program: str | None = None, temporary: Path | None = None) -> None:
        self._program = program
        self._temporary = temporary

    def build(
        self,
        content: Content,
        policy: TorrentPolicy,
        reader: ObjectReader,
        progress: Progress,
        memory: RangeMemory | None = None,  # noqa: ARG002 - the program hashes a file from its beginning
    ) -> Built:
        """Raises EngineError, NotTorrentable, and whatever the reader raises. Always cleans up,
        also after a process that was killed at it.
        """
        if policy.version != "v1" or policy.source or not content.single_file:
            raise ConfigError(
                "transmission-create makes v1 torrents of single objects without a source tag",
                hint="TORRENT_ENGINE=native makes every kind",
            )
        if not content.size:
            raise EmptyContent(f"{content.name!r} is empty (0 bytes); a torrent needs at least 1 byte")
        if len(content.name.encode()) > NAME_BYTES:
            raise BadName(
                f"the name {content.name[:40]!r}... has {len(content.name.encode())} bytes; "
                f"a file's has at most {NAME_BYTES}",
                hint="shorten it, or use TORRENT_ENGINE=native, which writes no file",
            )
        program = find_program(self._program)
        choice = piece_length_of(content, policy)
        temporary = temporary_folder(self._temporary)
        sweep(temporary)
        _require_space(content, temporary)
        with scratch_folder(temporary) as folder:
            # The torrent's name is the file's: a folder of its own lets it have the object's.
            source = folder / "content" / content.name
            output = folder / "torrent"
            download(content.files[0].version, reader, source, progress)
            command = [program, "-o", str(output), "-s", str(choice.piece_length // 1024)]
            if policy.private:
                command += ["-p", "-t", NO_TRACKER]
            said = run_program([*command, str(source)], folder, lambda: progress(content.size))
            made = _read(output, said)
        _check(made, content, choice.piece_length, policy, said)
        top = surroundings(
            single_file=True,
            trackers=policy.trackers,
            web_seeds=web_seeds_of(content, policy),
            comment=policy.comment,
            creation_date=content.creation_date,
            created_by=CREATED_BY,
        )
        return Built(replace(made, top=top), choice.reason, content.size)


def _require_space(content: Content, temporary: Path) -> None:
    free = shutil.disk_usage(temporary).free
    needed = content.size + SPARE_BYTES
    if free < needed:
        raise NoSpace(f"{content.files[0].version} needs {needed:,} bytes in {temporary}; {free:,} are free")


def _read(output: Path, said: str) -> Metainfo:
    try:
        size = output.stat().st_size
        if size > TORRENT_BYTES:
            raise ProgramFailed(
                f"transmission-create left {size:,} bytes; a torrent has at most {TORRENT_BYTES:,}"
            )
        return parse(output.read_bytes())
    except FileNotFoundError:
        raise ProgramFailed(f"transmission-create left no torrent; it printed: {said}") from None
    except OSError as error:
        raise ProgramFailed(
            f"transmission-create left no torrent that can be read ({error.strerror}); it printed: {said}"
        ) from None
    except MetainfoError as error:
        raise ProgramFailed(f"transmission-create left no valid torrent: {error.message}") from error


def _check(made: Metainfo, content: Content, piece_length: int, policy: TorrentPolicy, said: str) -> None:
    """It says what was asked for; 3.00 ignores options that it does not like."""
    found = (made.name, made.size, made.piece_length, made.private)
    expected = (content.name, content.size, piece_length, policy.private)
    if found != expected:
        raise ProgramFailed(
            f"transmission-create made a torrent of (name, size, piece length, private) {found}; "
            f"expected {expected}; it printed: {said}"
        )
