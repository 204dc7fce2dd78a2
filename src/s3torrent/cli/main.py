"""``s3torrent``: the product on stdout, the talk on stderr, and an exit code that means something."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import click

from s3torrent import __version__
from s3torrent.cli.commands import Commands
from s3torrent.cli.output import visible
from s3torrent.errors import S3TorrentError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

NAME = "s3torrent"
COMPLETE = "_S3TORRENT_COMPLETE"
"""What the script of ``s3torrent completion`` sets at a TAB; click makes it of the name."""

EXITS = {
    0: "done",
    1: "mismatch or problems found",
    2: "usage",
    3: "bad torrent",
    4: "source or status not reachable",
}
EPILOG = f"""Exit codes: {", ".join(f"{code} {meaning}" for code, meaning in EXITS.items())}.
S3 is reached with the usual AWS settings (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, ...)."""

BUG_EXIT = 70
"""EX_SOFTWARE: a defect of ours, not of what was asked."""
INTERRUPTED_EXIT = 130
"""As shells have it: 128 and SIGINT."""


SUMMARIES = {
    "create": "Make a torrent of a file, a directory or an object.",
    "put": "Upload a file and publish its torrent, in one reading.",
    "record": "Upload standard input as it comes, and publish its torrent.",
    "inspect": "Show what a torrent says.",
    "verify": "Check a file, a directory or an object against a torrent.",
    "edit": "Change trackers, web seeds or comment of torrents, not their info-hash.",
    "check-seeds": "Try the web seeds of a torrent.",
    "magnet": "Print the magnet link of a torrent.",
    "backfill": "Make torrents of what lies in a bucket already.",
    "audit": "Find torrents that are missing, stale, foreign, orphaned or wrong.",
    "catalog": "Write a page, a feed and JSON of a bucket's torrents.",
    "doctor": "Find what is wrong with a deployment, and what mends it.",
    "status": "Show what the status table tells.",
    "redrive": "Send what failed for good into the queue again.",
    "dev": "Run the whole system on this machine.",
    "completion": "Print the script by which bash, zsh or fish completes.",
}


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's
    if wanted and not context.resilient_parsing:  # a TAB after it
        click.echo(f"s3torrent {__version__} (hashing: {_kernel().running()})")
        context.exit()


def _kernel() -> ModuleType:
    """Hashing as S3TORRENT_KERNEL has it. ConfigError where there is no such kernel here."""
    from s3torrent.hashing import kernel  # noqa: PLC0415 - hashlib takes 10 ms, and help needs none

    kernel.choose(os.environ.get(kernel.VARIABLE, ""))
    return kernel


@click.group(
    cls=Commands, summaries=SUMMARIES, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Make, read and check .torrent files of S3 objects and local files."""
    if os.environ.get("S3TORRENT_KERNEL"):
        _kernel()


def run() -> NoReturn:
    """What the installed command calls: main, and the end of the process."""
    try:
        main()
    except SystemExit as ended:
        _end(int(ended.code or 0))
    _end(0)


def main(arguments: list[str] | None = None) -> None:
    """Run, and leave with the exit code (SystemExit). Every error is one line, and its mend."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the shell: >&-
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # names may hold anything
    try:
        _require_utf8(sys.argv[1:] if arguments is None else arguments)
        code = cli.main(arguments, prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        code = _misused(error)
    except click.Abort:
        say("interrupted")
        code = INTERRUPTED_EXIT
    except S3TorrentError as error:
        complain(f"error: {error.message}", error.hint)
        code = error.exit_code
    except BrokenPipeError:
        # The reader went away (`| head`): nothing more to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if os.environ.get("S3TORRENT_DEBUG"):
            raise
        code = 1 if COMPLETE in os.environ else _unforeseen(error)  # nothing is said into a line being typed
    sys.exit(code or 0)


def _end(code: int) -> NoReturn:
    """At once where it failed: a thread whose connection stalls would hold up the end for half a minute."""
    if not code or threading.active_count() == 1:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    os._exit(code)


def _misused(error: click.ClickException) -> int:
    """What click refuses is told as all else is; without any argument it is the help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
    else:
        context = getattr(error, "ctx", None)
        hint = f"see {context.command_path if context else NAME} --help"
        complain(f"error: {error.format_message().rstrip('.')}", hint)
    return error.exit_code


def _unforeseen(error: Exception) -> int:
    """What no error of ours names: a full disk behind stdout, no memory, or a defect."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered must not fail again at exit
        say("error: the output could not be written: no space left")
        return S3TorrentError.exit_code
    if _is_of_memory(error):
        say("error: the system gave no more memory (expected about 200 MiB)")
        say("hint: end other programs, or raise the limit that it runs under (ulimit -v)")
        return S3TorrentError.exit_code
    say(f"error: a defect in s3torrent {__version__}: {type(error).__name__}: {error}")
    say("hint: run it again with S3TORRENT_DEBUG=1 and report what it prints")
    return BUG_EXIT


def _is_of_memory(error: Exception) -> bool:
    no_thread = isinstance(error, RuntimeError) and "start new thread" in str(error)  # no room for its stack
    return isinstance(error, MemoryError) or no_thread or getattr(error, "errno", None) == errno.ENOMEM


def _require_utf8(arguments: list[str]) -> None:
    """Keys, names and texts are UTF-8 in S3 and in torrents; other bytes reach Python as surrogates."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{argument!r} is not UTF-8", hint="rename it, or write it in UTF-8") from None


def say(line: str) -> None:
    """One line on stderr, whatever the message holds."""
    click.echo(visible(line), err=True)


def complain(line: str, hint: str) -> None:
    """What is wrong, and its mend where there is one."""
    say(line)
    if hint:
        say(f"hint: {hint}")
