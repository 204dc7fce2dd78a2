"""The container without Docker: the entrypoint with stand-ins for the recorder, and what the Dockerfile says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recording.container import ENTRYPOINT, members
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = ENTRYPOINT.parents[2]
FOLDER = ROOT / "docker/ecs"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
HOSTILE = ["http://h/?a=1&b=$(id)", "-x 'y\"\n*.mkv"]

STAND_IN = """
import json, os, pathlib, signal, subprocess, sys, time
calls = pathlib.Path({calls!r})
number = len(list(calls.glob("[0-9]")))
told = dict(arguments=sys.argv[1:], run=os.environ["S3TORRENT_RUN"], pid=os.getpid(), signals=[])
def tell():
    new = calls / "new.tmp"
    new.write_text(json.dumps(told))
    new.rename(calls / str(number))
def wait(count):
    "Until so many signals have come."
    def came(number, _):
        told["signals"].append(number); tell()
    signal.signal(signal.SIGTERM, came)
    signal.signal(signal.SIGINT, came)
    tell()
    while len(told["signals"]) < count: time.sleep(0.01)
def alive(pid):
    try:
        return pathlib.Path("/proc", pid, "stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False
tell()
first = number == 0
{code}
"""


class Entrypoint:
    """The entrypoint, whose "python3" does what the test says and writes down how it was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls_folder = folder / "calls"
        self.calls_folder.mkdir()
        (folder / "tmp").mkdir()

    def start(self, code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        python = self.folder / "python"
        python.write_text(f"#!{sys.executable}\n" + STAND_IN.format(calls=str(self.calls_folder), code=code))
        python.chmod(0o755)
        base = {"PATH": "/usr/bin:/bin", "TMPDIR": str(self.folder / "tmp"), "S3TORRENT_PYTHON": str(python)}
        self.process = subprocess.Popen(
            # What is ignored from the start no shell can trap: as under nohup, or in a script's background.
            ["/usr/bin/env", "--default-signal=INT,TERM", str(ENTRYPOINT), *arguments],
            env=base | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def ended(self) -> tuple[int, str, str]:
        stdout, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stdout, stderr

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.calls_folder.glob("[0-9]"))]

    def waits(self, look: Callable[[], object], what: str) -> None:
        until(look, what)


@pytest.fixture
def entrypoint(tmp_path: Path) -> Iterator[Entrypoint]:
    made = Entrypoint(tmp_path)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        for call in made.calls:  # they hold its pipes open
            for pid in members(call["pid"]):
                os.kill(pid, signal.SIGKILL)
        made.process.communicate(timeout=60)
    for call in made.calls:
        assert members(call["pid"]) == []


class TestEntrypoint:
    def test_shellcheck_has_nothing_to_say(self) -> None:
        if not shutil.which("shellcheck"):
            pytest.skip("needs shellcheck")
        done = subprocess.run(["shellcheck", ENTRYPOINT], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "")

    @pytest.mark.parametrize("option", ["-h", "--help"])
    def test_help_needs_nothing(self, option: str) -> None:
        done = subprocess.run(
            [ENTRYPOINT, option], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: entrypoint.sh URL OUTFILE\n")

    @pytest.mark.parametrize("arguments", [[], ["http://h/"], ["http://h/", "a.mkv", "more"]])
    def test_a_wrong_number_of_arguments_is_told_with_the_usage(self, arguments: list[str]) -> None:
        environment = {"PATH": "/usr/bin:/bin", "S3TORRENT_PYTHON": sys.executable, "S3_BUCKET": "b"}
        done = subprocess.run([ENTRYPOINT, *arguments], capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stdout) == (2, "")
        told = json.loads(done.stderr)
        assert (told["type"], told["hint"]) == ("UsageError", "entrypoint.sh URL OUTFILE")

    @pytest.mark.parametrize("code", [0, 2, 4, 70])
    def test_the_recorder_gets_the_arguments_as_they_are_and_its_exit_code_is_the_container_s(
        self, entrypoint: Entrypoint, code: int
    ) -> None:
        entrypoint.start(f"sys.exit({code})", *HOSTILE)
        assert entrypoint.ended() == (code, "", "")
        [call] = entrypoint.calls
        assert call["arguments"] == ["-m", "s3torrent.recorder", *HOSTILE]
        assert call["run"].startswith(str(entrypoint.folder / "tmp"))
        assert list((entrypoint.folder / "tmp").iterdir()) == []

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_is_passed_on_and_the_recorder_waited_for(
        self, entrypoint: Entrypoint, number: int
    ) -> None:
        """Also a second and a third; it ends when it likes, with its own code."""
        process = entrypoint.start("wait(3); sys.exit(3)", *HOSTILE)
        for count in range(3):
            until(
                lambda count=count: entrypoint.calls and len(entrypoint.calls[0]["signals"]) == count, "ready"
            )
            until(lambda: handles(entrypoint.calls[0]["pid"], signal.SIGTERM), "its handler")
            process.send_signal(number)
        assert entrypoint.ended() == (3, "", "")
        assert entrypoint.calls[0]["signals"] == [signal.SIGTERM] * 3
        assert len(entrypoint.calls) == 1

    def test_what_a_killed_recorder_leaves_at_work_is_killed_before_the_second_begins(
        self, entrypoint: Entrypoint
    ) -> None:
        """The second is told the signal and knows the first by the folder of their run."""
        entrypoint.start(
            "if first:\n"
            "    child = subprocess.Popen(['sleep', '600'], process_group=0, stdout=subprocess.DEVNULL)\n"
            "    (calls / 'child').write_text(str(child.pid))\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "while alive((calls / 'child').read_text()): time.sleep(0.01)",
            *HOSTILE,
        )
        assert entrypoint.ended() == (128 + signal.SIGKILL, "", "")
        first, second = entrypoint.calls
        assert second["arguments"] == ["-m", "s3torrent.recorder", "--after-kill", "9", *HOSTILE]
        assert first["run"] == second["run"] != ""
        assert list((entrypoint.folder / "tmp").iterdir()) == []

    def test_a_signal_that_comes_too_early_for_the_recorder_is_a_kill_like_any_other(
        self, entrypoint: Entrypoint
    ) -> None:
        entrypoint.start("os.kill(os.getpid(), signal.SIGTERM) if first else sys.exit(4)", *HOSTILE)
        assert entrypoint.ended()[0] == 128 + signal.SIGTERM
        assert entrypoint.calls[1]["arguments"][2:4] == ["--after-kill", "15"]

    def test_the_second_recorder_is_passed_signals_too(self, entrypoint: Entrypoint) -> None:
        process = entrypoint.start("if first: os.kill(os.getpid(), signal.SIGKILL)\nwait(1)", *HOSTILE)
        until(lambda: len(entrypoint.calls) == 2, "the second")
        until(lambda: handles(entrypoint.calls[1]["pid"], signal.SIGTERM), "its handler")
        process.terminate()
        assert entrypoint.ended()[0] == 128 + signal.SIGKILL
        assert entrypoint.calls[1]["signals"] == [signal.SIGTERM]

    def test_without_a_disk_it_records_all_the_same(self, entrypoint: Entrypoint) -> None:
        entrypoint.start("sys.exit(0)", *HOSTILE, TMPDIR="/nowhere")
        assert entrypoint.ended() == (0, "", "")
        assert entrypoint.calls[0]["run"] == ""


def handles(pid: int, number: int) -> bool:
    """Whether the process has a handler for that signal."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert caught
    return bool(int(caught[1], 16) >> (number - 1) & 1)


class TestImage:
    def test_its_base_is_pinned_to_a_version(self) -> None:
        assert re.findall(r"^FROM (.+)$", DOCKERFILE, re.MULTILINE) == ["python:3.13-slim"]

    def test_its_user_is_not_root_and_owns_the_one_folder_it_writes_to(self) -> None:
        assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["1000:1000"]
        assert "--uid 1000" in DOCKERFILE
        assert re.findall(r"^(?:VOLUME|WORKDIR) (.+)$", DOCKERFILE, re.MULTILINE) == [
            "/recording",
            "/recording",
        ]
        assert "HOME=/recording TMPDIR=/recording" in DOCKERFILE
        assert (
            DOCKERFILE.index("--owner=recorder") < DOCKERFILE.index("VOLUME") < DOCKERFILE.index("USER 1000")
        )

    def test_what_is_copied_is_there_and_not_ignored(self) -> None:
        copied = re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE)
        assert copied == ["requirements/record.txt", "src/s3torrent", "docker/ecs/entrypoint.sh"]
        ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
        assert ignored[0] == "*"
        for path in copied:
            assert (ROOT / path).exists(), path
            assert f"!{path}" in ignored

    def test_its_packages_are_pinned_by_hash(self) -> None:
        assert "--require-hashes --only-binary :all:" in DOCKERFILE
        lock = (ROOT / "requirements/record.txt").read_text()
        assert re.search(r"^yt-dlp==", lock, re.MULTILINE)
        assert re.search(r"^boto3==", lock, re.MULTILINE)
        assert "--hash=sha256:" in lock

    def test_no_cache_stays_in_a_layer(self) -> None:
        assert "rm -rf /var/lib/apt/lists/*" in DOCKERFILE
        assert "--no-cache-dir" in DOCKERFILE

    def test_it_begins_with_the_entrypoint_and_is_stopped_by_sigterm(self) -> None:
        assert 'ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]' in DOCKERFILE
        assert "STOPSIGNAL SIGTERM" in DOCKERFILE
        assert ENTRYPOINT.stat().st_mode & 0o111
