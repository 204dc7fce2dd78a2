"""``s3torrent completion``: the shells themselves are asked what a TAB gives."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from s3torrent.cli.main import SUMMARIES
from support.command import PROGRAM, s3torrent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 60.0
ENVIRONMENT = {
    "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}
ASKING = """
compopt() { echo "compopt $1 $2"; }
source <(s3torrent completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_s3torrent_completion s3torrent
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""bash, the function called as bash calls it; compopt works within a TAB alone."""
CHECK = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}
STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set bell-style none'; . ./script"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; . ./script"),
}
NO_NETWORK = """
import os, sys
def audit(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        os.write(2, event.encode() + b"\\n")
        os._exit(99)
sys.addaudithook(audit)
import atexit
atexit.register(lambda: print(*sys.modules, sep="\\n", file=sys.stderr))
from s3torrent.cli.main import main
main([])
"""


def needs(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")


def asked(*words: str, folder: Path | None = None) -> list[str]:
    """What bash is given for these words, the last of which is being typed."""
    done = subprocess.run(
        ["bash", "--norc", "-c", ASKING, "bash", "s3torrent", *words],
        env=ENVIRONMENT,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


class Terminal:
    """A shell on a terminal of its own, in ``folder``, with our script read."""

    def __init__(self, shell: str, folder: Path) -> None:
        (folder / "script").write_bytes(s3torrent("completion", shell).stdout)
        command, reading = STARTS[shell]
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execvpe(command[0], command, {**ENVIRONMENT, "PS1": "> ", "HOME": str(folder)})
        self.seen = b""
        self.types(f"{reading}; echo rea''dy\n")
        self.waits(b"ready\r\n")

    def types(self, text: str) -> None:
        self.seen = b""
        os.write(self.terminal, text.encode())

    def waits(self, wanted: bytes) -> None:
        end = time.monotonic() + SECONDS
        while wanted not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"waited for {wanted!r}, saw {self.seen!r}"
            self.seen += os.read(self.terminal, 4096)

    def ends(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture(params=STARTS)
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    needs(request.param)
    (tmp_path / "a film.mkv").write_bytes(b"film")
    made = Terminal(request.param, tmp_path)
    yield made
    made.ends()


@pytest.mark.parametrize("shell", CHECK)
def test_the_script_is_one_of_its_shell(shell: str, tmp_path: Path) -> None:
    done = s3torrent("completion", shell)
    assert (done.code, done.stderr) == (0, "")
    assert b"_S3TORRENT_COMPLETE" in done.stdout
    needs(shell)
    script = tmp_path / "script"
    script.write_bytes(done.stdout)
    checked = subprocess.run([*CHECK[shell], script], capture_output=True, text=True, timeout=SECONDS)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", ["tcsh", "", "BASH"])
def test_another_shell_is_refused_in_one_line_that_names_the_three(shell: str) -> None:
    done = s3torrent("completion", shell)
    assert (done.code, done.stdout) == (2, b"")
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.endswith(f"{shell!r} is not one of 'bash', 'zsh', 'fish'")


@pytest.mark.parametrize("shell", CHECK)
def test_the_script_needs_no_shell_to_be_printed(shell: str) -> None:
    """A container may have none."""
    done = s3torrent("completion", shell, env={"PATH": "/nowhere"})
    assert (done.code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["cre"], ["create"]),
        ([""], list(SUMMARIES)),
        (["create", "--tor"], ["--torrent-version"]),
        (["create", "--torrent-version", ""], ["v1", "v2", "hybrid"]),
        (["create", "--torrent-version", "hy"], ["hybrid"]),
        (["catalog", ""], ["build", "publish"]),
        (["catalog", "build", "--ti"], ["--title"]),
        (["status", "--status", "comp"], ["completed"]),
        (["completion", "z"], ["zsh"]),
        (["--vers"], ["--version"]),
        (["--version", "cre"], ["create"]),
        (["backfill", "--min-size", "nonsense", "s3://b/", "--inl"], ["--inline"]),
        (["nonsense", "--x"], []),
    ],
)
def test_bash_is_given_commands_options_and_choices(words: list[str], found: list[str]) -> None:
    assert [name for name in asked(*words) if name] == found


@pytest.mark.parametrize(
    "words",
    [
        *([command, ""] for command in ("create", "put", "inspect", "verify", "edit", "check-seeds", "magnet")),
        ["create", "some", "-o", "na"],
        ["verify", "some.torrent", "na"],
        ["edit", "a.torrent", "b.torrent", "na"],
        ["edit", "--restore", ""],
        ["backfill", "s3://b/", "--keys", ""],
        ["backfill", "s3://b/", "--resume", ""],
        ["backfill", "s3://b/", "--batch-manifest", ""],
    ],
    ids=" ".join,
)  # fmt: skip
def test_bash_is_told_to_complete_names_of_files(words: list[str]) -> None:
    assert asked(*words)[0] == "compopt -o default"


def test_a_folder_is_completed_where_a_folder_is_wanted() -> None:
    assert asked("catalog", "build", "")[0] == "compopt -o dirnames"


@pytest.mark.parametrize(
    "words", [["create", "s3://b"], ["create", "s3:", "//b"], ["create", "s3", ":", "//b"]]
)
def test_nothing_is_offered_for_a_name_in_s3(words: list[str]) -> None:
    """However bash splits it at the colon."""
    assert [name for name in asked(*words) if name] == []


def test_a_terminal_completes_commands_options_and_files(terminal: Terminal) -> None:
    for typed, wanted in (
        ("s3torrent insp\t", b"s3torrent inspect "),
        ("s3torrent create --pad\t", b"s3torrent create --pad-files "),
        ("s3torrent create --torrent-version hyb\t", b"--torrent-version hybrid "),
        ("s3torrent create a\t", rb"s3torrent create a\ film.mkv "),
    ):
        terminal.types(f"\x15{typed}")  # Ctrl-U: away with the line before
        terminal.waits(wanted)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("s3torrent insp", "inspect"),
        ("s3torrent create --pad", "--pad-files"),
        ("s3torrent create --torrent-version hy", "hybrid"),
        ("s3torrent create a", "a film.mkv"),
        ("s3torrent catalog bu", "build"),
    ],
)
def test_fish_completes_commands_options_and_files(typed: str, found: str, tmp_path: Path) -> None:
    needs("fish")
    (tmp_path / "a film.mkv").write_bytes(b"film")
    (tmp_path / "script").write_bytes(s3torrent("completion", "fish").stdout)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source script; complete -C '{typed}'"],
        env={**ENVIRONMENT, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.stderr == ""
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [found]


def completing(line: str) -> tuple[int, str, set[str]]:
    """Exit code, what is offered, and the modules that were loaded."""
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK],
        env={
            **ENVIRONMENT,
            "_S3TORRENT_COMPLETE": "bash_complete",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return done.returncode, done.stdout, set(done.stderr.split())


def test_a_tab_at_the_commands_loads_none_of_them() -> None:
    code, offered, modules = completing("s3torrent ")
    assert (code, offered.split()) == (0, [f"plain,{name}" for name in SUMMARIES])
    assert not modules & {"boto3", "botocore", "rich", "s3torrent.wiring", "s3torrent.cli.create"}


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_tab_uses_no_network(name: str) -> None:
    code, offered, modules = completing(f"s3torrent {name} s3://bucket/key --")
    assert code == 0
    assert "plain,--help" in offered
    assert not modules & {"boto3", "botocore"} or name == "doctor"  # whose permissions are botocore's errors


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"COMP_WORDS": "s3torrent cre", "COMP_CWORD": "x"},
        {"COMP_WORDS": "s3torrent create \udcff", "COMP_CWORD": "2"},
    ],
)
def test_what_cannot_be_completed_says_nothing_into_the_line(environment: dict[str, str]) -> None:
    done = s3torrent(env={"_S3TORRENT_COMPLETE": "bash_complete", **environment})
    assert (done.code, done.stdout.strip(), done.stderr) == (1, b"", "")
