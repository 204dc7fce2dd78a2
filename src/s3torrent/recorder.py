"""The recorder of a container: a URL into the bucket, its torrent beside it. docker/ecs/entrypoint.sh runs

    python -m s3torrent.recorder URL OUTFILE
    python -m s3torrent.recorder --after-kill SIGNAL URL OUTFILE

The second takes up what one that was killed has left. The object's key is S3_KEY/ and OUTFILE's last segment;
its content is Matroska, whatever that name ends in. SIGTERM and SIGINT end the recording, not the upload:
what was recorded gets its object and its torrent. OUTFILE stays where it is.

Environment: docs/configuration.md. S3TORRENT_RUN is the entrypoint's: a folder of this run, by which the
second knows the first. Exit codes: 0 done, 2 usage, 4 source, S3 or status not reachable, 70 a defect.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import unicodedata
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from s3torrent import config, recorder_config, recording, wiring
from s3torrent.capture.said import Transcript
from s3torrent.capture.url import check_url, redacted
from s3torrent.errors import BadName, S3TorrentError, UsageError, described
from s3torrent.log import log, tell
from s3torrent.pipeline.journal import Journal, NoJournal
from s3torrent.types import ObjectRef, TorrentRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3torrent.pipeline.outcome import Outcome
    from s3torrent.pipeline.upload import Uploader
    from s3torrent.recorder_config import RecorderSettings

USAGE = "URL OUTFILE"
AFTER_KILL = "--after-kill"
RUN = "S3TORRENT_RUN"
NOTE = "upload"
"""In the run's folder: the id of a stream's multipart upload."""
BUG_EXIT = 70
SHOWN_URL = 2000
UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: controls, halves of characters, line and paragraph ends."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments; ``killed_by`` is the signal that ended the recorder before this one."""

    url: str
    outfile: str
    killed_by: int | None = None

    @property
    def reason(self) -> str:
        return f"the recorder was killed by signal {self.killed_by}"


@dataclass(frozen=True, slots=True)
class Run:
    """Who this is: the same name before and after a kill."""

    owner: str
    folder: Path | None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Run:
        folder = Path(environ[RUN]) if environ.get(RUN) else None
        return cls(f"recorder/{folder.name if folder else uuid.uuid4().hex[:12]}", folder)


def main(arguments: list[str], environ: Mapping[str, str], stop: threading.Event) -> int:
    """The exit code. ``stop`` ends the recording."""
    log.setLevel(logging.INFO)
    if not log.handlers:
        log.addHandler(logging.StreamHandler())
    try:
        record(arguments, environ, stop)
    except S3TorrentError as error:
        tell(logging.ERROR, "failed", **error.as_dict())
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the log has it, and the item
        tell(logging.CRITICAL, "a defect in s3torrent", **described(error))
        return BUG_EXIT
    return 0


def record(arguments: list[str], environ: Mapping[str, str], stop: threading.Event) -> None:
    """Record, and end the item of JOB_ID however it went. Raises what went wrong."""
    this = Run.of(environ)
    try:
        wanted = recorder_config.recorder_from_environment(environ)
        asked = asked_for(arguments)
    except UsageError as error:
        _tell_item(environ, this, error)
        raise
    log.setLevel(wanted.settings.log_level)
    uploader = replace(wiring.uploader(wanted.settings), owner=this.owner)
    if asked.killed_by and has_ended(uploader, wanted.job_id):
        tell(logging.INFO, "nothing to take up: the recording has ended", id=wanted.job_id)
        return
    transcript = Transcript()
    with _journal(wanted, uploader, asked) as journal:
        try:
            one = recording.Recording(
                url=check_url(asked.url),
                outfile=Path(asked.outfile).absolute(),  # programs run in a folder of their own
                ref=target(wanted, asked.outfile),
                uploader=uploader,
                reader=wiring.local_store(),
                make=_make(wanted),
                journal=journal,
                stop=stop,
                hear=_hear(transcript),
                note=this.folder / NOTE if this.folder else None,
            )
            outcome, trouble = _go(one, wanted.mode, asked)
        except BaseException as error:
            journal.failed(error, transcript.tail)
            raise
        told = dict(outcome.attributes)
        reason = trouble or outcome.reason or told.get("reason")
        journal.completed(told | {"key": one.ref.key, "reason": reason})
    tell(logging.INFO, "completed", **{"id": str(one.ref), **told, "reason": reason})


