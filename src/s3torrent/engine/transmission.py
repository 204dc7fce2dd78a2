"""The specification's own engine: download, run transmission-create, keep its info dict.

Its info dict is taken as it is; trackers, web seeds and the rest stand outside it and are ours. Space:
the object's size on disk, for as long as it runs. The program (3.00) exits 0 even where it failed, so
success is a torrent that parses and says what was asked for.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from s3torrent.engine.base import DOWNLOADING, Built
from s3torrent.engine.document import piece_length_of, web_seeds_of
from s3torrent.engine.program import find_program, run_program
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
    from s3torrent.engine.base import Content, Progress
    from s3torrent.metainfo.model import Metainfo
    from s3torrent.metainfo.policy import TorrentPolicy
    from s3torrent.store.base import ObjectReader

SPARE_BYTES = 16 << 20
"""Room beside the object: the torrent itself, and what else the place is used for."""


NO_TRACKER = "http://127.0.0.1/announce"
"""3.00 makes a private torrent only with a tracker; what stands outside its info dict is dropped."""

NAME_BYTES = 255
"""What Linux allows a file's name."""


class TransmissionEngine:
    """``program``: path of transmission-create, None to look for it; ``temporary``: where objects are put."""

    name = "transmission"

    def __init__(self, program: str | None = None, temporary: Path | None = None) -> None:
        self._program = program
        self._temporary = temporary or Path(tempfile.gettempdir())

    def build(
        self, content: Content, policy: TorrentPolicy, reader: ObjectReader, progress: Progress
    ) -> Built:
        """Raises EngineError, NotTorrentable, and whatever the reader raises. Always cleans up."""
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
        self._require_space(content)
        with tempfile.TemporaryDirectory(prefix="s3torrent-", dir=self._temporary) as folder:
            # The torrent's name is the file's: a folder of its own lets it have the object's.
            source = Path(folder) / "content" / content.name
            output = Path(folder) / "torrent"
            self._download(content, reader, source, progress)
            command = [program, "-o", str(output), "-s", str(choice.piece_length // 1024)]
            if policy.private:
                command += ["-p", "-t", NO_TRACKER]
            said = run_program([*command, str(source)], Path(folder), lambda: progress(content.size))
            made = _read(output, said)
        _check(made, content, choice.piece_length, said)
        top = surroundings(
            single_file=True,
            trackers=policy.trackers,
            web_seeds=web_seeds_of(content, policy),
            comment=policy.comment,
            creation_date=content.creation_date,
            created_by=CREATED_BY,
        )
        return Built(replace(made, top=top), choice.reason, content.size)

    def _require_space(self, content: Content) -> None:
        free = shutil.disk_usage(self._temporary).free
        needed = content.size + SPARE_BYTES
        if free < needed:
            raise NoSpace(
                f"{content.files[0].version} needs {needed:,} bytes in {self._temporary}; {free:,} are free"
            )

    def _download(self, content: Content, reader: ObjectReader, target: Path, progress: Progress) -> None:
        version = content.files[0].version
        target.parent.mkdir()
        done = 0
        try:
            with target.open("xb") as file:
                for chunk in reader.read(version, 0, version.size):
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, DOWNLOADING)
        except OSError as error:
            where = f"below {self._temporary}"
            raise NoSpace(f"{version} could not be written {where}: {error.strerror}") from error


def _read(output: Path, said: str) -> Metainfo:
    try:
        return parse(output.read_bytes())
    except FileNotFoundError:
        raise ProgramFailed(f"transmission-create left no torrent; it printed: {said}") from None
    except MetainfoError as error:
        raise ProgramFailed(f"transmission-create left no valid torrent: {error.message}") from error


def _check(made: Metainfo, content: Content, piece_length: int, said: str) -> None:
    """It says what was asked for; 3.00 ignores options that it does not like."""
    found = (made.name, made.size, made.piece_length)
    expected = (content.name, content.size, piece_length)
    if found != expected:
        raise ProgramFailed(
            f"transmission-create made a torrent of (name, size, piece length) {found}; expected {expected}; "
            f"it printed: {said}"
        )
