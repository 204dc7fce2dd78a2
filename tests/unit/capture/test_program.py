"""Programs at work: what they see, how they are heard and ended, and that nothing of them stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from s3torrent.capture import program as module
from s3torrent.capture.program import Program, Surroundings, find_program
from s3torrent.capture.said import KEPT_LINES, TAIL_CHARACTERS, TOLD_CHARACTERS, Transcript
from s3torrent.errors import ProgramMissing
from support.waiting import until


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def around(folder: Path, transcript: Transcript | None = None) -> Surroundings:
    return Surroundings(threading.Event(), (transcript or Transcript()).hear, folder)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that does not end is killed soon."""
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.3)
    monkeypatch.setattr(module, "KILL_SECONDS", 0.3)


ASKED = """
import signal, time
def ended(*_):
    print("finished the file", flush=True)
    raise SystemExit(0)
signal.signal(signal.SIGINT, ended)
print("ready", flush=True)
while True: time.sleep(1)
"""


PARENT = "import subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid); child.wait()"


class TestWhatItSees:
    def test_it_sees_none_of_our_settings_and_credentials(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
        monkeypatch.setenv("JOB_ID", "1")
        monkeypatch.setenv("PYTHONPATH", "/nowhere")
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
        with Program(["/usr/bin/env"], around(tmp_path), output=True) as env:
            assert env.stdout
            seen = env.stdout.readall().decode()  # type: ignore[attr-defined]
            assert env.wait() == 0
        names = {line.split("=")[0] for line in seen.splitlines()}
        assert names <= set(module.PASSED_ON) | {"HOME", "LC_ALL"}
        assert f"HOME={tmp_path}" in seen
        assert "https_proxy=http://127.0.0.1:1" in seen

    def test_its_input_is_empty_and_it_works_in_its_folder(self, tmp_path: Path) -> None:
        with Program(
            python("import os; print(input() if 0 else repr(open(0).read()), os.getcwd())"), around(tmp_path)
        ) as one:
            assert one.wait() == 0
            assert one.said.told == f"'' {tmp_path}"

    def test_no_shell_reads_its_arguments(self, tmp_path: Path) -> None:
        hostile = "$(touch pwned); `touch pwned` | touch pwned"
        with Program([*python("import sys; print(sys.argv[1])"), hostile], around(tmp_path)) as one:
            assert one.wait() == 0
            assert one.said.told == hostile
        assert list(tmp_path.iterdir()) == []


class TestWhatIsHeard:
    def test_both_its_outputs_are_heard_without_secrets(self, tmp_path: Path) -> None:
        transcript = Transcript()
        code = "import sys; print('out https://u:p@h/?q=1'); print('err', file=sys.stderr)"
        with Program(python(code), around(tmp_path, transcript)) as one:
            assert one.wait() == 0
        assert transcript.tail == "out https://***@h/?***\nerr"

    def test_with_output_only_its_errors_are(self, tmp_path: Path) -> None:
        with Program(
            python("import sys; print('data'); print('err', file=sys.stderr)"), around(tmp_path), output=True
        ) as one:
            assert one.stdout
            assert one.stdout.readall() == b"data\n"  # type: ignore[attr-defined]
            assert one.wait() == 0
            assert one.said.told == "err"

    def test_of_endless_talk_the_end_is_kept(self, tmp_path: Path) -> None:
        transcript = Transcript()
        code = "for n in range(5000): print('line', n)\nprint('x' * 1_000_000)\nprint('the end')"
        with Program(python(code), around(tmp_path, transcript)) as one:
            assert one.wait() == 0
            assert one.said.told.endswith("the end")
            assert len(one.said.told) <= TOLD_CHARACTERS
            assert len(one.said._lines) <= KEPT_LINES
        assert transcript.tail.endswith("x\nthe end")
        assert len(transcript.tail) <= TAIL_CHARACTERS

    def test_what_is_no_text_is_shown_as_well_as_can_be(self, tmp_path: Path) -> None:
        with Program(
            python(r"import sys; sys.stdout.buffer.write(b'a\xff\x00b\r\n\n')"), around(tmp_path)
        ) as one:
            assert one.wait() == 0
            assert one.said.told == "a\ufffd\x00b"

    @pytest.mark.parametrize(
        "line",
        [
            "ERROR: unable to write data: [Errno 28] No space left on device",
            "av_interleaved_write_frame(): No space left on device",
            "OSError: [Errno 122] Disk quota exceeded",
            "[Errno 27] File too large",
        ],
    )
    def test_a_full_disk_is_recognised(self, tmp_path: Path, line: str) -> None:
        with Program(["/bin/echo", line], around(tmp_path)) as one:
            one.wait()
            assert one.said.no_space

    def test_a_source_that_broke_is_recognised_by_its_last_complaint(self, tmp_path: Path) -> None:
        lines = [
            "[error] Connection to tcp://h:1 failed: Connection refused",
            "[warning] Failed to reload playlist 0",
        ]
        with Program(["/bin/echo", "\n".join([*lines, "done"])], around(tmp_path)) as one:
            one.wait()
            assert (one.said.lost, one.said.no_space) == (lines[1], False)

    def test_the_code_of_one_that_was_killed_is_its_signal(self, tmp_path: Path) -> None:
        with Program(python("import os; os.kill(os.getpid(), 11)"), around(tmp_path)) as one:
            assert one.wait() == -signal.SIGSEGV

    def test_tick_is_called_while_it_works(self, tmp_path: Path) -> None:
        ticks = []
        go_on = tmp_path / "go on"
        code = f"import os, time\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.01)"
        with Program(python(code), around(tmp_path)) as one:
            assert one.wait(lambda: (ticks.append(1), go_on.touch())) == 0
        assert ticks


class TestHowItEnds:
    def test_once_stop_is_set_it_is_asked_to_end_and_may_finish(self, tmp_path: Path) -> None:
        transcript = Transcript()
        surroundings = around(tmp_path, transcript)
        with Program(python(ASKED), surroundings) as one:
            until(lambda: "ready" in transcript.tail, "ready")
            surroundings.stop.set()
            assert one.wait() == 0
            assert one.said.told == "ready finished the file"

    def test_one_that_is_to_be_stopped_before_it_begins_ends(self, tmp_path: Path) -> None:
        surroundings = around(tmp_path)
        surroundings.stop.set()
        with Program(["/bin/sleep", "600"], surroundings) as one:
            assert one.wait() == -signal.SIGINT

    def test_unstopped_surroundings_let_it_go_on_to_its_end(self, tmp_path: Path) -> None:
        surroundings = around(tmp_path)
        surroundings.stop.set()
        with Program(python("print('done')"), surroundings.unstopped) as one:
            assert (one.wait(), one.said.told) == (0, "done")

    def test_one_that_does_not_listen_is_killed(self, tmp_path: Path, impatient: None) -> None:
        transcript = Transcript()
        surroundings = around(tmp_path, transcript)
        deaf = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('ready')\nwhile True: time.sleep(1)"
        with Program(python(deaf), surroundings) as one:
            until(lambda: "ready" in transcript.tail, "ready")
            surroundings.stop.set()
            assert one.wait() == -signal.SIGKILL

    def test_a_second_sigint_comes_where_the_first_was_not_enough(
        self, tmp_path: Path, impatient: None
    ) -> None:
        transcript = Transcript()
        surroundings = around(tmp_path, transcript)
        twice = (
            "import signal, time\nseen = []\n"
            "def ask(*_):\n    seen.append(1)\n    print('asked', len(seen))\n    if len(seen) == 2: raise SystemExit(3)\n"
            "signal.signal(signal.SIGINT, ask)\nprint('ready')\nwhile True: time.sleep(1)"
        )
        with Program(python(twice), surroundings) as one:
            until(lambda: "ready" in transcript.tail, "ready")
            surroundings.stop.set()
            assert one.wait() == 3
            assert one.said.told == "ready asked 1 asked 2"

    def test_after_the_block_it_is_gone_with_all_it_started(self, tmp_path: Path) -> None:
        transcript = Transcript()
        with contextlib.suppress(KeyError), Program(python(PARENT), around(tmp_path, transcript)) as one:
            until(lambda: transcript.tail, "the child's id")
            raise KeyError
        assert one.wait() == -signal.SIGKILL
        until(lambda: not alive(int(transcript.tail)), "the child is gone")

    def test_what_it_left_behind_does_not_keep_us_waiting(self, tmp_path: Path) -> None:
        """A child that holds the pipe would hold our reader."""
        with Program(["/bin/sh", "-c", "sleep 600 & echo $!"], around(tmp_path)) as one:
            assert one.wait() == 0
            child = int(one.said.told)
        until(lambda: not alive(child), "the child is gone")

    def test_it_shares_our_session_and_not_our_group(self, tmp_path: Path) -> None:
        """So Ctrl-C reaches us alone, and whoever ends our session ends it, too."""
        with Program(
            python("import os; print(os.getsid(0), os.getpgid(0) == os.getpid())"), around(tmp_path)
        ) as one:
            one.wait()
            assert one.said.told == f"{os.getsid(0)} True"


def test_a_program_that_is_not_there_is_named_with_its_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing) as caught:
        find_program("yt-dlp")
    assert caught.value.message == "yt-dlp is not on PATH; recording needs it"
    assert "install yt-dlp" in caught.value.hint


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(ProgramMissing, match="ffmpeg cannot be run"):
        Program([str(broken)], around(tmp_path))


def alive(pid: int) -> bool:
    """Whether it still does something; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False