def _go(one: recording.Recording, mode: str, asked: Asked) -> tuple[Outcome, str]:
    in_file = mode == "file"
    if not asked.killed_by:
        return recording.into_file(one) if in_file else recording.into_stream(one)
    recording.free(one, asked.reason)
    after_kill = recording.file_after_kill if in_file else recording.stream_after_kill
    return after_kill(one, asked.reason)


def asked_for(arguments: list[str]) -> Asked:
    """Raises UsageError. A URL or OUTFILE with a leading dash is no option: its own check refuses it."""
    rest, killed_by = arguments, None
    if arguments[:1] == [AFTER_KILL]:
        if len(arguments) < 2 or not arguments[1].isdecimal():
            raise UsageError(
                f"{AFTER_KILL} needs the number of a signal", hint=f"{AFTER_KILL} SIGNAL {USAGE}"
            )
        killed_by, rest = int(arguments[1]), arguments[2:]
    if len(rest) != 2:
        raise UsageError(f"expected 2 arguments, {USAGE}; found {len(rest)}", hint=f"entrypoint.sh {USAGE}")
    return Asked(rest[0], rest[1], killed_by)


def target(wanted: RecorderSettings, outfile: str) -> ObjectRef:
    """Where it goes. Raises BadName where OUTFILE ends in no name for a file, a key and a torrent."""
    name = outfile.rsplit("/", 1)[-1]
    wrong = name in ("", ".", "..") or name.startswith("-")
    if wrong or any(unicodedata.category(character) in UNPRINTABLE for character in outfile):
        raise BadName(
            f"OUTFILE is {outfile!r}; expected a path that ends in a file name, without leading dash or "
            "control characters",
            hint="name it as the object is to be called, such as recordings/show.mkv",
        )
    between = "" if not wanted.prefix or wanted.prefix.endswith("/") else "/"
    return ObjectRef(wanted.bucket, f"{wanted.prefix}{between}{name}")


def has_ended(uploader: Uploader, job_id: str | None) -> bool:
    """Whether the killed one's item tells its end already, or is another task's by now."""
    item = uploader.status.get(job_id) if uploader.status and job_id else None
    return item is not None and (item.get("leaseOwner"), bool(item.get("leaseExpiresAt"))) != (
        uploader.owner,
        True,
    )


def _journal(wanted: RecorderSettings, uploader: Uploader, asked: Asked) -> Journal | NoJournal:
    if not uploader.status or not wanted.job_id:
        return NoJournal()
    url = redacted(asked.url)[:SHOWN_URL].encode("utf-8", "backslashreplace").decode()
    attributes = {"url": url, "bucket": wanted.bucket, "recordMode": wanted.mode}
    with suppress(BadName):
        attributes["key"] = target(wanted, asked.outfile).key
    return Journal(
        uploader.status,
        wanted.job_id,
        owner=uploader.owner,
        attributes=attributes,
        tell=tell,
        interval=wanted.heartbeat_seconds,
        ttl_seconds=wanted.ttl_seconds,
    )


def _make(wanted: RecorderSettings) -> recording.Make | None:
    if not wanted.settings.table:
        return None
    return lambda ref: wiring.maker(wanted.settings).make(TorrentRequest(ref))


def _hear(transcript: Transcript) -> recording.Hear:
    def hear(line: str) -> None:
        transcript.hear(line)
        tell(logging.DEBUG, "program", line=line)

    return hear


def _tell_item(environ: Mapping[str, str], this: Run, error: UsageError) -> None:
    """FAILED in the item of JOB_ID, as far as it can be found where the settings are wrong."""
    job_id = environ.get("JOB_ID", "").strip()
    known = {name: environ[name] for name in ("DDB_TABLE", "AWS_ENDPOINT_URL") if name in environ}
    with suppress(S3TorrentError):
        uploader = wiring.uploader(config.from_environment(known))
        if uploader.status and recorder_config.JOB_ID.fullmatch(job_id):
            with Journal(uploader.status, job_id, owner=this.owner, attributes={}, tell=tell) as journal:
                journal.failed(error)


def stop_on_signals() -> threading.Event:
    """Set at the first SIGTERM or SIGINT. By a pipe and a thread: a handler must not take an event's lock."""
    stop = threading.Event()
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        number = os.read(read, 1)[0]
        stop.set()
        tell(logging.INFO, "stopping", signal=signal.Signals(number).name)

    threading.Thread(target=wait, daemon=True, name="signals").start()
    return stop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, stop_on_signals()))
